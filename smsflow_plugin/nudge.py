"""Tells the workers to look now. A nudge carries no work: losing every one of them loses nothing.

Nudges are coalesced. A flag in Huey's storage says that a task which has not yet
looked is in the queue; while it is up, further nudges add nothing. The task takes the
flag down *before* it looks, so whatever is committed after that makes a new task. A
flag whose task was lost is healed by the minute tick, which goes by no flag.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from django.db import transaction

from smsflow_plugin import clock

logger = logging.getLogger(__name__)

#: In the order in which they hand work on to each other.
PUMPS = (
    "ingest",
    "enroll_by_date",
    "watch_lists",
    "let_in",
    "move_people",
    "tell_stock",
    "advance",
    "perform",
    "dispatch",
    "reconcile",
    "poll_inbounds",
    "give_back",
    "learn",
    "watch",
    "tell_staff",
    "hand_back",
    "count_unsent",
    "watch_requests",
    "recredit",
    "roll_up",
)

#: Alarms further ahead are left to the minute tick, so that the schedule never fills up.
HORIZON = timedelta(seconds=90)


def nudge(pump: str) -> None:
    """Make a worker run ``pump`` soon after the current transaction commits. Never raises."""
    _check(pump)
    transaction.on_commit(lambda: _enqueue_once(pump))


def insist(pump: str, *, expires: timedelta) -> None:
    """Put a task into the queue whatever the flag says; nobody needs it after ``expires``. Never raises."""
    _check(pump)
    try:
        huey = _huey()
        huey.enqueue(_task(pump).s(expires=expires))
    except Exception:  # the queue may be down in any way; the next tick tries again
        logger.warning("The queue cannot be reached; %s runs when it is back.", pump, exc_info=True)


def alarm(pump: str, at: datetime | None) -> None:
    """Make a worker run ``pump`` at the time ``at`` of our clock. Never raises.

    Only the earliest alarm of a pump is kept: the pump that it wakes sets the next one.
    """
    _check(pump)
    if at is None or at - clock.now() > HORIZON:
        return
    # the queue lives by the machine's time, which a simulated clock may be far from
    real = clock.system() + (at - clock.now())
    transaction.on_commit(lambda: _schedule_earliest(pump, real))


def started(pump: str) -> None:
    """Take the flag down. Called by the task before it looks. Never raises."""
    try:
        _huey().storage.delete_data(_flag(pump))
    except Exception:  # the flag then stays up until the next task of this pump
        logger.warning("The queue cannot be reached to take down the flag of %s.", pump, exc_info=True)


def _enqueue_once(pump: str) -> None:
    try:
        huey = _huey()
        # reading first: on SQLite and PostgreSQL a nudge too many then writes nothing
        if huey.storage.has_data_for_key(_flag(pump)) or not huey.storage.put_if_empty(_flag(pump), b"1"):
            return
        huey.enqueue(_task(pump).s())
    except Exception:  # the queue may be down in any way; the tick finds the same rows
        logger.warning("The queue cannot be reached; %s runs when it is back.", pump, exc_info=True)


def _schedule_earliest(pump: str, real: datetime) -> None:
    key = f"smsflow.alarm.{pump}"
    try:
        huey = _huey()
        if huey.immediate:
            return
        stored = huey.storage.peek_data(key)
        if isinstance(stored, (bytes, memoryview)):
            kept = datetime.fromisoformat(bytes(stored).decode())
            if clock.system() < kept <= real:
                return
        huey.storage.put_data(key, real.isoformat().encode())
        # Huey looks at its schedule once a second, so the task never comes before its time
        huey.add_schedule(_task(pump).s(eta=real))
    except Exception:  # the queue may be down in any way; the tick finds the same rows
        logger.warning("The queue cannot be reached; %s runs at the next tick.", pump, exc_info=True)


def _flag(pump: str) -> str:
    return f"smsflow.nudge.{pump}"


def _check(pump: str) -> None:
    if pump not in PUMPS:
        raise ValueError(f"There is no pump called {pump!r}.")


def _task(pump: str) -> Any:
    # by name: the tasks stand above every room that nudges, and are loaded with the first nudge
    return getattr(import_module("smsflow_plugin.tasks"), pump)


def _huey() -> Any:
    return import_module("huey.contrib.djhuey").HUEY
