"""A nudge says "look now", is cheap to repeat, and can be lost without loss."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from smsflow_plugin import clock, nudge
from tests.conftest import TestClock
from tests.tasks.conftest import STORAGES, names

pytestmark = pytest.mark.django_db(transaction=True)
everywhere = pytest.mark.parametrize("queue", STORAGES, indirect=True)


@everywhere
def test_a_thousand_nudges_are_one_task(queue: Any) -> None:
    for _ in range(1000):
        nudge.nudge("ingest")
    nudge.nudge("dispatch")
    assert names(queue) == ["ingest", "dispatch"]


@everywhere
def test_whoever_nudges_after_the_task_began_to_look_gets_another_task(queue: Any) -> None:
    nudge.nudge("ingest")
    queue.dequeue()
    nudge.nudge("ingest")
    assert names(queue) == [], "the first task has not looked yet, and will see everything"
    nudge.started("ingest")
    nudge.nudge("ingest")
    assert names(queue) == ["ingest"]


@everywhere
def test_many_threads_that_nudge_at_once_make_one_task(queue: Any) -> None:
    barrier = threading.Barrier(8)

    def run() -> None:
        barrier.wait()
        nudge._enqueue_once("advance")

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(queue) == ["advance"]


@everywhere
def test_insisting_goes_by_no_flag_so_that_a_lost_task_is_replaced(queue: Any) -> None:
    nudge.nudge("ingest")
    queue.storage.flush_queue()  # the task is lost, its flag stays up
    nudge.nudge("ingest")
    assert names(queue) == []
    nudge.insist("ingest", expires=timedelta(minutes=1))
    assert names(queue) == ["ingest"]


@everywhere
def test_only_the_earliest_alarm_is_kept(queue: Any, still: TestClock) -> None:
    for seconds in (50, 60, 40, 55, 40):
        nudge.alarm("advance", still.at + timedelta(seconds=seconds))
    assert len(queue.scheduled()) == 2, "50, then 40; nothing later"
    delays = sorted((task.eta - clock.system().replace(tzinfo=None)).total_seconds() for task in queue.scheduled())
    assert 30 < delays[0] <= 40 < delays[1] <= 50


@everywhere
def test_an_alarm_that_has_rung_makes_room_for_the_next(queue: Any, still: TestClock) -> None:
    nudge.alarm("advance", still.at - timedelta(seconds=1))
    nudge.alarm("advance", still.at + timedelta(seconds=30))
    assert len(queue.scheduled()) == 2


def test_alarms_far_ahead_are_left_to_the_tick(queue: Any, still: TestClock) -> None:
    nudge.alarm("advance", still.at + timedelta(days=10))
    nudge.alarm("advance", None)
    assert queue.scheduled() == []


def test_a_nudge_waits_for_the_commit_and_dies_with_a_rollback(queue: Any) -> None:
    with transaction.atomic():
        nudge.nudge("ingest")
        assert names(queue) == []
    assert names(queue) == ["ingest"]
    with pytest.raises(RuntimeError), transaction.atomic():
        nudge.nudge("dispatch")
        raise RuntimeError
    assert names(queue) == ["ingest"]


def test_a_queue_that_is_down_is_a_warning_and_no_error(
    queue: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, still: TestClock
) -> None:
    class Down:
        def __getattr__(self, name: str) -> Any:
            raise ConnectionError("refused")

        def flush_all(self) -> None: ...
        def close(self) -> None: ...

    monkeypatch.setattr(queue, "storage", Down())
    nudge.nudge("ingest")
    nudge.alarm("ingest", still.at)
    nudge.insist("ingest", expires=timedelta(minutes=1))
    nudge.started("ingest")
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 4


@pytest.mark.parametrize("tell", [nudge.nudge, lambda pump: nudge.alarm(pump, None)])
def test_a_misspelt_pump_is_an_error_at_once(tell: Any) -> None:
    with pytest.raises(ValueError, match="'disptach'"):
        tell("disptach")
