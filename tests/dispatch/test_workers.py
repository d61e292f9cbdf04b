"""Four workers and a long queue on PostgreSQL: each text leaves in one call, and in no other."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest
from django.db import connections

from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.models import Batch, Message, Sender, Store
from tests.dispatch.test_crowds import flash_sale

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="DATABASE_URL names no PostgreSQL"
    ),
]

SIZE = 20_000


def work(workers: int) -> None:
    failed: list[BaseException] = []

    def drain() -> None:
        try:
            while dispatch().taken:
                pass
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            connections.close_all()

    threads = [threading.Thread(target=drain) for _n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert not failed


def test_four_workers_call_nobody_twice(store: Store, gateway: Any) -> None:
    flash_sale(store, SIZE)
    Sender.objects.create(store=store, address="+12025550177")
    Message.objects.filter(pk__in=Message.objects.order_by("pk").values("pk")[: SIZE // 2]).update(
        sender="+12025550177"
    )
    work(4)
    numbers = [number for call in gateway.calls for number in call.recipients]
    assert len(numbers) == SIZE, "everybody was called"
    assert len(set(numbers)) == SIZE, "and nobody twice"
    assert not Message.objects.exclude(state="accepted").exists()
    assert set(Batch.objects.values_list("state", flat=True)) == {"accepted"}
    assert sum(Batch.objects.values_list("size", flat=True)) == SIZE
    assert len({call.reference for call in gateway.calls}) == len(gateway.calls) == Batch.objects.count()
    by_sender = {call.sender: 0 for call in gateway.calls}
    for call in gateway.calls:
        by_sender[call.sender] += len(call.recipients)
    assert by_sender == {store.sender: SIZE // 2, "+12025550177": SIZE // 2}
