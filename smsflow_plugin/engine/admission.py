"""Doors of flows that do not take everybody at once: so many an hour, so many in all.

Two workers who let people into the same flow wait for one another here, and only here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count

from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.engine.starting import NewEvent
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.flows.program import Program, Throttle

_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class LiveFlow:
    """A flow that takes people in, and the version that they start with."""

    pk: int
    version_id: int
    program: Program
    paused: bool


@dataclass(slots=True)
class Entry:
    """Somebody who is about to enter. ``at`` is when their turn comes, ``known`` that they have been in before."""

    event: NewEvent
    flow: LiveFlow
    key: str
    at: datetime
    pace: int | None = None
    known: bool = False
    #: Why they are not let in after all.
    refused: bool = field(default=False)


def admit(entries: Sequence[Entry], now: datetime) -> None:
    """Give everybody their turn, and refuse those for whom there is no room. The contacts must be locked.

    Test runs take nobody's place.
    """
    real = [entry for entry in entries if entry.pace is None]
    limited = {entry.flow.pk for entry in real if entry.flow.program.throttle or entry.flow.program.max_people}
    if not limited:
        return
    # not against those who write rows that name the flow: they hold nothing that we wait for
    list(Flow.objects.filter(pk__in=limited).order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    _count([entry for entry in real if entry.flow.program.max_people])
    for flow in {entry.flow.pk: entry.flow for entry in real if entry.flow.program.throttle}.values():
        assert flow.program.throttle is not None
        own = [entry for entry in real if entry.flow.pk == flow.pk and not entry.refused]
        _pace(own, flow.program.throttle, flow.pk, now)


def _count(entries: Sequence[Entry]) -> None:
    """Refuse who comes after as many people as the flow takes. Who was in before takes no second place."""
    if not entries:
        return
    rows = (
        Enrollment.objects.filter(flow_id__in={entry.flow.pk for entry in entries}, test_pace__isnull=True)
        .values_list("flow_id")
        .annotate(people=Count("contact_id", distinct=True))
    )
    people = dict(rows)
    inside: set[tuple[int, int]] = set()
    for entry in entries:
        pair = entry.flow.pk, entry.event.contact_id
        if entry.known or pair in inside:
            continue
        if people.get(entry.flow.pk, 0) >= (entry.flow.program.max_people or 0):
            entry.refused = True
            continue
        people[entry.flow.pk] = people.get(entry.flow.pk, 0) + 1
        inside.add(pair)


def _pace(entries: Sequence[Entry], throttle: Throttle, flow_id: int, now: datetime) -> None:
    """Give each the first moment before which fewer than so many have entered within one unit.

    ``Enrollment.entered_at`` is the person's turn, so the last of them say where the queue ends.
    Behind a crowd people come one by one, evenly.
    """
    unit = _UNITS[throttle.unit]
    most = max(throttle.entries, 1)
    last = Enrollment.objects.filter(flow_id=flow_id, entered_at__gt=now - unit, test_pace__isnull=True)
    turns = sorted(last.order_by("-entered_at").values_list("entered_at", flat=True)[:most])
    for entry in entries:
        if len(turns) >= most:
            entry.at = max(now, turns[-most] + unit, turns[-1] + unit / most if turns[-1] > now else now)
        turns.append(entry.at)


def turn(now: datetime, entered_at: datetime) -> datetime:
    """Return when somebody may go on who has entered, but whose turn may be still to come."""
    return max(now, entered_at)
