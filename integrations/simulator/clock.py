"""The simulated time: the machine's, moved ahead by an offset that all processes share.

The offset stands in the database, so that the site, the worker and every command
agree. It only grows: what has happened is never in the future again.
"""

from __future__ import annotations

import math
import threading
import time
from datetime import datetime, timedelta

from django.apps import apps
from django.db import Error, connections, router, transaction
from django.db.models import F

from smsflow_plugin import clock

#: Seconds for which a process trusts the offset that it read.
CACHE_SECONDS = 0.2

_lock = threading.Lock()
_known: tuple[float, timedelta] = (-math.inf, timedelta())


def now() -> datetime:
    """Return the simulated time, in UTC. Name this function in ``SMSFLOW["CLOCK"]``."""
    return clock.system() + offset()


def offset() -> timedelta:
    """Return how far the simulated time is ahead.

    While the database cannot tell (its table is not made yet, or the surrounding
    transaction is broken) this is the offset that was known last: code that asks
    for the time must not fail for it.
    """
    read_at, known = _known
    if time.monotonic() - read_at < CACHE_SECONDS:
        return known
    stored = _read()
    return _remember(known if stored is None else stored)


def forward(delta: timedelta) -> datetime:
    """Move the time ahead and return the new time. A negative ``delta`` is an error."""
    if delta < timedelta():
        raise ValueError("The simulated time never goes backwards.")
    from smsflow_plugin.integrations.simulator.models import SimulatedClock

    SimulatedClock.objects.get_or_create()
    SimulatedClock.objects.update(ahead_seconds=F("ahead_seconds") + math.ceil(delta.total_seconds()))
    forget()
    return now()


def forward_to(moment: datetime) -> datetime:
    """Move the time ahead to ``moment``, or leave it if that is past. Return the new time."""
    forget()
    return forward(max(moment - now(), timedelta()))


def forget() -> None:
    """Read the offset anew at the next question."""
    global _known
    with _lock:
        _known = (-math.inf, _known[1])


def wait_for_caches() -> None:
    """Return when every process has seen the new time: until then a nudge could find nothing due."""
    time.sleep(CACHE_SECONDS)


def _remember(stored: timedelta) -> timedelta:
    global _known
    with _lock:
        _known = (time.monotonic(), stored)
    return stored


def _read() -> timedelta | None:
    """Return the stored offset, or None when the database cannot tell."""
    if not apps.models_ready:
        return None
    from smsflow_plugin.integrations.simulator.models import SimulatedClock

    alias = router.db_for_read(SimulatedClock)
    connection = connections[alias]
    if connection.needs_rollback:
        return None
    rows = SimulatedClock.objects.using(alias).order_by("pk").values_list("ahead_seconds", flat=True)
    try:
        if connection.in_atomic_block:
            # a missing table must not break somebody else's transaction
            with transaction.atomic(using=alias):
                seconds = rows.first()
        else:
            seconds = rows.first()
    except Error:
        return None
    return timedelta(seconds=seconds or 0)
