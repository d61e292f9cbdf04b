"""The ledger keeps every decision in few bytes, tells it as it was, and forgets people without losing count."""

from __future__ import annotations

import random
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.audience.places import Place
from smsflow_plugin.governance import ledger
from smsflow_plugin.governance.columns import CodeField
from smsflow_plugin.governance.rules import Decision as Said
from smsflow_plugin.governance.rules import Reason, Verdict
from smsflow_plugin.models import Contact, Decision, Flow, PlaceSet, Store
from tests.conftest import NOON
from tests.factories import make_contact

pytestmark = pytest.mark.django_db

NEW_YORK = (Place("America/New_York", "US", "NY", "area_code"),)
TWO = (*NEW_YORK, Place("America/Chicago", "US", "", "store"))
UNTIL = NOON + timedelta(hours=3)


def write(store: Store, *said: Said, contact: Contact | None = None, places: Any = NEW_YORK) -> list[Decision]:
    rows = [
        ledger.row(
            one,
            NOON,
            store_id=store.pk,
            contact_id=contact.pk if contact else None,
            message_class="marketing",
            places=places,
            policy_id=7,
        )
        for one in said
    ]
    ledger.write(rows)
    return list(Decision.objects.order_by("pk"))


def test_a_decision_is_read_back_as_it_was_said(store: Store) -> None:
    notes = ({"rule": "cap_day", "until": UNTIL.isoformat(), "limit": 2, "per": "day"}, {"rule": "quiet_hours"})
    (kept,) = write(store, Said(Verdict.DEFER, Reason.CAP_DAY, UNTIL, notes))
    assert (kept.verdict, kept.reason, kept.message_class, kept.until) == ("defer", "cap_day", "marketing", UNTIL)
    assert kept.notes == [{"rule": "cap_day", "limit": 2, "per": "day"}, {"rule": "quiet_hours"}]
    assert (kept.policy_id, PlaceSet.objects.get(pk=kept.places_id).places) == (7, NEW_YORK)
    assert kept.get_verdict_display() == "Put off"


def test_what_the_columns_say_is_not_noted_again(store: Store) -> None:
    said = Said(Verdict.DEFER, Reason.QUIET_HOURS, UNTIL, ({"rule": "quiet_hours", "until": UNTIL.isoformat()},))
    assert write(store, said)[0].notes == []


def test_decisions_are_found_and_counted_by_their_words(store: Store) -> None:
    write(store, Said(Verdict.SKIP, Reason.STALE), Said(Verdict.ALLOW, Reason.ALLOWED))
    assert Decision.objects.filter(verdict="skip", reason__in=["stale", "opted_out"]).count() == 1
    assert set(Decision.objects.values_list("verdict", "reason")) == {("skip", "stale"), ("allow", "allowed")}
    with connection.cursor() as cursor:
        cursor.execute("SELECT verdict, reason FROM smsflow_decision ORDER BY id")
        assert [tuple(row) for row in cursor.fetchall()] == [(3, 9), (1, 1)]


def test_a_word_without_a_number_is_refused_rather_than_lost() -> None:
    field = Decision._meta.get_field("reason")
    assert isinstance(field, CodeField)
    with pytest.raises(ValueError, match="no number"):
        field.get_prep_value("because")
    assert field.from_db_value(250, None, None) == "250"  # of newer software: the page still opens


