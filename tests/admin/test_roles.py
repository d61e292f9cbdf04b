"""What each role may and may not do in its store."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from smsflow_plugin.models import Contact, StoreMembership
from smsflow_plugin.stores.actions import SetMembership
from smsflow_plugin.stores.roles import ADMIN_ACCESS, ROLES, assignable_roles, ensure_roles
from tests.admin.people import client_of, make_user
from tests.admin.rows import Rows, fill

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(store: Any) -> Rows:
    return fill(store)


def test_making_the_roles_again_changes_nothing_and_heals_what_was_changed() -> None:
    groups = ensure_roles()
    wanted = set(groups["Support"].permissions.values_list("codename", flat=True))
    groups["Support"].permissions.clear()
    again = ensure_roles()
    assert set(again["Support"].permissions.values_list("codename", flat=True)) == wanted == set(ROLES["Support"])
    assert Group.objects.filter(name__in=[*ROLES, ADMIN_ACCESS]).count() == len(ROLES) + 1


@pytest.mark.parametrize(
    ("role", "address", "allowed"),
    [
        ("Store admin", "smsflow_stores:edit", True),
        ("Store admin", "smsflow_stores:people", True),
        ("Store admin", "smsflow_deliveries:inspect", True),
        ("Agency", "smsflow_stores:edit", True),
        ("Agency", "smsflow_stores:people", False),
        ("Agency", "smsflow_stores:test_text", True),
        ("Copywriter", "smsflow_stores:edit", False),
        ("Copywriter", "smsflow_stores:test_text", False),
        ("Copywriter", "wagtailsnippets_smsflow_flow:edit", False),
        ("Copywriter", "wagtailsnippets_smsflow_flow:words", True),
        ("Support", "smsflow_contacts:inspect", True),
        ("Support", "smsflow_contacts:opt_out", True),
        ("Support", "smsflow_messages:inspect", True),
        ("Support", "smsflow_stores:edit", False),
        ("Support", "wagtailsnippets_smsflow_flow:edit", False),
        ("Store admin", "wagtailsnippets_smsflow_policy:edit", True),
        ("Agency", "wagtailsnippets_smsflow_policy:edit", True),
        ("Agency", "wagtailsnippets_smsflow_policy:panic", True),
        ("Support", "wagtailsnippets_smsflow_policy:inspect", True),
        ("Support", "wagtailsnippets_smsflow_policy:try_it", True),
        ("Support", "wagtailsnippets_smsflow_policy:edit", False),
        ("Support", "wagtailsnippets_smsflow_policy:panic", False),
    ],
)
def test_a_role_opens_its_pages_and_no_others(rows: Rows, role: str, address: str, allowed: bool) -> None:
    client = client_of(make_user("somebody", role, rows.store))
    objects = {
        "policy": rows.policy,
        "stores": rows.store,
        "contacts": rows.contact,
        "messages": rows.message,
        "deliveries": rows.parked,
    }
    pk = next((row.pk for word, row in objects.items() if word in address), rows.flow.pk)
    response = client.get(reverse(address, args=[pk]))
    assert response.status_code == (200 if allowed else 302)


@pytest.mark.parametrize(
    "address", ["smsflow_contacts:inspect", "smsflow_messages:inspect", "smsflow_deliveries:inspect"]
)
def test_a_copywriter_sees_no_people(rows: Rows, address: str) -> None:
    client = client_of(make_user("cora", "Copywriter", rows.store))
    pk = {"contacts": rows.contact, "messages": rows.message, "deliveries": rows.parked}[address[8:-8]].pk
    assert client.get(reverse(address, args=[pk])).status_code == 404


def test_support_records_an_opt_out(rows: Rows) -> None:
    client = client_of(make_user("sue", "Support", rows.store))
    said = {"channel": "phone", "said_at": "2026-03-03T10:30", "scope": "all", "note": "Called us."}
    Contact.objects.update(consent_changed_at=None)
    client.post(reverse("smsflow_contacts:opt_out", args=[rows.contact.pk]), said)
    rows.contact.refresh_from_db()
    assert rows.contact.marketing_consent == rows.contact.service_consent == Contact.Consent.REVOKED


def test_support_in_one_store_and_admin_in_another_may_edit_only_the_other(rows: Rows, danish_store: Any) -> None:
    user = make_user("ann", "Support", rows.store)
    StoreMembership.objects.create(user=user, store=danish_store, role=ensure_roles()["Store admin"])
    client = client_of(user)
    page = client.get(reverse("smsflow_stores:index")).content.decode()
    assert reverse("smsflow_stores:edit", args=[danish_store.pk]) in page
    assert reverse("smsflow_stores:edit", args=[rows.store.pk]) not in page
    assert client.get(reverse("smsflow_stores:edit", args=[rows.store.pk])).status_code == 302


def test_an_agency_neither_sees_nor_changes_credentials(rows: Rows) -> None:
    client = client_of(make_user("ag", "Agency", rows.store))
    fields = client.get(reverse("smsflow_stores:edit", args=[rows.store.pk])).context["form"].fields
    rules = client.get(reverse("wagtailsnippets_smsflow_policy:edit", args=[rows.policy.pk])).context["form"].fields
    assert "week" in rules
    assert not {"shop_domain", "shopify_secret", "sinch_plan", "sinch_token", "sinch_base_url"} & set(fields)
    assert not any(name.startswith("conversation_") for name in fields)


def test_only_who_runs_the_installation_says_where_the_gateway_is(rows: Rows, admin_client: Any) -> None:
    edit = reverse("smsflow_stores:edit", args=[rows.store.pk])
    assert "sinch_base_url" in admin_client.get(edit).context["form"].fields
    client = client_of(make_user("ada", "Store admin", rows.store))
    assert "conversation_origin" not in client.get(edit).context["form"].fields
    assert "sinch_base_url" not in client.get(edit).context["form"].fields


def test_nobody_hands_out_a_role_that_may_do_more(rows: Rows) -> None:
    groups = ensure_roles()
    support = make_user("sue", "Support", rows.store)
    assert [group.name for group in assignable_roles(support, rows.store)] == ["Support"]
    groups["Support"].permissions.add(*groups["Store admin"].permissions.filter(codename="change_storemembership"))
    support = type(support).objects.get(pk=support.pk)
    member = make_user("mo", "Support")
    with pytest.raises(PermissionDenied):
        SetMembership(rows.store, support, member=member, role=groups["Store admin"]).execute()
    assert not member.store_memberships.exists()


def test_a_group_with_rights_outside_of_stores_is_no_role(rows: Rows) -> None:
    ensure_roles()
    admin = make_user("ada", "Store admin", rows.store)
    mixed = Group.objects.create(name="Mixed")
    mixed.permissions.set(ensure_roles()["Support"].permissions.all())
    mixed.permissions.add(*ensure_roles()[ADMIN_ACCESS].permissions.all())
    assert "Mixed" not in [group.name for group in assignable_roles(admin, rows.store)]


def test_nobody_removes_themselves(rows: Rows) -> None:
    admin = make_user("ada", "Store admin", rows.store)
    with pytest.raises(ValidationError):
        SetMembership(rows.store, admin, member=admin, role=None).execute()


def test_an_admin_brings_somebody_in_and_shows_them_out(rows: Rows) -> None:
    client = client_of(make_user("ada", "Store admin", rows.store))
    mo = make_user("mo", "Support")
    role = ensure_roles()["Copywriter"]
    people = reverse("smsflow_stores:people", args=[rows.store.pk])
    client.post(people, {"email": "MO@example.com", "role": role.pk})
    membership = mo.store_memberships.get()
    assert (membership.store, membership.role) == (rows.store, role)
    client.post(people, {f"member-{membership.pk}": "remove"})
    assert not mo.store_memberships.exists()


def test_the_menu_shows_each_role_its_own_lines(rows: Rows) -> None:
    def lines(role: str) -> set[str]:
        client = client_of(make_user(role.split()[0], role, rows.store))
        page = client.get(reverse("wagtailadmin_home")).content.decode()
        return {name for name in ("Governance", "Contacts", "Messages", "Deliveries", "Stores") if f'"{name}"' in page}

    assert lines("Copywriter") == set()
    assert lines("Support") == {"Governance", "Contacts", "Messages"}
    assert lines("Store admin") == {"Governance", "Contacts", "Messages", "Deliveries", "Stores"}
