"""Several workers at once on PostgreSQL: every chain holds, and nobody opens the ledger for somebody else."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, transaction

from smsflow_plugin.audience.ledger import Opening, broken_chains, ledger_opened
from smsflow_plugin.engine.erasing import erase
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.events.facts import Consent, Person, PersonFact
from smsflow_plugin.models import ConsentRecord, Contact, Delivery, Store
from tests.conftest import NOON
from tests.engine.helpers import deliver
from tests.engine.test_concurrency import together
from tests.factories import make_contact, said

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="DATABASE_URL names no PostgreSQL"),
]


def test_workers_that_hear_the_same_people_write_one_chain_for_each(store: Store) -> None:
    for n in range(160):
        action = "revoked" if n % 3 else "granted"
        # every fourth statement comes twice
        consent = Consent(action, "marketing", "test", NOON, key=f"said:{n - n % 4 // 3}")
        deliver(store, PersonFact(Person(phone=f"+1202555{n % 8:04d}"), (consent,)))

    def work() -> None:
        while Delivery.objects.filter(state="pending").exists():
            ingest(7)

    together(work)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}
    assert ConsentRecord.objects.count() == 120
    assert list(broken_chains(Contact.objects.all())) == []


def test_an_open_ledger_is_open_to_its_own_transaction_only(store: Store) -> None:
    ada = make_contact(store)
    said(ada)
    refused: list[BaseException] = []

    def try_it() -> None:
        try:
            with transaction.atomic():
                ConsentRecord.objects.update(wording="Yes")
        except IntegrityError as error:
            refused.append(error)
        finally:
            connections.close_all()

    with ledger_opened(Opening.RETENTION, ada):
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join(60)
    assert "append-only" in str(refused[0])
    assert ConsentRecord.objects.get().wording == ""


def test_two_who_erase_the_same_person_erase_them_once(store: Store) -> None:
    ada = make_contact(store)
    said(ada)
    together(lambda: erase(ada), workers=3)
    assert ConsentRecord.objects.filter(source="erased").count() == 1
    assert list(broken_chains(Contact.objects.all())) == []


def test_who_is_erased_while_texts_of_theirs_are_read_stays_erased(store: Store) -> None:
    ada = make_contact(store, phone="+12025550101")
    for n in range(40):
        consent = Consent("granted", "marketing", "test", NOON, key=f"c:{n}")
        deliver(store, PersonFact(Person(phone="+12025550101"), (consent,)))

    def work() -> None:
        if threading.current_thread() is threads[0]:
            erase(ada)
        while Delivery.objects.filter(state="pending").exists():
            ingest(3)

    threads: list[Any] = []
    together(lambda: (threads.append(threading.current_thread()), work()), workers=3)
    ada.refresh_from_db()
    assert (ada.phone, ada.marketing_consent) == (None, "revoked")
    assert not ConsentRecord.objects.filter(contact=ada).exclude(phone="").exists()
    assert list(broken_chains(Contact.objects.all())) == []
