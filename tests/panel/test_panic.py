"""The panic switch: who may press it, that two presses are one, and what everybody sees meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from smsflow_plugin.engine.releasing import ReleasePanic
from smsflow_plugin.governance.actions import PressPanic
from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.models import PanicStop, Policy, StoreLogEntry
from tests.admin.people import client_of, make_user
from tests.factories import make_store
from tests.panel.forms import address

pytestmark = pytest.mark.django_db


def test_pressing_asks_first_and_then_stops_everything(client: Client, policy: Policy) -> None:
    page = client.get(address("panic", policy)).content.decode()
    assert "No text of Sierra Gear leaves" in page
    assert not PanicStop.objects.exists()
    client.post(address("panic", policy), {"press": "1", "reason": "Wrong price in the news."})
    stop = PanicStop.objects.get()
    assert (stop.store, stop.reason, stop.stopped_by.username) == (policy.store, "Wrong price in the news.", "ada")
    assert rules_of([policy.store])[policy.store_id].situation.panic
    entry = StoreLogEntry.objects.get(action="smsflow.press_panic")
    assert (entry.store, entry.data) == (policy.store, {"reason": "Wrong price in the news."})


def test_releasing_lets_texts_go_again_and_is_logged(client: Client, policy: Policy) -> None:
    client.post(address("panic", policy), {"press": "1"})
    assert "Let texts go again" in client.get(address("panic", policy)).content.decode()
    client.post(address("panic", policy), {"release": "1"})
    stop = PanicStop.objects.get()
    assert stop.released_at and stop.released_by.username == "ada"
    assert not rules_of([policy.store])[policy.store_id].situation.panic
    assert StoreLogEntry.objects.filter(action="smsflow.release_panic").count() == 1


def test_two_who_press_at_once_are_one_stop_and_none_of_them_releases(client: Client, policy: Policy) -> None:
    client.post(address("panic", policy), {"press": "1", "reason": "First"})
    client.post(address("panic", policy), {"press": "1", "reason": "Second"})
    assert [stop.reason for stop in PanicStop.objects.filter(released_at=None)] == ["First"]
    assert StoreLogEntry.objects.filter(action="smsflow.press_panic").count() == 1


@pytest.mark.parametrize("of_site", [False, True])
def test_the_database_keeps_a_second_stop_out(policy: Policy, of_site: bool) -> None:
    store = None if of_site else policy.store
    PanicStop.objects.create(store=store)
    with pytest.raises(IntegrityError), transaction.atomic():
        PanicStop.objects.create(store=store)


def test_a_switch_can_be_pressed_again_after_its_release(policy: Policy) -> None:
    for _round in range(2):
        PressPanic(policy).execute(skip_permission_checks=True)
        assert ReleasePanic(policy).execute(skip_permission_checks=True) == 1
    assert ReleasePanic(policy).execute(skip_permission_checks=True) == 0
    assert PanicStop.objects.count() == 2


@pytest.mark.parametrize("role", ["Copywriter", "Support"])
def test_who_may_not_change_rules_neither_presses_nor_releases(policy: Policy, role: str) -> None:
    user = make_user("somebody", role, policy.store)
    with pytest.raises(PermissionDenied):
        PressPanic(policy, user).execute()
    PanicStop.objects.create(store=policy.store)
    with pytest.raises(PermissionDenied):
        ReleasePanic(policy, user).execute()


def test_a_store_admin_does_not_stop_the_site(client: Client, ada: Any, policy: Policy) -> None:
    site = Policy.objects.create(store=None)
    with pytest.raises(PermissionDenied):
        PressPanic(site, ada).execute()
    assert client.post(address("panic", site), {"press": "1"}).status_code == 404


def test_the_sites_switch_stops_every_store(admin_client: Client, client: Client, policy: Policy) -> None:
    site = Policy.objects.create(store=None)
    admin_client.post(address("panic", site), {"press": "1", "reason": "Maintenance"})
    assert rules_of([policy.store])[policy.store_id].situation.panic
    page = client.get(reverse("smsflow_messages:index")).content.decode()
    assert "All texts of all stores are stopped. Why: Maintenance" in page


def test_every_page_about_texts_says_that_they_are_stopped(client: Client, policy: Policy) -> None:
    PressPanic(policy).execute(skip_permission_checks=True)
    other = make_store(name="Bolt", domain="bolt.myshopify.com")
    PanicStop.objects.create(store=other)
    for name in ("smsflow_contacts:index", "smsflow_stores:index", "wagtailsnippets_smsflow_flow:list"):
        page = client.get(reverse(name)).content.decode()
        assert page.count("All texts of Sierra Gear are stopped.") == 1, name
        assert "Bolt" not in page
    # pieces of pages carry no message, and leave none for the next page
    client.get(reverse("smsflow_contacts:index_results"))
    page = client.get(reverse("smsflow_contacts:index")).content.decode()
    assert page.count("All texts of Sierra Gear are stopped.") == 1


def test_the_reason_is_shown_as_it_was_written(client: Client, policy: Policy) -> None:
    PressPanic(policy, reason="<script>alert(1)</script>").execute(skip_permission_checks=True)
    page = client.get(reverse("smsflow_contacts:index")).content.decode()
    assert "<script>alert(1)" not in page


def test_support_is_told_and_led_nowhere_where_it_may_not_be(policy: Policy) -> None:
    PressPanic(policy).execute(skip_permission_checks=True)
    client = client_of(make_user("sue", "Support", policy.store))
    page = client.get(reverse("smsflow_messages:index")).content.decode()
    assert "All texts of Sierra Gear are stopped." in page
    assert address("inspect", policy) in page and address("edit", policy) not in page
