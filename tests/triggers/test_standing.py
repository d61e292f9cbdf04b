"""What is counted and kept about people as things happen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.engine.habits import best_hour, count_hour, learn, remember_order, used_up_at
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.events.facts import Consent, Happening, Person, PersonFact
from smsflow_plugin.flows.program import Trigger
from smsflow_plugin.models import Contact, ContactDate, Delivery, Enrollment, Event, Store
from tests.conftest import NOON, TestClock
from tests.factories import make_contact
from tests.triggers.helpers import FACTS, happened, make_flow, take_in

pytestmark = pytest.mark.django_db


def order(store: Store, contact: Contact, days: int, total: str = "10.00", currency: str = "USD") -> None:
    happened(store, contact, "order_created", NOON - timedelta(days=days), order={"total": total, "currency": currency})


def says(contact: Contact, **values: Any) -> PersonFact:
    return PersonFact(Person(phone=contact.phone, **values))


def test_orders_add_up_in_the_currency_of_the_store(store: Store) -> None:
    ada = make_contact(store)
    order(store, ada, 10, "19.90")
    order(store, ada, 40, "0.10")
    order(store, ada, 5, "500", "DKK")
    ada.refresh_from_db()
    assert (ada.orders_count, ada.total_spent) == (3, Decimal("20.00"))
    assert (ada.first_order_at, ada.last_order_at) == (NOON - timedelta(days=40), NOON - timedelta(days=5))
    assert ada.replenish_at == NOON - timedelta(days=5) + timedelta(days=17, hours=12)


@pytest.mark.parametrize("total", ["NaN", "-5", "lots", None, [], "1e30"])
def test_a_total_that_is_no_price_breaks_nothing(store: Store, total: Any) -> None:
    ada = make_contact(store)
    happened(store, ada, "order_created", NOON, order={"total": total})
    ada.refresh_from_db()
    assert (ada.orders_count, ada.total_spent >= 0) == (1, True)


def test_dates_of_everybody_are_kept_as_they_come(store: Store) -> None:
    ada = make_contact(store, timezone="America/New_York")
    happened(store, ada, "customer_created", datetime(2026, 3, 2, 3, tzinfo=UTC))
    consent = Consent("granted", "marketing", "checkout", NOON, key="c")
    happening = Happening("opted_in", "c", NOON)
    Contact.objects.update(marketing_consent="unknown", consent_changed_at=None)
    take_in(store, PersonFact(Person(phone=ada.phone), (consent,), (happening,)))
    order(store, ada, 10)
    order(store, ada, 20)
    dates = dict(ContactDate.objects.values_list("name", "month_day"))
    assert dates == {"signed_up": 301, "opted_in": 304, "first_order": 212}
    ada.refresh_from_db()
    assert ada.consent_source == "checkout"


def test_own_fields_with_a_date_follow_its_changes(store: Store) -> None:
    ada = make_contact(store)
    take_in(store, says(ada, fields={"birthday": "1990-05-17", "size": "M"}))
    assert dict(ContactDate.objects.values_list("name", "month_day")) == {"birthday": 517}
    take_in(store, says(ada, fields={"birthday": "1990-05-18"}))
    assert dict(ContactDate.objects.values_list("name", "month_day")) == {"birthday": 518}
    take_in(store, says(ada, fields={"birthday": None}))
    assert not ContactDate.objects.exists()
    ada.refresh_from_db()
    assert ada.fields == {"size": "M"}
    changed = Event.objects.filter(kind="field_changed").order_by("pk").values_list("data", flat=True)
    assert [(data["field"], data["value"]) for data in changed] == [
        ("birthday", "1990-05-17"), ("size", "M"), ("birthday", "1990-05-18"), ("birthday", None),
    ]  # fmt: skip


def test_tags_that_really_change_start_flows_once(store: Store) -> None:
    flow = make_flow(store, Trigger("tag_added", {"field": "trigger.tag", "op": "eq", "value": "vip"}))
    ada = make_contact(store, tags=["press"])
    take_in(store, says(ada, tags_added=("VIP", "Press")))
    take_in(store, says(ada, tags_added=("vip",)))
    ada.refresh_from_db()
    assert ada.tags == ["press", "VIP"]
    assert [run.flow_id for run in Enrollment.objects.all()] == [flow.pk]
    take_in(store, says(ada, tags_removed=("vip", "nothing")))
    assert list(Event.objects.order_by("pk").values_list("kind", "data__tag")) == [
        ("tag_added", "VIP"), ("tag_removed", "VIP"),
    ]  # fmt: skip


def test_a_profile_with_other_tags_says_which_came_and_which_went(store: Store) -> None:
    ada = make_contact(store, tags=["old"])
    take_in(store, says(ada, tags=("new",), profile_at=NOON, owns_phone=True))
    assert set(Event.objects.values_list("kind", "data__tag")) == {("tag_added", "new"), ("tag_removed", "old")}


@pytest.mark.parametrize(
    ("said", "dated", "kept"),
    [
        ("granted", True, "granted"),
        ("granted", False, "revoked"),
        ("revoked", False, "revoked"),
        (None, True, "revoked"),
    ],
)
def test_consent_to_emails_is_kept_and_no_undated_word_undoes_a_refusal(
    store: Store, said: str | None, dated: bool, kept: str
) -> None:
    ada = make_contact(store, email_consent="revoked")
    take_in(store, says(ada, email_consent=said, profile_at=NOON if dated else None, owns_phone=True))
    ada.refresh_from_db()
    assert ada.email_consent == kept


def test_active_hours_are_those_of_the_person(store: Store) -> None:
    ada = make_contact(store, timezone="Asia/Tokyo")
    happened(store, ada, "checkout_updated", NOON)
    happened(store, ada, "product_viewed", NOON)
    ada.refresh_from_db()
    assert [hour for hour, times in enumerate(ada.active_hours) if times] == [1]


def test_stores_learn_when_their_people_react_once_a_day(store: Store, danish_store: Store, still: TestClock) -> None:
    evening, noon = [0] * 24, [0] * 24
    evening[19], noon[12] = 30, 30
    for _ in range(2):
        make_contact(store, active_hours=evening)
    make_contact(store, active_hours=noon)
    make_contact(danish_store, active_hours=noon)
    assert learn() == 1
    store.refresh_from_db()
    danish_store.refresh_from_db()
    assert (store.best_hour, danish_store.best_hour) == (19, None), "thirty times is too little to say"
    Contact.objects.update(active_hours=noon)
    assert learn() == 0
    still.move(days=1)
    assert learn() == 1


def test_the_statements_of_a_batch_do_not_grow_with_its_people(store: Store) -> None:
    counted = []
    for people in (2, 40):
        for n in range(people):
            contact = make_contact(store)
            order_fact = Happening("order_created", f"o{contact.pk}", NOON, data={"order": {"total": "5.00"}})
            view = Happening(
                "product_viewed", f"v{contact.pk}", NOON, data={"product": {"variant_id": "1", "price": "5"}}
            )
            person = Person(phone=contact.phone, fields={"birthday": "1990-01-01"}, tags_added=("vip",))
            name = f"batch-{people}-{n}"
            FACTS[name] = (PersonFact(person, happenings=(order_fact, view)),)
            Delivery.objects.create(store=store, source="test", external_id=name, body=name.encode())
        with CaptureQueriesContext(connection) as queries:
            assert ingest() == people
        counted.append(len(queries))
    assert ContactDate.objects.count() == 84
    assert counted[0] == counted[1]


@given(st.lists(st.integers(0, 2_000_000_000), min_size=2, max_size=40))
def test_nothing_is_used_up_before_the_order_or_after_a_year(times: list[int]) -> None:
    kept: list[int] = []
    for moment in times:
        kept = remember_order(kept, datetime.fromtimestamp(moment, UTC))
    assert kept == sorted(set(kept))
    assert len(kept) <= 12
    due = used_up_at(kept)
    if len(kept) < 2:
        assert due is None
    else:
        assert due is not None
        assert timedelta(days=5) <= due - datetime.fromtimestamp(kept[-1], UTC) <= timedelta(days=365)


@given(st.lists(st.integers(0, 23), max_size=60))
def test_the_best_hour_is_one_near_which_something_happened(hours: list[int]) -> None:
    counted: list[int] = []
    for hour in hours:
        counted = count_hour(counted, datetime(2026, 1, 1, hour, tzinfo=UTC))
    best = best_hour(counted)
    assert (best is None) is (len(hours) < 3)
    assert best is None or any((best - hour) % 24 in (0, 1, 23) for hour in hours)
