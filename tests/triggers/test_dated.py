"""Dates, lapses and empty cupboards: who enters, when, and never twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.engine.dated import enroll_by_date
from smsflow_plugin.engine.facts import Programs
from smsflow_plugin.flows.program import Reentry, Trigger
from smsflow_plugin.models import Contact, ContactDate, Decision, Enrollment, Event, Flow, Store
from tests.conftest import NOON, TestClock
from tests.factories import make_contact
from tests.triggers.helpers import happened, make_flow, on_date, set_date, told

pytestmark = pytest.mark.django_db

NEW_YORK = "America/New_York"


def test_a_birthday_starts_the_flow_once_at_nine_where_the_person_lives(store: Store, still: TestClock) -> None:
    flow = make_flow(store, on_date())
    ada, eve = make_contact(store), make_contact(store, timezone="America/Los_Angeles")
    for contact in (ada, eve):
        set_date(contact, "birthday", "1990-03-05")
    still.at = datetime(2026, 3, 5, 13, 59, tzinfo=UTC)
    assert enroll_by_date() == 0
    still.move(minutes=1)
    assert enroll_by_date() == 1
    assert told("date_due") == [ada.pk]
    still.move(hours=3)
    assert (enroll_by_date(), enroll_by_date()) == (1, 0)
    assert set(Enrollment.objects.values_list("flow_id", "contact_id")) == {(flow.pk, ada.pk), (flow.pk, eve.pk)}
    event = Event.objects.get(contact=ada)
    assert event.data == {"flow": flow.pk, "field": "birthday", "date": "2026-03-05"}
    assert event.occurred_at == datetime(2026, 3, 5, 14, tzinfo=UTC)


def test_a_birthday_comes_again_next_year_and_not_earlier(store: Store, still: TestClock) -> None:
    make_flow(store, on_date())
    ada = make_contact(store)
    set_date(ada, "birthday", "1990-03-04")
    entered = []
    for day in (0, 1, 2, 180, 364, 365, 366, 730, 731, 732):
        still.at = NOON + timedelta(days=day)
        if enroll_by_date():
            entered.append(still.at.date().isoformat())
    assert entered == ["2026-03-04", "2027-03-04", "2028-03-04"]


def test_a_birthday_that_is_corrected_is_not_kept_twice_in_a_year(store: Store, still: TestClock) -> None:
    make_flow(store, on_date())
    ada = make_contact(store)
    set_date(ada, "birthday", "1990-03-04")
    assert enroll_by_date() == 1
    set_date(ada, "birthday", "1990-03-06")
    still.move(days=2)
    assert enroll_by_date() == 0


def test_a_date_that_moves_starts_the_flow_on_its_new_day(store: Store, still: TestClock) -> None:
    make_flow(store, on_date("fitting", amount=-1, yearly=False), reentry=Reentry("subject"))
    ada = make_contact(store)
    set_date(ada, "fitting", "2026-03-06")
    set_date(ada, "fitting", "2026-03-09")
    still.move(days=1)
    assert enroll_by_date() == 0
    still.at = NOON + timedelta(days=4)
    assert enroll_by_date() == 1
    assert Event.objects.get().subject == "fitting:2026-03-09"


def test_what_a_stopped_worker_missed_is_caught_up_with_for_two_days(store: Store, still: TestClock) -> None:
    make_flow(store, on_date())
    ada, eve = make_contact(store), make_contact(store)
    set_date(ada, "birthday", "1990-03-05")
    set_date(eve, "birthday", "1990-03-07")
    still.at = NOON + timedelta(days=3, hours=20)
    assert enroll_by_date() == 1
    assert told("date_due") == [eve.pk]


def test_nobody_is_greeted_for_a_day_before_the_flow_was_published(store: Store, still: TestClock) -> None:
    make_flow(store, on_date(), published_at=NOON - timedelta(hours=1))
    ada = make_contact(store)
    set_date(ada, "birthday", "1990-03-04")
    assert enroll_by_date() == 0


@pytest.mark.parametrize("values", [{"live": False}, {"paused_at": NOON}])
def test_a_flow_that_takes_nobody_in_finds_nobody(store: Store, values: dict[str, Any]) -> None:
    flow = make_flow(store, on_date())
    Flow.objects.filter(pk=flow.pk).update(**values)
    set_date(make_contact(store), "birthday", "1990-03-04")
    assert enroll_by_date() == 0


def test_the_audience_is_asked_and_the_refusal_kept(store: Store) -> None:
    make_flow(store, on_date(), audience={"tag": "vip"})
    vip, other = make_contact(store, tags=["VIP"]), make_contact(store)
    for contact in (vip, other):
        set_date(contact, "birthday", "1990-03-04")
    assert enroll_by_date() == 2
    assert [run.contact_id for run in Enrollment.objects.all()] == [vip.pk]
    assert [decision.contact_id for decision in Decision.objects.filter(reason="audience")] == [other.pk]


def test_only_the_flow_that_the_date_is_for_starts(store: Store) -> None:
    birthday = make_flow(store, on_date())
    make_flow(store, on_date("anniversary"))
    set_date(make_contact(store), "birthday", "1990-03-04")
    enroll_by_date()
    assert [run.flow_id for run in Enrollment.objects.all()] == [birthday.pk]


def test_two_triggers_on_the_same_date_are_two_occasions(store: Store, still: TestClock) -> None:
    make_flow(store, on_date(amount=-7), on_date())
    set_date(make_contact(store), "birthday", "1990-03-11")
    assert enroll_by_date() == 1
    still.move(days=7)
    assert enroll_by_date() == 1


def test_a_trigger_that_cannot_be_read_holds_nobody_up(store: Store) -> None:
    make_flow(store, Trigger("date_due", options={"field": "birthday", "time": "noon", "yearly": True}))
    make_flow(store, on_date())
    set_date(make_contact(store), "birthday", "1990-03-04")
    assert enroll_by_date() == 1


def test_a_lapse_starts_the_flow_once_for_each_pause(store: Store, still: TestClock) -> None:
    flow = make_flow(store, Trigger("lapsed", options={"days": 90}))
    ada = make_contact(store, last_order_at=NOON - timedelta(days=90))
    make_contact(store, last_order_at=NOON - timedelta(days=89))
    make_contact(store, last_order_at=NOON - timedelta(days=93))
    make_contact(store)
    assert (enroll_by_date(), enroll_by_date()) == (1, 0)
    assert told("lapsed") == [ada.pk]
    assert Event.objects.get().data == {"flow": flow.pk, "days": 90}
    happened(store, ada, "order_created", NOON, order={"total": "10.00"})
    still.at = NOON + timedelta(days=90)
    Contact.objects.exclude(pk=ada.pk).update(last_order_at=None)
    assert enroll_by_date() == 1


def test_what_was_bought_is_replenished_by_the_own_pace_of_the_person(store: Store, still: TestClock) -> None:
    flow = make_flow(store, Trigger("replenishment_due", options={"early_days": 3, "default_days": 60}))
    ada = make_contact(store)
    for days, name in ((60, "#1"), (30, "#2")):
        happened(store, ada, "order_created", NOON - timedelta(days=days), subject=name, order={"name": name})
    eve = make_contact(store)
    happened(store, eve, "order_created", NOON - timedelta(days=30), subject="#9", order={"name": "#9"})
    still.at = NOON - timedelta(days=3, seconds=1)
    assert enroll_by_date() == 0
    still.at = NOON - timedelta(days=3)
    assert (enroll_by_date(), enroll_by_date()) == (1, 0)
    event = Event.objects.get(kind="replenishment_due")
    assert (event.contact_id, event.subject) == (ada.pk, "#2")
    assert event.data == {"flow": flow.pk, "order": {"name": "#2"}}
    still.at = NOON + timedelta(days=27)
    assert enroll_by_date() == 1
    assert told("replenishment_due") == [ada.pk, eve.pk]


def test_nobody_is_asked_to_buy_again_right_after_the_order(store: Store, still: TestClock) -> None:
    make_flow(store, Trigger("replenishment_due", options={"early_days": 30, "default_days": 20}))
    ada = make_contact(store)
    happened(store, ada, "order_created", NOON)
    assert enroll_by_date() == 0
    still.move(days=10)
    assert enroll_by_date() == 1


def test_the_number_of_statements_does_not_grow_with_the_people(store: Store) -> None:
    triggers = (
        on_date(),
        on_date("fitting", yearly=False),
        Trigger("lapsed", options={"days": 30}),
        Trigger("replenishment_due", options={"early_days": 0, "default_days": 0}),
    )
    make_flow(store, *triggers)
    counted = []
    for people in (2, 60):
        for _ in range(people):
            contact = make_contact(
                store,
                last_order_at=NOON - timedelta(days=30),
                order_times=[1, 2],
                replenish_at=NOON - timedelta(hours=1),
            )
            set_date(contact, "birthday", "1990-03-04")
            set_date(contact, "fitting", "2026-03-04")
        Programs._kept.clear()
        with CaptureQueriesContext(connection) as queries:
            assert enroll_by_date() == 4 * people
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_a_look_at_ten_times_as_many_people_reads_only_todays(store: Store) -> None:
    """The plan, not the clock: the date's index is searched, and nothing else of that table is read."""
    make_flow(store, on_date(), on_date("fitting", yearly=False), Trigger("lapsed", options={"days": 30}))
    contacts = [make_contact(store, last_order_at=NOON - timedelta(days=n)) for n in range(300)]
    ContactDate.objects.bulk_create(
        ContactDate(
            store=store,
            contact=contact,
            name=name,
            at=NOON - timedelta(days=n),
            month_day=100 * (1 + n % 12) + 1 + n % 28,
        )
        for n, contact in enumerate(contacts)
        for name in ("birthday", "fitting")
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as queries:
        enroll_by_date()
    marks = ('"month_day" IN', '"at" >=', '"last_order_at" >')
    searched = [next(q["sql"] for q in queries if mark in q["sql"]) for mark in marks]
    indexes = ("smsflow_date_yearly", "smsflow_date_once", "smsflow_contact_lapsed")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        for sql, index in zip(searched, indexes, strict=True):
            cursor.execute(("EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN ") + sql)
            plan = "\n".join(str(row) for row in cursor.fetchall())
            assert index in plan, plan