def test_the_number_of_statements_does_not_grow_with_the_rows(store: Store) -> None:
    def count(rows: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            write(store, *[Said(Verdict.ALLOW, Reason.ALLOWED)] * rows, places=(Place(f"Etc/GMT+{rows % 9}"),))
        return len(queries)

    assert count(3) == count(200)


def test_the_same_places_are_stored_once(store: Store) -> None:
    write(store, *[Said(Verdict.ALLOW, Reason.ALLOWED)] * 3)
    write(store, Said(Verdict.ALLOW, Reason.ALLOWED), places=TWO)
    write(store, Said(Verdict.ALLOW, Reason.ALLOWED), places=TWO)
    assert [one.places for one in PlaceSet.objects.order_by("pk")] == [NEW_YORK, TWO]


@pytest.mark.django_db(transaction=True)
def test_ids_of_places_that_were_rolled_back_are_not_remembered(store: Store) -> None:
    from django.db import transaction

    ledger._known.clear()
    places = (Place("Europe/Paris"),)
    with pytest.raises(RuntimeError), transaction.atomic():
        write(store, Said(Verdict.ALLOW, Reason.ALLOWED), places=places)
        raise RuntimeError
    assert places not in ledger._known
    (kept,) = write(store, Said(Verdict.ALLOW, Reason.ALLOWED), places=places)
    assert ledger._known[places] == kept.places_id == PlaceSet.objects.get().pk
    ledger._known.clear()


def test_a_person_who_is_deleted_leaves_a_count_and_nothing_else(store: Store) -> None:
    ada = make_contact(store)
    write(store, Said(Verdict.SKIP, Reason.OPTED_OUT), contact=ada)
    ada.delete()
    kept = Decision.objects.get()
    assert (kept.contact, kept.reason) == (None, "opted_out")


def test_a_person_who_is_erased_is_forgotten(store: Store) -> None:
    ada, nora = make_contact(store), make_contact(store)
    notes = ({"path": "contact.first_name"},)
    for person in (ada, nora):
        write(store, Said(Verdict.SKIP, Reason.MISSING_DATA, None, notes), contact=person)
    assert ledger.forget([ada.pk]) == 1
    forgotten, kept = Decision.objects.order_by("pk")
    assert (forgotten.contact, forgotten.places_id, forgotten.notes) == (None, None, [])
    assert (kept.contact, kept.notes) == (nora, [{"path": "contact.first_name"}])


def test_no_column_holds_who_somebody_is(store: Store) -> None:
    ada = make_contact(store, first_name="Ada", email="ada@example.com")
    (kept,) = write(store, Said(Verdict.SKIP, Reason.SUPPRESSED, None, ({"listed": "erased"},)), contact=ada)
    words = " ".join(str(value) for value in Decision.objects.filter(pk=kept.pk).values_list().get())
    for private in (str(ada.phone), "Ada", "ada@example.com"):
        assert private not in words


def test_a_flow_that_goes_leaves_its_decisions(store: Store) -> None:
    flow = Flow.objects.create(store=store, name="Welcome")
    Decision.objects.create(store=store, flow=flow, at=NOON, verdict="skip", reason="flow_off")
    flow.delete()
    assert Decision.objects.get().flow is None


#: How often each comes in a store with the usual rules: (share, verdict, reason, notes).
_MIX = (
    (50, Verdict.ALLOW, Reason.ALLOWED, ({"used": 1, "limit": 2, "per": "day"},)),
    (10, Verdict.ALLOW, Reason.ALLOWED, ({"used": 3, "limit": 5, "per": "week"}, {"planned": 1})),
    (12, Verdict.DEFER, Reason.QUIET_HOURS, ()),
    (6, Verdict.DEFER, Reason.CAP_DAY, ({"rule": "cap_day", "limit": 2, "per": "day"}, {"rule": "minimum_gap"})),
    (4, Verdict.DEFER, Reason.LOOK_AHEAD, ({"rule": "look_ahead", "flow": 12, "at": UNTIL.isoformat()},)),
    (3, Verdict.DEFER, Reason.QUIET_HOURS,
     ({"rule": "cap_day", "until": UNTIL.isoformat(), "limit": 2, "per": "day"},)),
    (5, Verdict.SKIP, Reason.NO_CONSENT, ()),
    (3, Verdict.SKIP, Reason.MISSING_DATA, ({"path": "trigger.order.first_item"},)),
    (3, Verdict.SKIP, Reason.STALE, ({"rule": "cap_week", "until": UNTIL.isoformat(), "limit": 5, "per": "week"},)),
    (4, Verdict.SKIP, Reason.REENTRY, ()),
)  # fmt: skip


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="The bytes are those of PostgreSQL.")
def test_a_row_takes_at_most_200_bytes(store: Store, record_property: Any) -> None:
    rows, chance = 20_000, random.Random(4)
    people = [make_contact(store).pk for _person in range(20)]
    flow = Flow.objects.create(store=store, name="Welcome")
    steps = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _step in range(200)]
    at, made = NOON, []
    for number in range(rows):
        _share, verdict, reason, notes = chance.choices(_MIX, [one[0] for one in _MIX])[0]
        at += timedelta(seconds=chance.random() * 20)
        entry = reason is Reason.REENTRY
        until = at + timedelta(hours=chance.random() * 12) if verdict is Verdict.DEFER else None
        made.append(
            ledger.row(
                Said(verdict, reason, until, notes),
                at,
                store_id=store.pk,
                contact_id=chance.choice(people),
                flow_id=flow.pk,
                enrollment_id=None if entry else 10**6 + number,
                message_id=10**6 + number if verdict is Verdict.DEFER and number % 3 == 0 else None,
                step="" if entry else chance.choice(steps),
                message_class="marketing",
                policy_id=None if entry else 12,
                places=() if entry else chance.choice([NEW_YORK, TWO]),
            )
        )
    ledger.write(made)
    assert Decision.objects.count() == rows
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_table_size('smsflow_decision'), pg_total_relation_size('smsflow_decision')")
        table, everything = cursor.fetchone()
    print(f"{table / rows:.0f} bytes a row, {everything / rows:.0f} with indexes")
    assert table / rows <= 200
