"""What a draft would have changed: counted right, the same each time, with a bounded number of queries."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from smsflow_plugin.models import Contact, Decision, Enrollment, Event, Flow, Message, Policy, PolicyVersion, Store
from smsflow_plugin.simulation import effect as effects
from smsflow_plugin.simulation.effect import Effect, effect_of
from tests.conftest import NOON, TestClock
from tests.factories import make_contact, make_store
from tests.panel.forms import address
from tests.panel.test_try_it import flow_of

pytestmark = pytest.mark.django_db


class Week:
    """A store whose flows have texted people."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def text(self, flow: Flow, contact: Contact, at: datetime, **decided: Any) -> Enrollment:
        """Let a flow have texted somebody, or been told not to."""
        run = Enrollment.objects.create(
            store=self.store, flow=flow, version=flow.current_version, contact=contact, entry_key=str(at),
            entered_at=at - timedelta(hours=1), finished_at=at, status="finished",
        )  # fmt: skip
        decision = {"verdict": "allow", "reason": "allowed", "message_class": "marketing", **decided}
        self.decide(run, at, **decision)
        if decision["verdict"] == "allow":
            Message.objects.create(
                store=self.store, contact=contact, flow=flow, enrollment_id=run.pk, step="s", to=str(contact.phone),
                message_class=decision["message_class"], sender="1", body="Hello", state="delivered", queued_at=at,
            )  # fmt: skip
        return run

    def decide(self, run: Enrollment, at: datetime, **decided: Any) -> None:
        Decision.objects.create(
            store=self.store, contact=run.contact, flow=run.flow, enrollment=run, step="s", at=at, **decided
        )

    def effect(self, **draft: Any) -> Effect:
        policy = Policy.objects.get(store=self.store)
        for name, value in draft.items():
            setattr(policy, name, value)
        return effect_of(policy, [self.store])


@pytest.fixture
def week(store: Any, still: TestClock) -> Week:
    return Week(store)


@pytest.fixture
def promo(week: Week) -> Flow:
    return flow_of(week.store, "Sale", priority="promo")


@pytest.fixture
def grace(week: Week) -> Contact:
    return make_contact(week.store, first_name="Grace")


DAY_AGO = NOON - timedelta(days=1)


def test_a_draft_that_says_the_same_changes_nothing(week: Week, promo: Flow, grace: Contact) -> None:
    for hours in (0, 2, 30, 60):
        week.text(promo, grace, NOON - timedelta(hours=60) + timedelta(hours=hours))
    effect = week.effect()
    assert effect.texts == 4 and effect.changes_nothing


def test_a_lower_cap_makes_the_second_text_wait(week: Week, promo: Flow, grace: Contact) -> None:
    other = make_contact(week.store)
    for at in (DAY_AGO, DAY_AGO + timedelta(hours=2)):
        week.text(promo, grace, at)
    week.text(promo, other, DAY_AGO)
    effect = week.effect(caps=[{"limit": 1, "window": "day"}])
    assert (effect.texts, effect.waited, effect.dropped) == (3, {"cap_day": 1}, {})
    assert effect.flows == {promo.pk: {"waited": 1}}


def test_what_may_not_wait_is_dropped(week: Week, grace: Contact) -> None:
    flash = flow_of(week.store, "Flash", hold=60)
    for at in (DAY_AGO, DAY_AGO + timedelta(hours=2)):
        week.text(flash, grace, at)
    effect = week.effect(caps=[{"limit": 1, "window": "day"}])
    assert (effect.texts, effect.waited, effect.dropped) == (2, {}, {"stale": 1})


def test_texts_from_before_the_week_count_towards_caps(week: Week, promo: Flow, grace: Contact) -> None:
    week.text(promo, grace, NOON - timedelta(days=10))
    week.text(promo, grace, DAY_AGO)
    effect = week.effect(caps=[{"limit": 1, "window": "month"}])
    assert (effect.texts, effect.waited) == (1, {"cap_month": 1})


def test_a_text_that_was_put_off_is_one_text_and_wanted_when_it_was_first_asked_for(
    week: Week, promo: Flow, grace: Contact
) -> None:
    night, morning = NOON - timedelta(hours=13), NOON - timedelta(hours=2)
    run = week.text(promo, grace, morning)
    week.decide(run, night, verdict="defer", reason="quiet_hours", until=morning, message_class="marketing")
    effect = week.effect(week=[["06:00", "23:59"]] * 7)
    assert (effect.texts, effect.earlier, effect.waited) == (1, 1, {})


def test_a_looser_draft_sends_what_was_dropped(week: Week, grace: Contact) -> None:
    flash = flow_of(week.store, "Flash", hold=60)
    Policy.objects.filter(store=week.store).update(caps=[{"limit": 1, "window": "day"}])
    week.text(flash, grace, DAY_AGO)
    week.text(flash, grace, DAY_AGO + timedelta(hours=2), verdict="skip", reason="stale")
    effect = week.effect(caps=[{"limit": 2, "window": "day"}])
    assert (effect.texts, effect.after_all, effect.dropped) == (1, 1, {})


