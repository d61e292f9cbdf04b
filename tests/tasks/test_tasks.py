"""The tasks run the pumps until these are dry, and heal whatever was lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from smsflow_plugin import nudge, tasks
from smsflow_plugin.messaging.dispatch import DispatchResult
from smsflow_plugin.models import Heartbeat
from tests.conftest import TestClock
from tests.tasks.conftest import names, work_off

pytestmark = pytest.mark.django_db(transaction=True)


class Pumps:
    """Stand-ins for the pumps: each has so many batches of work, and notes when it looked."""

    def __init__(self) -> None:
        self.work = dict.fromkeys(nudge.PUMPS, 0)
        self.looked: list[str] = []
        self.next_wake: Any = None
        self.next_effect: Any = None
        self.next_roll_up: Any = None
        self.result = DispatchResult()

    def look(self, pump: str) -> int:
        self.looked.append(pump)
        self.work[pump] -= 1
        return 1 if self.work[pump] >= 0 else 0

    def dispatch(self) -> DispatchResult:
        taken = self.look("dispatch")
        return DispatchResult(taken=taken, cut_off=self.result.cut_off, next_at=self.result.next_at)


@pytest.fixture
def pumps(monkeypatch: pytest.MonkeyPatch, queue: Any, still: TestClock) -> Iterator[Pumps]:
    made = Pumps()
    monkeypatch.setattr(tasks.ingest_pump, "ingest", lambda: made.look("ingest"))
    monkeypatch.setattr(tasks.advance_pump, "advance", lambda: made.look("advance"))
    monkeypatch.setattr(tasks.advance_pump, "next_wake", lambda: made.next_wake)
    monkeypatch.setattr(tasks.dispatch_pump, "dispatch", made.dispatch)
    monkeypatch.setattr(tasks.reconcile_pump, "reconcile", lambda: made.look("reconcile"))
    monkeypatch.setattr(tasks.call_alarms, "tell_of_calls", lambda: 0)
    monkeypatch.setattr(tasks.polling, "poll_inbounds", lambda: made.look("poll_inbounds"))
    monkeypatch.setattr(tasks.dated, "enroll_by_date", lambda: made.look("enroll_by_date"))
    monkeypatch.setattr(tasks.lists, "watch_lists", lambda: made.look("watch_lists"))
    monkeypatch.setattr(tasks.intake_pump, "let_in", lambda: made.look("let_in"))
    monkeypatch.setattr(tasks.moving, "move_people", lambda: made.look("move_people"))
    monkeypatch.setattr(tasks.stock, "tell_stock", lambda: made.look("tell_stock"))
    monkeypatch.setattr(tasks.habits, "learn", lambda: made.look("learn"))
    monkeypatch.setattr(tasks.learning_times, "learn", lambda: 0)
    monkeypatch.setattr(tasks.telling, "tell_weekly", lambda: 0)
    monkeypatch.setattr(tasks.unsent, "count_unsent", lambda: made.look("count_unsent"))
    monkeypatch.setattr(tasks.requests_pump, "watch_requests", lambda: made.look("watch_requests"))
    monkeypatch.setattr(tasks.perform_pump, "perform", lambda: made.look("perform"))
    monkeypatch.setattr(tasks.perform_pump, "next_effect", lambda: made.next_effect)
    monkeypatch.setattr(tasks.watching, "watch", lambda: made.look("watch"))
    monkeypatch.setattr(tasks.notices, "tell_staff", lambda: made.look("tell_staff"))
    monkeypatch.setattr(tasks.handing_back, "hand_back", lambda: made.look("hand_back"))
    monkeypatch.setattr(tasks.recompute, "recompute_changed", lambda gifts: made.look("recredit"))
    monkeypatch.setattr(tasks.rollups, "roll_up", lambda: made.look("roll_up"))
    monkeypatch.setattr(tasks.rollups, "next_roll_up", lambda: made.next_roll_up)
    yield made


def test_work_is_handed_on_from_pump_to_pump(pumps: Pumps, queue: Any) -> None:
    pumps.work.update(ingest=3, advance=2, dispatch=1)
    nudge.nudge("ingest")
    # figures are counted after each that has changed them, and once for what two of them did in the meantime
    assert work_off(queue) == ["ingest", "advance", "dispatch", "tell_stock", "roll_up", "perform"]
    last = ["tell_stock", "roll_up", "perform"]
    assert pumps.looked == ["ingest"] * 4 + ["advance"] * 3 + ["dispatch"] * 2 + last


@pytest.mark.parametrize(
    "pump", ["enroll_by_date", "watch_lists", "let_in", "move_people", "tell_stock", "perform", "hand_back"]
)
def test_whoever_is_found_or_let_in_or_answered_goes_on_at_once(pumps: Pumps, queue: Any, pump: str) -> None:
    pumps.work[pump] = 2
    nudge.nudge(pump)
    ran = work_off(queue)
    assert ran[0] == pump
    assert "advance" in ran
    assert pumps.looked.count(pump) == 3


def test_perform_sets_the_alarm_for_the_next_try(pumps: Pumps, queue: Any, still: TestClock) -> None:
    pumps.next_effect = still.at + timedelta(seconds=10)
    tasks.perform.call_local()
    assert [task.name for task in queue.scheduled()] == ["perform"]


def test_a_pump_that_finds_nothing_nudges_nobody(pumps: Pumps, queue: Any) -> None:
    nudge.nudge("ingest")
    nudge.nudge("advance")
    assert work_off(queue) == ["ingest", "advance"]


def test_a_task_that_has_had_its_time_makes_room_and_comes_back(
    pumps: Pumps, queue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "TIME_BUDGET", 0.0)
    pumps.work.update(dispatch=3)
    nudge.nudge("dispatch")
    assert [name for name in work_off(queue) if name != "roll_up"] == ["dispatch"] * 4


def test_advance_sets_the_alarm_for_the_next_person(pumps: Pumps, queue: Any, still: TestClock) -> None:
    pumps.next_wake = still.at + timedelta(seconds=30)
    tasks.advance.call_local()
    assert [task.name for task in queue.scheduled()] == ["advance"]


def test_a_day_that_rests_sets_the_alarm_for_the_next_count(pumps: Pumps, queue: Any, still: TestClock) -> None:
    pumps.next_roll_up = still.at + timedelta(seconds=2)
    tasks.roll_up.call_local()
    assert [task.name for task in queue.scheduled()] == ["roll_up"]


def test_a_cut_off_call_sets_the_alarm_for_reconcile(pumps: Pumps, queue: Any, still: TestClock) -> None:
    pumps.result = DispatchResult(cut_off=1, next_at=still.at + timedelta(seconds=5))
    tasks.dispatch.call_local()
    assert sorted(task.name for task in queue.scheduled()) == ["dispatch", "reconcile"]


def test_calls_that_reconcile_has_settled_may_have_put_texts_back(pumps: Pumps, queue: Any) -> None:
    pumps.work.update(reconcile=1)
    tasks.reconcile.call_local()
    assert names(queue) == ["dispatch"]


def test_a_pump_that_fails_is_logged_and_left_to_the_tick(
    pumps: Pumps, queue: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> int:
        raise RuntimeError("no disk")

    monkeypatch.setattr(tasks.advance_pump, "advance", fail)
    nudge.nudge("advance")
    assert work_off(queue) == ["advance"]
    assert "The pump advance stopped" in caplog.text
    assert "no disk" in caplog.text


#: What was left in the air comes first.
IN_ORDER = ["reconcile", *(pump for pump in nudge.PUMPS if pump != "reconcile")]


def test_the_tick_makes_every_pump_look_though_every_flag_is_up(pumps: Pumps, queue: Any, still: TestClock) -> None:
    for pump in nudge.PUMPS:
        nudge.nudge(pump)
    queue.storage.flush_queue()
    tasks.tick.call_local()
    assert work_off(queue) == IN_ORDER
    assert Heartbeat.objects.get(name="worker").at == still.at
    nudge.nudge("ingest")
    assert names(queue) == ["ingest"], "the flags are down again"


def test_ticks_do_not_pile_up_while_workers_are_busy(pumps: Pumps, queue: Any) -> None:
    for _ in range(3):
        tasks.tick.call_local()
    for task in queue.pending():
        assert task.expires_resolved is not None
        queue.storage.dequeue()
        task.expires_resolved -= timedelta(minutes=2)
        queue.execute(task)
    assert pumps.looked == []


def test_a_tick_publishes_what_is_scheduled_and_survives_its_failure(
    pumps: Pumps, queue: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    called = []

    def call(name: str, **options: Any) -> None:
        called.append(name)
        raise RuntimeError("a page that cannot be published")

    monkeypatch.setattr(tasks, "call_command", call)
    tasks.tick.call_local()
    assert called == ["publish_scheduled"]
    assert "could not be published" in caplog.text


def test_a_worker_that_starts_makes_every_pump_look(pumps: Pumps, queue: Any) -> None:
    for hook in queue._startup.values():
        hook()
    assert names(queue) == IN_ORDER
