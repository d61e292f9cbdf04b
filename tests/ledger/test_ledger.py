"""The ledger of consent: lines are chained, nobody changes them, and who tries by force is found out."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.audience.ledger import AlreadyTold, Opening, broken_chains, ledger_opened
from smsflow_plugin.audience.ledger_chain import Fault
from smsflow_plugin.audience.ledger_protection import is_protected, protect, unprotect
from smsflow_plugin.engine.deleting import DeleteStore
from smsflow_plugin.events.facts import Consent, Person, PersonFact
from smsflow_plugin.models import ConsentRecord, Contact, LedgerGuard, Store, StoreLogEntry
from tests.conftest import NOON
from tests.engine.helpers import deliver, pump, texted
from tests.factories import make_contact, said

pytestmark = pytest.mark.django_db

ADA = "+12025550101"


@pytest.fixture
def ada(store: Store) -> Contact:
    contact = make_contact(store, phone=ADA)
    said(contact, wording="Yes, text me.", evidence={"customer": "7", "seen": 1.5, "words": ["a", "é"]})
    said(contact, "revoked", "all", source="keyword", wording="STOP")
    return contact


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


ATTEMPTS: dict[str, Callable[[Contact], Any]] = {
    "update": lambda ada: ConsentRecord.objects.update(action="granted"),
    "delete": lambda ada: ConsentRecord.objects.filter(contact=ada).delete(),
    "raw update": lambda ada: sql("UPDATE smsflow_consentrecord SET wording = 'Yes'"),
    "raw delete": lambda ada: sql("DELETE FROM smsflow_consentrecord"),
    "cascade from the contact": lambda ada: ada.delete(),
    "cascade from the store": lambda ada: ada.store.delete(),
    "saved again": lambda ada: ada.consent_records.earliest("pk").save(),
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_the_database_refuses_to_change_a_line(ada: Contact, attempt: Callable[[Contact], Any]) -> None:
    before = list(ConsentRecord.objects.order_by("pk").values())
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        attempt(ada)
    assert list(ConsentRecord.objects.order_by("pk").values()) == before


def test_whoever_opens_the_ledger_says_why_and_closes_it_again(ada: Contact) -> None:
    with ledger_opened(Opening.RETENTION, ada):
        ConsentRecord.objects.filter(contact=ada, action="granted").update(wording="")
    assert not LedgerGuard.objects.exists()
    entry = StoreLogEntry.objects.get(action="smsflow.open_ledger")
    assert (entry.object_id, entry.data) == (str(ada.pk), {"reason": "retention"})
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        ConsentRecord.objects.update(wording="")


def test_an_error_inside_closes_the_ledger_as_well(ada: Contact) -> None:
    with pytest.raises(RuntimeError), ledger_opened(Opening.RETENTION, ada):
        raise RuntimeError
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        ConsentRecord.objects.update(wording="")


@pytest.mark.django_db(transaction=True)
def test_no_transaction_can_leave_the_door_open(store: Store) -> None:
    """What a bug or a clever hand might try: to commit the guard, so that everybody gets in."""
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerGuard.objects.create(reason="for ever", ends_id=0)
    assert not LedgerGuard.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_store_is_deleted_for_good_in_a_transaction_of_its_own(store: Store) -> None:
    said(make_contact(store))
    DeleteStore(store).execute(skip_permission_checks=True)
    assert not ConsentRecord.objects.exists()
    assert StoreLogEntry.objects.get(action="smsflow.open_ledger").data == {"reason": "store_deleted"}


def verify() -> str:
    """Run the command, and return what it prints."""
    out = StringIO()
    try:
        call_command("smsflow_verify_ledger", stdout=out, no_color=True)
    except SystemExit as exit:
        assert exit.code == 1
    return out.getvalue()


def faults() -> list[Fault]:
    return [broken.found.fault for broken in broken_chains(Contact.objects.all())]


def test_an_untouched_ledger_holds(ada: Contact) -> None:
    make_contact(ada.store)
    assert verify().startswith("The ledger holds: 1 people")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"wording": "Yes please."}, Fault.CONTENT),
        ({"evidence": {"customer": "8"}}, Fault.CONTENT),
        ({"action": "granted"}, Fault.FACTS),
        ({"effective_at": NOON + timedelta(days=1)}, Fault.FACTS),
        ({"disclosure": "By ticking …"}, Fault.DISCLOSURE),
        ({"hash": "0" * 64}, Fault.FACTS),
        ({"erased_at": NOON}, Fault.CONTENT),
    ],
)
def test_a_line_that_was_changed_by_force_is_named(ada: Contact, change: dict[str, Any], fault: Fault) -> None:
    line = ada.consent_records.latest("pk")
    with ledger_opened(Opening.RETENTION, ada):
        ConsentRecord.objects.filter(pk=line.pk).update(**change)
    assert faults() == [fault]
    assert f"contact {ada.pk}, line {line.pk}: " in verify()


@pytest.mark.parametrize(("which", "fault"), [("earliest", Fault.LINK), ("latest", Fault.END)])
def test_a_line_that_was_taken_out_is_missed(ada: Contact, which: str, fault: Fault) -> None:
    with ledger_opened(Opening.RETENTION, ada):
        getattr(ada.consent_records, which)("pk").delete()
    assert faults() == [fault]


def test_a_ledger_that_was_emptied_is_missed(ada: Contact) -> None:
    with ledger_opened(Opening.RETENTION, ada):
        ConsentRecord.objects.all().delete()
    assert faults() == [Fault.END]


def test_a_line_that_was_slipped_in_is_found(ada: Contact) -> None:
    ConsentRecord.objects.create(
        store=ada.store, contact=ada, key="x", action="granted", scope="marketing", source="staff", effective_at=NOON
    )
    assert faults() == [Fault.UNCHAINED]


def test_a_database_without_the_triggers_is_complained_about_and_mended_by_migrate(ada: Contact) -> None:
    unprotect(connection)
    assert "does not protect the ledger" in verify()
    protect(connection)
    assert is_protected(connection)
    assert verify().startswith("The ledger holds")


def test_what_people_say_to_the_pumps_is_chained(store: Store, still: Any) -> None:
    consent = Consent("granted", "marketing", "shopify_checkout", NOON, key="c:1", evidence={"checkout": "1"})
    again = Consent("granted", "marketing", "shopify_checkout", NOON, key="c:2", evidence={"at": (1, 2)})
    deliver(store, PersonFact(Person((("checkout", "1"),), ADA, first_name="Ada"), (consent, again)))
    texted(store, "STOP", phone=ADA)
    pump()
    texted(store, "START", phone=ADA)
    pump()
    assert ConsentRecord.objects.count() == 4
    assert faults() == []
    record = ConsentRecord.objects.get(key="c:1")
    assert len(record.phone_hash) == 64
    assert record.phone_hash == ConsentRecord.objects.latest("pk").phone_hash
    assert verify().startswith("The ledger holds")


def test_the_same_statement_is_not_written_twice_and_leaves_no_gap(ada: Contact) -> None:
    said(ada, key="once")
    with pytest.raises(AlreadyTold), transaction.atomic():
        said(ada, key="once")
    ada.refresh_from_db()
    said(ada, key="twice")
    assert faults() == []


def test_lines_of_before_are_chained_by_the_migration(store: Store) -> None:
    migration = importlib.import_module("smsflow_plugin.migrations.0016_consent_ledger")
    people = [make_contact(store) for _ in range(3)]
    unprotect(connection)
    for person in people[:2]:
        for key, source in (("1", "shopify_customer"), ("2", "double_opt_in"), ("3", "keyword")):
            ConsentRecord.objects.create(
                store=store, contact=person, key=f"{key}:{person.pk}", action="granted", scope="marketing",
                source=source, effective_at=NOON, phone=person.phone, evidence={"n": 1},
            )  # fmt: skip

    class Editor:
        pass

    Editor.connection = connection  # type: ignore[attr-defined]
    migration.chain(apps, Editor)
    migration.fill_levels(apps, Editor)
    migration.protect(apps, Editor)
    assert faults() == []
    assert verify().startswith("The ledger holds: 2 people")
    assert [person.opt_in_level for person in Contact.objects.order_by("pk")] == ["confirmed", "confirmed", "single"]
    # and it goes on from there
    people[0].refresh_from_db()
    said(people[0], "revoked")
    assert faults() == []


def test_checking_takes_as_many_statements_for_many_people_as_for_few(store: Store) -> None:
    counted = []
    for people in (2, 30):
        for _ in range(people):
            said(make_contact(store))
        with CaptureQueriesContext(connection) as queries:
            assert faults() == []
        counted.append(len(queries))
    assert counted[0] == counted[1]
