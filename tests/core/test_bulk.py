"""One statement writes any number of rows, and what comes back is what went in."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_plugin import bulk
from smsflow_plugin.models import Contact, Delivery, Event, Message, Store
from tests.conftest import NOON
from tests.factories import make_contact, make_store

pytestmark = pytest.mark.django_db

# PostgreSQL stores neither NUL nor lone surrogates, whoever writes them
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
round_trip = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@round_trip
@given(
    rows=st.lists(
        st.tuples(texts, st.none() | moments, plain_json.filter(lambda v: v is not None), st.integers(0, 30000)),
        min_size=1,
        max_size=8,
    )
)
def test_what_is_inserted_comes_back_unchanged(store: Store, rows: list[tuple[Any, ...]]) -> None:
    Contact.objects.all().delete()
    returned = bulk.insert(
        Contact,
        ("store_id", "first_name", "last_order_at", "fields", "orders_count"),
        [(store.pk, *row) for row in rows],
        returning=("id", "first_name", "last_order_at", "fields", "orders_count"),
    )
    stored = Contact.objects.values_list("id", "first_name", "last_order_at", "fields", "orders_count")
    assert sorted(returned, key=lambda row: row[0]) == list(stored.order_by("id"))
    assert [row[1:] for row in sorted(returned, key=lambda row: row[0])] == rows


@round_trip
@given(rows=st.lists(st.tuples(texts, st.none() | moments, plain_json.filter(lambda v: v is not None)), max_size=6))
def test_what_is_updated_reads_the_same_through_the_models(store: Store, rows: list[tuple[Any, ...]]) -> None:
    keys = [make_contact(store, phone=None).pk for _ in rows]
    bulk.update(
        Contact,
        ("first_name", "profile_at", "tags"),
        [(key, *row) for key, row in zip(keys, rows, strict=True)],
    )
    found = {c.pk: (c.first_name, c.profile_at, c.tags) for c in Contact.objects.filter(pk__in=keys)}
    assert found == dict(zip(keys, rows, strict=True))


@round_trip
@given(bodies=st.lists(st.binary(max_size=50), min_size=1, max_size=6))
def test_bytes_are_kept_to_the_byte(store: Store, bodies: list[bytes]) -> None:
    Delivery.objects.all().delete()
    rows = [(store.pk, "shopify", str(i), body) for i, body in enumerate(bodies)]
    bulk.insert(Delivery, ("store_id", "source", "external_id", "body"), rows)
    assert [bytes(b) for b in Delivery.objects.order_by("id").values_list("body", flat=True)] == bodies


def test_numbers_uuids_and_choices_go_through_their_fields(store: Store) -> None:
    name = uuid.uuid4()
    phone = "+12025550142"
    rows = [
        (store.pk, name, phone, Contact.Consent.GRANTED),
        (store.pk, uuid.uuid4(), None, "unknown"),
        (store.pk, uuid.uuid4(), "+12025550143", Contact.Consent.REVOKED),
    ]
    bulk.insert(Contact, ("store_id", "uuid", "phone", "marketing_consent"), rows)
    contact = Contact.objects.get(uuid=name)
    assert contact.phone == phone
    assert contact.marketing_consent == "granted"
    assert Contact.objects.filter(phone="+12025550143", marketing_consent="revoked").exists()


def test_columns_that_are_not_named_get_their_defaults(store: Store) -> None:
    ((key,), (other,)) = bulk.insert(
        Contact, ("store_id", "email"), [(store.pk, "a@example.com"), (store.pk, "b@example.com")], returning=("id",)
    )
    contact = Contact.objects.get(pk=key)
    plain = Contact(store=store)
    assert contact.uuid != Contact.objects.get(pk=other).uuid
    assert (contact.tags, contact.fields, contact.marketing_consent) == ([], {}, plain.marketing_consent)
    assert contact.wake_at is None
    assert contact.created_at is not None


def test_a_key_that_is_taken_is_passed_over_and_the_rest_goes_in(store: Store) -> None:
    columns = ("store_id", "kind", "key", "occurred_at")
    bulk.insert(Event, columns, [(store.pk, "cart.abandoned", "1", NOON)])
    rows = [(store.pk, "cart.abandoned", key, NOON) for key in ("1", "2", "2", "3")]
    assert sorted(bulk.insert(Event, columns, rows, returning=("key", "occurred_at"))) == [("2", NOON), ("3", NOON)]
    assert bulk.insert(Event, columns, rows) == 0


def test_only_rows_that_fulfil_the_extra_condition_change(store: Store) -> None:
    ada, bob = make_contact(store, orders_count=1), make_contact(store, orders_count=2)
    changed = bulk.update(
        Contact,
        ("orders_count", "first_name"),
        [(ada.pk, 7, "Ada"), (bob.pk, 8, "Bob"), (0, 9, "Nobody")],
        extra_where="orders_count = 1",
        returning=("id", "orders_count"),
    )
    assert changed == [(ada.pk, 7)]
    bob.refresh_from_db()
    assert (bob.orders_count, bob.first_name) == (2, "Ada")
    assert bulk.update(Contact, ("orders_count",), [(ada.pk, 3), (bob.pk, 3)]) == 2


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        (NOON, NOON + timedelta(hours=1), NOON),
        (NOON, NOON - timedelta(seconds=1), NOON - timedelta(seconds=1)),
        (NOON, NOON - timedelta(microseconds=1), NOON - timedelta(microseconds=1)),
        (NOON, None, NOON),
        (None, NOON, NOON),
        (None, None, None),
    ],
)
def test_the_earlier_of_two_wake_times_is_kept(
    store: Store, old: datetime | None, new: datetime | None, kept: datetime | None
) -> None:
    contact = make_contact(store, wake_at=old)
    bulk.update(Contact, ("wake_at", "language"), [(contact.pk, new, "da")], least=("wake_at",))
    contact.refresh_from_db()
    assert (contact.wake_at, contact.language) == (kept, "da")


def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(store: Store) -> None:
    for size in (1, 700):
        with CaptureQueriesContext(
            connection,
        ) as made:
            keys = bulk.insert(Contact, ("store_id",), [(store.pk,)] * size, returning=("id",))
            bulk.update(Contact, ("orders_count",), [(key, 1) for (key,) in keys])
        assert len(keys) == size
        assert len(made) == 2


def test_no_rows_make_no_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert bulk.insert(Contact, ("store_id",), []) == 0
        assert bulk.insert(Contact, ("store_id",), [], returning=("id",)) == []
        assert bulk.update(Contact, ("store_id",), []) == 0


def test_what_the_database_refuses_is_an_error_and_not_cut_off(store: Store) -> None:
    with pytest.raises(IntegrityError):
        bulk.insert(Event, ("store_id", "kind", "key", "occurred_at"), [(store.pk, "x", "1", None)])
    if connection.vendor == "postgresql":
        connection.set_rollback(False)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no lengths")
def test_a_value_that_is_too_long_is_refused(store: Store) -> None:
    contact = make_contact(store)
    with pytest.raises(DataError):
        bulk.update(Contact, ("country",), [(contact.pk, "DENMARK")])


def test_two_stores_can_be_written_at_once() -> None:
    stores = [make_store(), make_store(name="Nordic Tea", domain="nordic-tea.myshopify.com")]
    columns = ("store_id", "message_class", "sender", "to", "body", "slots", "key")
    rows = [(s.pk, Message.Class.REPLY, s.sender, "+12025550111", "Hej 🙂", [[0, 3]], "k") for s in stores]
    assert bulk.insert(Message, columns, rows) == 2
    assert list(Message.objects.values_list("body", "slots", "state")) == [("Hej 🙂", [[0, 3]], "queued")] * 2
