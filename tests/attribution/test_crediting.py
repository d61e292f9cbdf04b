"""Orders, refunds, clicks and answers as they come through the inbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_plugin.attribution import orders, reactions
from smsflow_plugin.attribution.crediting import credit
from smsflow_plugin.attribution.recompute import recompute, recompute_changed
from smsflow_plugin.engine import offers
from smsflow_plugin.engine.erasing import erase
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.engine.merging import move
from smsflow_plugin.events.about_orders import about_orders
from smsflow_plugin.events.facts import Report
from smsflow_plugin.events.models import OF_ORDERS
from smsflow_plugin.events.reports import ReportStatus
from smsflow_plugin.models import Batch, Contact, Conversion, Event, Incentive, Message, Store
from tests.conftest import NOON
from tests.engine.helpers import deliver, happened, texted
from tests.factories import make_contact, make_store

pytestmark = pytest.mark.django_db

PHONE = "+12025550101"


def ago(**delta: float) -> datetime:
    return NOON - timedelta(**delta)


@pytest.fixture
def ada(store: Store) -> Contact:
    return make_contact(store, phone=PHONE)


def sent(contact: Contact, at: datetime, **values: Any) -> Message:
    defaults = {
        "message_class": "marketing", "sender": "+12025550100", "to": contact.phone or "", "body": "Sale",
        "state": "delivered", "queued_at": at, "accepted_at": at, "finished_at": at, "step": "s1", "version_id": 3,
        "key": f"{contact.pk}:{at}:{Message.objects.count()}",
    }  # fmt: skip
    return Message.objects.create(store=contact.store, contact=contact, **{**defaults, **values})


def clicked(message: Message, at: datetime, *, phone: str = PHONE) -> None:
    happened(
        message.store, "link_clicked", at=at, data={"message": message.pk, "url": "https://x.example"}, phone=phone
    )


def ordered(store: Store, number: str = "1001", at: datetime = NOON, total: str = "100.00", **values: Any) -> None:
    codes = values.pop("codes", [])
    data = {"order": {"total": total, "currency": "USD", "discount_codes": codes}}
    identities = (("order", number),)
    happened(
        store, "order_created", at=at, key=number, subject=number, data=data,
        **{"phone": PHONE, "identities": identities, **values},
    )  # fmt: skip


def refunded(store: Store, amount: str, number: str = "1001", at: datetime = NOON, key: str = "r1") -> None:
    data = {"order": {"total": None, "currency": "USD", "refunded": amount}}
    happened(
        store, "order_refunded", at=at, key=key, subject=number, data=data, phone=None, identities=(("order", number),)
    )


def cancelled(store: Store, number: str = "1001", at: datetime = NOON) -> None:
    happened(store, "order_cancelled", at=at, key=number, subject=number, phone=None, identities=(("order", number),))


def read() -> None:
    while ingest():
        pass


def credits() -> list[tuple[Any, ...]]:
    rows = Conversion.objects.order_by("order").values_list("order", "message_id", "model", "revenue", "cancelled")
    return list(rows)


def test_an_order_is_credited_to_the_text_that_was_clicked_last(store: Store, ada: Contact) -> None:
    first, second = sent(ada, ago(days=3)), sent(ada, ago(days=1), variant="B")
    clicked(second, ago(hours=20))
    clicked(first, ago(hours=2))
    ordered(store)
    read()
    conversion = Conversion.objects.get()
    assert (conversion.message_id, conversion.model, conversion.contact) == (first.pk, "click", ada)
    assert (conversion.revenue, conversion.sent_at, conversion.clicked_at) == (100, first.queued_at, ago(hours=2))
    assert (conversion.step, conversion.version_id, conversion.message_class) == ("s1", 3, "marketing")
    assert [click["message"] for click in conversion.because["clicks"]] == [first.pk, second.pk]
    first.refresh_from_db()
    assert first.clicked_at == ago(hours=2)


def test_refunds_and_cancellations_take_back_what_they_take(store: Store, ada: Contact) -> None:
    clicked(sent(ada, ago(days=1)), ago(hours=2))
    ordered(store)
    refunded(store, "30.00")
    read()
    assert credits()[0][3:] == (Decimal("70.00"), False)
    refunded(store, "20.00", key="r2")
    refunded(store, "20.00", key="r2")  # the shop tells everything twice now and then
    read()
    assert credits()[0][3:] == (Decimal("50.00"), False)
    cancelled(store)
    read()
    assert credits()[0][3:] == (Decimal(0), True)


def test_a_refund_that_is_heard_of_before_its_order_is_not_lost(store: Store, ada: Contact) -> None:
    clicked(sent(ada, ago(days=1)), ago(hours=2))
    read()
    refunded(store, "30.00")
    read()
    ordered(store)
    read()
    assert credits()[0][3] == 70


def test_a_click_that_is_heard_of_late_still_counts(store: Store, ada: Contact) -> None:
    message = sent(ada, ago(days=1))
    ordered(store)
    read()
    assert not credits()
    clicked(message, ago(hours=2))
    read()
    assert credits()[0][:3] == ("1001", message.pk, "click")


def test_mere_delivery_earns_nothing_unless_the_store_says_so(store: Store, ada: Contact) -> None:
    message = sent(ada, ago(hours=3))
    ordered(store)
    read()
    assert not credits()
    store.attribution_delivered_hours = 24
    store.save()
    assert recompute(store, offers.gifts) == 1
    assert credits()[0][1:3] == (message.pk, "delivered")


def test_a_delivery_that_is_reported_after_the_order_earns_it_and_locks_people_before_texts(
    store: Store, ada: Contact
) -> None:
    store.attribution_delivered_hours = 24
    store.save()
    batch = Batch.objects.create(store=store, connection=store.connections.get(kind="sinch"), state="accepted", size=1)
    message = sent(ada, ago(hours=3), state="accepted", finished_at=None, batch=batch)
    ordered(store)
    read()
    assert not credits()
    deliver(store, Report(PHONE, ReportStatus.DELIVERED, ago(hours=2), reference=str(batch.reference)))
    with CaptureQueriesContext(connection) as queries:
        read()
    assert credits()[0][1:3] == (message.pk, "delivered")
    asked = [query["sql"] for query in queries]
    people = next(place for place, sql in enumerate(asked) if 'FROM "smsflow_contact"' in sql and "ORDER BY" in sql)
    calls = next(place for place, sql in enumerate(asked) if 'FROM "smsflow_batch"' in sql and "ORDER BY" in sql)
    assert people < calls, "contacts are locked before calls and texts, as everywhere"


def test_stores_that_look_back_otherwise_have_their_orders_credited_anew(store: Store, ada: Contact) -> None:
    clicked(sent(ada, ago(days=4)), ago(days=3))
    ordered(store)
    read()
    assert recompute_changed(offers.gifts) == 1  # nobody knows yet by which window they were credited
    assert recompute_changed(offers.gifts) == 0
    store.attribution_days = 2
    store.save()
    assert recompute_changed(offers.gifts) == 1
    assert not credits()


def test_a_code_that_was_given_to_the_person_tells_which_text(store: Store, ada: Contact) -> None:
    told = sent(ada, ago(days=9), body="Use SPRING-7 today")
    sent(ada, ago(days=1))
    Incentive.objects.create(
        store=store, contact=ada, step="o", kind="percent", code="SPRING-7", code_key="spring-7", state="given",
        given_at=ago(days=9, minutes=1),
    )  # fmt: skip
    ordered(store, codes=["spring-7"])
    ordered(store, "1002", codes=["OTHER"])
    bob = make_contact(store, phone="+12025550102")
    sent(bob, ago(days=1), body="Use SPRING-7 today")
    ordered(store, "1003", codes=["SPRING-7"], phone=bob.phone)
    read()
    assert [row[:3] for row in credits()] == [("1001", told.pk, "code")]


def test_what_is_told_of_others_and_other_stores_earns_nothing(store: Store, ada: Contact) -> None:
    bob = make_contact(store, phone="+12025550102")
    message = sent(bob, ago(days=1))
    other = make_store(name="Fjord", domain="fjord.myshopify.com")
    happened(other, "link_clicked", at=ago(hours=2), data={"message": message.pk}, phone=PHONE)
    clicked(message, ago(hours=2))  # as if Ada had got hold of Bob's link
    ordered(store)
    ordered(other, "1001")
    read()
    assert not credits()
    message.refresh_from_db()
    assert message.clicked_at == ago(hours=2)


def test_tests_and_answers_earn_nothing(store: Store, ada: Contact) -> None:
    clicked(sent(ada, ago(days=1), purpose="test_run"), ago(hours=3))
    clicked(sent(ada, ago(days=1), message_class="reply"), ago(hours=2))
    ordered(store)
    read()
    assert not credits()


def test_what_a_stand_in_bought_is_credited_once_it_is_known_who_it_was(store: Store, ada: Contact) -> None:
    clicked(sent(ada, ago(days=1)), ago(hours=2))
    ordered(store, phone=None, customer="77")
    read()
    assert not credits()
    stand_in = Contact.objects.get(phone=None)
    events = move({stand_in.pk: ada.pk}, NOON)
    credit([], {store.pk: store}, offers.gifts, inherited=events)
    assert [row[3] for row in credits()] == [100]


def test_the_first_answer_within_three_days_belongs_to_the_last_text(store: Store, ada: Contact) -> None:
    older, newer = sent(ada, ago(hours=50)), sent(ada, ago(hours=10))
    texted(store, "Is it blue?", at=ago(hours=5))
    texted(store, "Hello?", at=ago(hours=4))
    texted(store, "Nice", at=ago(hours=40))
    read()
    older.refresh_from_db(), newer.refresh_from_db()
    assert (older.replied_at, newer.replied_at) == (ago(hours=40), ago(hours=5))


def test_an_answer_after_three_days_is_none(store: Store, ada: Contact) -> None:
    message = sent(ada, ago(hours=73))
    texted(store, "Is it blue?", at=NOON)
    read()
    message.refresh_from_db()
    assert message.replied_at is None


def test_leaving_within_a_day_is_because_of_the_last_text_and_no_answer(store: Store, ada: Contact) -> None:
    older, newer = sent(ada, ago(hours=20)), sent(ada, ago(hours=10))
    texted(store, "STOP", at=ago(minutes=1))
    read()
    older.refresh_from_db(), newer.refresh_from_db()
    assert (older.opted_out_at, newer.opted_out_at) == (None, ago(minutes=1))
    assert newer.replied_at is None


def test_leaving_two_days_later_is_because_of_nothing(store: Store, ada: Contact) -> None:
    message = sent(ada, ago(hours=25))
    texted(store, "STOP", at=NOON)
    read()
    message.refresh_from_db()
    assert message.opted_out_at is None


def test_an_order_of_an_import_is_older_than_any_text_and_earns_nothing(store: Store, ada: Contact) -> None:
    clicked(sent(ada, ago(days=1)), ago(hours=2))
    ordered(store, at=ago(days=300))
    read()
    assert not credits()


def test_an_erased_person_leaves_what_was_earned_and_no_name(store: Store, ada: Contact) -> None:
    clicked(sent(ada, ago(days=1)), ago(hours=2))
    ordered(store)
    refunded(store, "30.00")
    read()
    erase(ada)
    conversion = Conversion.objects.get()
    assert conversion.revenue == 70
    assert "1001" not in conversion.order
    assert conversion.because == {}
    event = Event.objects.get(kind="order_created")
    assert event.data == {"order": {"total": "70.00", "currency": "USD", "cancelled": False}}
    assert recompute(store, offers.gifts) == 0


def test_what_was_blanked_keeps_its_credit(store: Store, ada: Contact) -> None:
    clicked(sent(ada, ago(days=1)), ago(hours=2))
    ordered(store)
    read()
    before = credits()
    Event.objects.update(data={})
    assert recompute(store, offers.gifts) == 0
    assert credits() == before


def test_the_number_of_statements_does_not_depend_on_the_number_of_orders(store: Store) -> None:
    assert _batch_of(store, 1, 200) == _batch_of(store, 30, 300)
    assert len(credits()) == 31


def _batch_of(store: Store, size: int, start: int) -> int:
    for n in range(start, start + size):
        phone = f"+1202555{n:04d}"
        clicked(sent(make_contact(store, phone=phone), ago(days=1)), ago(hours=2), phone=phone)
    read()
    for n in range(start, start + size):
        ordered(store, f"o{n}", phone=f"+1202555{n:04d}", codes=["X"])
    with CaptureQueriesContext(connection) as queries:
        assert ingest() == size
    return len(queries)


def test_what_was_heard_of_an_order_is_found_by_its_index(store: Store) -> None:
    assert OF_ORDERS == orders.KINDS
    if connection.vendor == "sqlite":  # PostgreSQL reads a small table as a whole
        assert "smsflow_event_order " in about_orders([store.pk], ["1001"]).explain()


def test_other_events_cost_nothing(store: Store, ada: Contact) -> None:
    happened(store, "product_viewed")
    read()
    event = Event.objects.get()
    with CaptureQueriesContext(connection) as queries:
        credit([event], {store.pk: store}, offers.gifts)  # type: ignore[list-item]
        reactions.write([event], {store.pk: store})  # type: ignore[list-item]
    assert len(queries) == 0


STEPS: tuple[Callable[[Store, list[Message]], Any], ...] = (
    lambda store, texts: clicked(texts[0], ago(hours=9)),
    lambda store, texts: clicked(texts[1], ago(hours=3)),
    lambda store, texts: clicked(texts[2], NOON + timedelta(minutes=-1)),
    lambda store, texts: ordered(store, "1001", ago(hours=5)),
    lambda store, texts: ordered(store, "1002", ago(hours=1), codes=["GIFT"]),
    lambda store, texts: refunded(store, "10.00", "1001", key="r1"),
    lambda store, texts: refunded(store, "15.00", "1001", key="r2"),
    lambda store, texts: refunded(store, "15.00", "1001", key="r2"),
    lambda store, texts: cancelled(store, "1002"),
    lambda store, texts: texted(store, "Blue?", at=ago(hours=2)),
    lambda store, texts: texted(store, "Red?", at=ago(hours=6)),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(len(STEPS))), st.lists(st.booleans(), min_size=len(STEPS), max_size=len(STEPS)))
def test_the_same_facts_end_the_same_in_any_order(turns: Sequence[int], pauses: Sequence[bool]) -> None:
    number = Store.objects.count()
    store = make_store(name=f"Store {number}", domain=f"store-{number}.myshopify.com")
    ada = make_contact(store, phone=PHONE)
    texts = [sent(ada, ago(days=1, hours=n)) for n in range(3)]
    for turn, pause in zip(turns, pauses, strict=True):
        STEPS[turn](store, texts)
        if pause:
            read()
    read()
    own = Conversion.objects.filter(store=store).order_by("order")
    assert list(own.values_list("order", "message_id", "revenue", "cancelled")) == [
        ("1001", texts[0].pk, Decimal("75.00"), False),
        ("1002", texts[1].pk, Decimal(0), True),
    ]
    stored = [Message.objects.get(pk=text.pk) for text in texts]
    assert [text.clicked_at for text in stored] == [ago(hours=9), ago(hours=3), NOON - timedelta(minutes=1)]
    assert [text.replied_at for text in stored] == [ago(hours=6), None, None]
    before = credits()
    assert recompute(store, offers.gifts) == 0
    assert credits() == before