@pytest.mark.parametrize("reason", ["no_consent", "opted_out", "missing_data", "audience", "handed_over"])
def test_what_no_rule_of_a_policy_decides_is_left_out(week: Week, promo: Flow, grace: Contact, reason: str) -> None:
    week.text(promo, grace, DAY_AGO, verdict="skip", reason=reason)
    effect = week.effect(caps=[{"limit": 1, "window": "day"}])
    assert effect.texts == effect.after_all == 0


def test_a_more_important_flow_keeps_its_place_under_another_order(week: Week, grace: Contact) -> None:
    first, second = flow_of(week.store, "First"), flow_of(week.store, "Second")
    week.text(first, grace, DAY_AGO)
    week.text(second, grace, DAY_AGO)
    rules = {"minimum_gap": 30}
    forwards = week.effect(**rules, flow_order=[first.pk, second.pk])
    assert forwards.flows == {} or first.pk not in forwards.flows
    backwards = week.effect(**rules, flow_order=[second.pk, first.pk])
    assert backwards.flows[first.pk]["waited"] == 1


def test_recent_buyers_are_known_as_they_were_then(week: Week, promo: Flow, grace: Contact) -> None:
    at = DAY_AGO - timedelta(hours=3)
    Event.objects.create(store=week.store, contact=grace, kind="order_created", key="o", occurred_at=at, data={})
    week.text(promo, grace, at - timedelta(hours=20))
    week.text(promo, grace, DAY_AGO)
    effect = week.effect(recent_buyer_hours=24)
    assert (effect.texts, effect.dropped) == (2, {"recent_buyer": 1})


def test_the_same_draft_gives_the_same_answer_and_writes_nothing(week: Week, promo: Flow) -> None:
    for number in range(6):
        contact = make_contact(week.store)
        for hours in range(0, 30, 5):
            week.text(promo, contact, DAY_AGO - timedelta(hours=hours, minutes=number))
    draft = {"caps": [{"limit": 1, "window": "day"}], "minimum_gap": 300}
    assert week.effect(**draft) == week.effect(**draft)
    assert not PolicyVersion.objects.exists()


def test_only_the_newest_texts_are_looked_at_and_that_is_said(
    week: Week, promo: Flow, grace: Contact, monkeypatch: Any
) -> None:
    monkeypatch.setattr(effects, "MOST_TEXTS", 2)
    monkeypatch.setattr(effects, "MOST_ROWS", 3)
    for hours in range(0, 120, 24):
        week.text(promo, grace, NOON - timedelta(hours=hours + 1))
    effect = week.effect()
    assert effect.cut and effect.texts == 2


def test_texts_of_test_runs_of_other_stores_and_of_older_days_are_not_counted(
    week: Week, promo: Flow, grace: Contact
) -> None:
    run = week.text(promo, grace, DAY_AGO)
    Enrollment.objects.filter(pk=run.pk).update(test_pace=60)
    week.text(promo, grace, NOON - timedelta(days=8))
    other = Week(make_store(name="Bolt", domain="bolt.myshopify.com"))
    other.text(flow_of(other.store, "Theirs"), make_contact(other.store), DAY_AGO)
    assert week.effect().texts == 0
    assert other.effect().texts == 1


def test_more_texts_take_no_more_queries(week: Week, promo: Flow, django_assert_max_num_queries: Any) -> None:
    week.text(promo, make_contact(week.store), DAY_AGO)
    policy = Policy.objects.get(store=week.store)
    with django_assert_max_num_queries(11):
        effect_of(policy, [week.store])
    for _number in range(10):
        contact = make_contact(week.store)
        for hours in range(0, 50, 10):
            week.text(promo, contact, DAY_AGO - timedelta(hours=hours))
    with django_assert_max_num_queries(11):
        assert effect_of(policy, [week.store]).texts == 51


def test_the_page_says_it_in_a_sentence(week: Week, promo: Flow, grace: Contact, client: Client) -> None:
    policy = Policy.objects.get(store=week.store)
    for at in (DAY_AGO, DAY_AGO + timedelta(hours=2)):
        week.text(promo, grace, at)
    policy.caps = [{"limit": 1, "window": "day"}]
    policy.save_revision()
    page = " ".join(client.get(address("effect", policy)).content.decode().split())
    assert "Of last week's <strong>2</strong> texts," in page
    assert "<strong>1</strong> would have waited longer and <strong>0</strong> been dropped." in page
    assert "The limit for 24 hours is reached" in page and "Sale" in page


def test_a_draft_of_the_site_is_asked_about_all_its_stores(
    week: Week, promo: Flow, grace: Contact, admin_client: Client
) -> None:
    site = Policy.objects.create(store=None)
    for at in (DAY_AGO, DAY_AGO + timedelta(hours=2)):
        week.text(promo, grace, at)
    site.caps = [{"limit": 1, "window": "day"}]
    site.save_revision()
    page = " ".join(admin_client.get(address("effect", site)).content.decode().split())
    assert "<strong>1</strong> would have waited longer" in page
