"""Workers that count the same day on PostgreSQL while texts are queued: nothing is lost, and nothing old comes back."""

from __future__ import annotations

import os
import threading
import time

import pytest
from django.db import connections, transaction

from smsflow_plugin.measurement import rollups
from smsflow_plugin.measurement.figures import Period
from smsflow_plugin.models import ChangedDay, Message, Store, StoreStat
from smsflow_plugin.stores.changes import note_of
from tests.attribution.test_crediting import sent
from tests.conftest import NOON
from tests.factories import make_contact
from tests.measurement.readings import of_stores

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="DATABASE_URL names no PostgreSQL"
    ),
]

TEXTS = 120


def test_three_workers_end_with_what_is_there(store: Store, still: object) -> None:
    ada = make_contact(store)
    done = threading.Event()
    failed: list[BaseException] = []

    def write() -> None:
        for _n in range(TEXTS):
            with transaction.atomic():
                sent(ada, NOON)
                note_of([(store.pk, NOON)])
        done.set()

    def count() -> None:
        while not done.is_set() or ChangedDay.objects.exists():
            StoreStat.objects.update(rests_until=None)
            rollups.roll_up()
            time.sleep(0.001)

    def safely(work: object) -> None:
        try:
            work()  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001 - told by the test
            failed.append(error)
            done.set()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=safely, args=(work,)) for work in (write, count, count, count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failed
    today = Period(NOON.date(), NOON.date())
    assert of_stores([store.pk], today)[store.pk].queued == Message.objects.count() == TEXTS
