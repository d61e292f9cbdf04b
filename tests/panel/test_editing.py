"""The page of rules: drafts, publishing, errors at their place, and what is said beside each setting."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.models import Flow, Policy, PolicyVersion, StoreLogEntry
from tests.admin.people import client_of, make_user
from tests.factories import make_store
from tests.panel.forms import address, caps, filled_in, week

pytestmark = pytest.mark.django_db

LIST = "wagtailsnippets_smsflow_policy:list"


def test_a_change_is_a_draft_until_it_is_published(client: Client, policy: Policy) -> None:
    data = filled_in(client, policy, **caps((1, "day", "all")))
    client.post(address("edit", policy), data)
    policy.refresh_from_db()
    assert policy.caps == []
    assert policy.get_latest_revision_as_object().caps == [{"limit": 1, "window": "day"}]
    assert "There is a draft that does not count yet." in client.get(address("edit", policy)).content.decode()
    client.post(address("edit", policy), {**data, "action-publish": "1"})
    policy.refresh_from_db()
    assert policy.caps == [{"limit": 1, "window": "day"}]
    assert rules_of([policy.store])[policy.store_id].rules.caps[0].limit == 1
    assert "wagtail.publish" in StoreLogEntry.objects.values_list("action", flat=True)


def test_saving_what_is_shown_changes_nothing(client: Client, policy: Policy) -> None:
    Policy.objects.filter(pk=policy.pk).update(
        caps=[{"limit": 3, "window": "week", "scope": "stage", "of": "cart"}],
        week=[["09:00", "18:00"]] * 6 + [None],
        prices={"US": "0.0083", "": "0.05"},
        cart_countries=[],
        strict=False,
        minimum_gap=30,
    )
    policy.refresh_from_db()
    client.post(address("edit", policy), {**filled_in(client, policy), "action-publish": "1"})
    again = Policy.objects.get(pk=policy.pk)
    for name in ("caps", "week", "prices", "cart_countries", "strict", "minimum_gap", "flow_order", "may_loosen"):
        assert getattr(again, name) == getattr(policy, name), name


def test_everything_on_the_page_is_kept(client: Client, policy: Policy) -> None:
    flow = Flow.objects.create(store=policy.store, name="Welcome")
    changes = {
        **week([["10:00", "19:00"]] * 5 + [None, ["22:00", "02:00"]]),
        **caps((2, "day", "all"), (1, "day", "priority:promo"), (3, "week", f"flow:{flow.pk}")),
        "minimum_gap": "90",
        "strict": "false",
        "holidays_off": "true",
        "cart_countries": "us, ca",
        "blocked_countries-none": "1",
        "exclusive_flows": [flow.pk],
        "flow_order": [flow.pk],
        "budget_day": "12.50",
        "prices-rows": "1",
        "prices-0-country": "us",
        "prices-0-price": "0.0083",
        "prices-1-price": "0.05",
    }
    response = client.post(address("edit", policy), {**filled_in(client, policy), **changes, "action-publish": "1"})
    assert response.status_code == 302, response.context["form"].errors
    policy.refresh_from_db()
    assert policy.week == [["10:00", "19:00"]] * 5 + [None, ["22:00", "02:00"]]
    assert policy.caps[1:] == [
        {"limit": 1, "window": "day", "scope": "priority", "of": "promo"},
        {"limit": 3, "window": "week", "scope": "flow", "of": str(flow.pk)},
    ]
    assert (policy.minimum_gap, policy.strict, policy.holidays_off, policy.quiet_service) == (90, False, True, None)
    assert (policy.cart_countries, policy.blocked_countries) == (["CA", "US"], [])
    assert (policy.exclusive_flows, policy.flow_order) == ([flow.pk], [flow.pk])
    assert policy.prices == {"US": "0.0083", "": "0.05"}
    rules = rules_of([policy.store])[policy.store_id].rules
    assert rules.week[5] is None and not rules.strict


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([("", "day", "all")], "Say how many texts."),
        ([("many", "day", "all")], "Write a whole number."),
        ([(0, "day", "all")], "greater than or equal to 1"),
        ([(2, "day", "all"), (3, "day", "all")], "There is a cap for this time already."),
        ([(6, "day", "all"), (5, "week", "all")], "less than what the cap for a shorter time allows"),
    ],
)
def test_a_wrong_cap_is_told_at_its_row_and_what_was_typed_stays(
    client: Client, policy: Policy, rows: list[Any], sentence: str
) -> None:
    data = filled_in(client, policy, **caps(*rows)) | {"action-publish": "1"}
    # the edge of a browser: a row that is empty as a whole is no row
    refused = client.post(address("edit", policy), {**data, "caps-9-limit": "", "caps-9-window": ""})
    page = refused.content.decode()
    assert sentence in page
    assert "Look at the rows that are marked." in page
    assert f'name="caps-{len(rows) - 1}-limit"' in page
    assert refused.context["form"].fields["caps"].widget.failed[-1]["limit"].value() == str(rows[-1][0])
    assert not policy.revisions.exists()


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        (week([["21:00", "21:00"]] * 7), "week", "The end must be another time than the beginning."),
        (week([["", "21:00"]] * 7), "week", "Write two times, or mark the day as closed."),
        ({"cart_countries": "US, XX"}, "cart_countries", "is not a country"),
        ({"prices-rows": "1", "prices-0-country": "US"}, "prices", "Say what a part costs."),
        ({"minimum_gap": "-5"}, "minimum_gap", "greater than or equal to 0"),
        ({"margin_floor": "120"}, "margin_floor", "less than or equal to 100"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_stands(
    client: Client, policy: Policy, changes: dict[str, Any], field: str, sentence: str
) -> None:
    refused = client.post(address("edit", policy), {**filled_in(client, policy), **changes})
    assert field in refused.context["form"].errors
    assert sentence in refused.content.decode().replace("&#x27;", "'")


def test_a_flow_of_another_store_is_no_choice(client: Client, policy: Policy) -> None:
    foreign = Flow.objects.create(store=make_store(name="Bolt", domain="bolt.myshopify.com"), name="Foreign")
    refused = client.post(address("edit", policy), filled_in(client, policy, **caps((1, "day", f"flow:{foreign.pk}"))))
    # it is shown as one that is not there, and its name is not told
    assert "Foreign" not in refused.content.decode() if refused.status_code == 200 else True
    client.post(address("edit", policy), filled_in(client, policy, flow_order=[foreign.pk], exclusive_flows=[]))
    assert policy.get_latest_revision_as_object().flow_order == []


def test_the_page_says_what_applies_and_what_the_site_overrules(client: Client, policy: Policy) -> None:
    Policy.objects.create(store=None, minimum_gap=120, caps=[{"limit": 2, "window": "day"}])
    Policy.objects.filter(pk=policy.pk).update(minimum_gap=30, caps=[{"limit": 5, "window": "day"}])
    page = client.get(address("edit", policy)).content.decode()
    assert "Now: 2 hours, from the site." in page
    assert "The site allows no more than this: 2 hours. That counts." in page
    assert "The site allows at most 2 texts in 24 hours. That counts." in page
    assert "Now: yes, built in." in page


def test_a_store_gets_its_rules_when_somebody_first_asks_for_them(client: Client, policy: Policy) -> None:
    store = policy.store
    policy.delete()
    response = client.get(reverse(LIST))
    made = Policy.objects.get(store=store)
    assert response.url == address("edit", made)
    assert client.get(response.url).status_code == 200


def test_nothing_is_made_for_whom_it_does_not_concern(store: Any) -> None:
    Policy.objects.all().delete()
    assert client_of(make_user("cora", "Copywriter", store)).get(reverse(LIST)).status_code == 302
    assert not Policy.objects.exists()


def test_support_sees_what_applies_and_changes_nothing(policy: Policy) -> None:
    client = client_of(make_user("sue", "Support", policy.store))
    assert client.get(reverse(LIST)).url == address("inspect", policy)
    assert client.get(address("edit", policy)).url == address("inspect", policy)
    page = client.get(address("inspect", policy)).content.decode()
    assert "at most 2 texts in 24 hours" in page and "built in" in page
    client.post(address("edit", policy), {"minimum_gap": "1", "action-publish": "1"})
    client.post(address("panic", policy), {"press": "1"})
    policy.refresh_from_db()
    assert policy.minimum_gap is None and not policy.revisions.exists()
    for view in ("panic", "effect", "history"):
        assert client.get(address(view, policy)).status_code == 302


@pytest.mark.parametrize("view", ["edit", "inspect", "try_it", "effect", "panic", "history"])
def test_a_copywriter_does_not_see_the_rules_at_all(policy: Policy, view: str) -> None:
    client = client_of(make_user("cora", "Copywriter", policy.store))
    assert client.get(address(view, policy)).status_code == 404
    assert "Governance" not in client.get(reverse("wagtailadmin_home")).content.decode()


def test_somebody_may_write_a_draft_and_not_publish_it(policy: Policy) -> None:
    user = make_user("dora", "Store admin", policy.store)
    role = user.store_memberships.get().role
    role.permissions.remove(Permission.objects.get(codename="publish_policy"))
    client = client_of(user)
    page = client.get(address("edit", policy)).content.decode()
    assert 'name="action-publish"' not in page
    client.post(address("edit", policy), filled_in(client, policy, minimum_gap="5") | {"action-publish": "1"})
    policy.refresh_from_db()
    assert policy.minimum_gap is None
    assert policy.get_latest_revision_as_object().minimum_gap == 5


def test_the_rules_of_the_site_are_for_those_with_the_right_everywhere(
    client: Client, policy: Policy, admin_client: Client
) -> None:
    admin_client.get(reverse(LIST))
    site = Policy.objects.get(store=None)
    assert client.get(address("edit", site)).status_code == 404
    form = admin_client.get(address("edit", site)).context["form"]
    assert "may_loosen" in form.fields and "flow_order" not in form.fields
    data = filled_in(admin_client, site, minimum_gap="45", may_loosen=["caps", "minimum_gap"])
    admin_client.post(address("edit", site), {**data, "action-publish": "1"})
    site.refresh_from_db()
    assert (site.minimum_gap, site.may_loosen) == (45, ["caps", "minimum_gap"])
    assert "may_loosen" not in client.get(address("edit", policy)).context["form"].fields


def test_rules_can_be_neither_added_nor_deleted_nor_unpublished(admin_client: Client, policy: Policy) -> None:
    page = admin_client.get(address("edit", policy)).content.decode()
    assert "Unpublish" not in page and "Delete" not in page
    bulk = reverse("wagtail_bulk_action", args=["smsflow", "policy", "delete"])
    admin_client.post(f"{bulk}?id={policy.pk}&next=/admin/")
    assert Policy.objects.filter(pk=policy.pk).exists()


def test_versions_are_compared_as_people_read_them(client: Client, policy: Policy) -> None:
    first, second = (Flow.objects.create(store=policy.store, name=name) for name in ("Welcome", "Cart"))
    edit = address("edit", policy)
    client.post(edit, filled_in(client, policy, **caps((2, "day", "all")), flow_order=[first.pk, second.pk]))
    days = week([["10:00", "19:00"]] * 7)
    changed = filled_in(client, policy, **caps((1, "day", "all")), flow_order=[second.pk, first.pk], **days)
    client.post(edit, changed)
    old, new = policy.revisions.order_by("pk").values_list("pk", flat=True)
    page = client.get(address("revisions_compare", policy, old, new)).content.decode()
    assert "at most 2 texts in 24 hours" in page and "at most 1 text in 24 hours" in page
    assert "every day 10:00–19:00" in page and "as above" in page
    assert "“Welcome”" in page
    assert "&#x27;limit&#x27;" not in page and "{" not in page.partition("<table")[2].partition("</table")[0]


@pytest.mark.parametrize("view", ["edit", "inspect", "history", "try_it", "effect"])
def test_the_list_of_rules_is_called_what_the_menu_calls_it(admin_client: Client, policy: Policy, view: str) -> None:
    assert "Policies" not in admin_client.get(address(view, policy)).content.decode()
    page = admin_client.get(reverse(LIST)).content.decode()
    assert "Policies" not in page and "Governance" in page


def test_autosave_keeps_a_draft_and_lets_nothing_count(client: Client, policy: Policy) -> None:
    data = filled_in(client, policy, minimum_gap="7")
    response = client.post(address("edit", policy), data, headers={"accept": "application/json"})
    assert response.json()["success"] is True
    policy.refresh_from_db()
    assert policy.minimum_gap is None and policy.has_unpublished_changes
    for rows, status in (((("", "day", "all"),), 200), ((("many", "day", "all"),), 400)):
        # a row that was just added is no mistake; what is wrong is not kept
        answer = client.post(address("edit", policy), {**data, **caps(*rows)}, headers={"accept": "application/json"})
        assert answer.status_code == status
    assert policy.get_latest_revision_as_object().minimum_gap == 7


def test_reading_the_page_takes_the_same_queries_for_any_number_of_flows(
    client: Client, policy: Policy, django_assert_max_num_queries: Any
) -> None:
    edit = address("edit", policy)
    for number in range(3):
        Flow.objects.create(store=policy.store, name=f"Flow {number}")
    client.get(edit)
    with django_assert_max_num_queries(60) as few:
        client.get(edit)
    for number in range(30):
        Flow.objects.create(store=policy.store, name=f"More {number}", priority="promo")
    with django_assert_max_num_queries(len(few)):
        client.get(edit)
    assert not PolicyVersion.objects.exists()
