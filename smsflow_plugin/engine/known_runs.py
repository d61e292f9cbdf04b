"""What entering reads before it decides: the flows that take people in, and the runs that there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Q

from smsflow_plugin.engine.admission import LiveFlow
from smsflow_plugin.engine.facts import Programs
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.engine.starting import NewEvent
from smsflow_plugin.engine.state import State
from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.stores.models import Store

WAITING, FINISHED = Enrollment.Status.WAITING.value, Enrollment.Status.FINISHED.value


@dataclass
class Run:
    """What entering needs to know of an enrollment; new ones get it too, with no id."""

    pk: int | None
    flow_id: int
    version_id: int
    entry_key: str
    entered_at: datetime
    status: str
    stored: Any
    wake_at: datetime | None
    test_pace: int | None
    flow_live: bool
    triggered_at: datetime | None
    subject: str | None
    kind: str | None
    #: When the appointment is that the run is about, as its trigger says.
    starts_at: Any = None

    @cached_property
    def state(self) -> State:
        """The stored state. One that cannot be read has sent something: such a run is not started afresh."""
        try:
            return State.from_json(self.stored)
        except (AttributeError, TypeError, ValueError):  # it fails when it is due, alone
            return State(sent=1)

    @property
    def waiting(self) -> bool:
        return self.status == WAITING

    def is_about(self, event: NewEvent) -> bool:
        """Return whether the run is about the same cart, order or appointment."""
        return bool(event.subject) and self.subject == event.subject and _about(self.kind) == _about(event.kind)

    def is_at_another_time(self, event: NewEvent) -> bool:
        """Return whether the event says another time of the appointment than the run knows."""
        return self.starts_at is None or moment_of(self.starts_at) != moment_of(starts_at(event))

    def is_older(self, event: NewEvent) -> bool:
        return self.triggered_at is None or event.occurred_at > self.triggered_at


_RUN_COLUMNS = (
    "pk", "flow_id", "version_id", "entry_key", "entered_at", "status", "state", "wake_at", "test_pace", "flow__live",
    "trigger_event__occurred_at", "trigger_event__subject", "trigger_event__kind",
    "trigger_event__data__appointment__starts_at",
)  # fmt: skip


def live_flows(store_ids: set[int]) -> dict[int, list[LiveFlow]]:
    """Return the live flows of these stores, in the order in which they were made."""
    rows = list(
        Flow.objects.filter(
            store_id__in=store_ids, live=True, current_version__isnull=False, store__status=Store.Status.ACTIVE
        )
        .order_by("pk")
        .values_list("store_id", "pk", "current_version_id", "paused_at", "closed_at")
    )
    programs = Programs.load(version for _store, _flow, version, *_rest in rows)
    flows: dict[int, list[LiveFlow]] = defaultdict(list)
    for store_id, pk, version_id, *shut in rows:
        if version_id in programs:
            flows[store_id].append(LiveFlow(pk, version_id, programs[version_id], any(shut)))
    return flows


def known_runs(contact_ids: set[int], flow_ids: set[int]) -> dict[int, list[Run]]:
    """Return the waiting runs of these people, and all that they ever had in these flows."""
    runs: dict[int, list[Run]] = defaultdict(list)
    rows = (
        Enrollment.objects.filter(contact_id__in=contact_ids)
        .filter(Q(status=Enrollment.Status.WAITING) | Q(flow_id__in=flow_ids))
        .order_by("pk")
        .values_list("contact_id", *_RUN_COLUMNS)
    )
    for contact_id, *values in rows:
        runs[contact_id].append(Run(*values))
    return runs


def starts_at(event: NewEvent) -> Any:
    """Return when the appointment is that the event is about; None if it is about none."""
    appointment = event.data.get("appointment")
    return appointment.get("starts_at") if isinstance(appointment, Mapping) else None


def moment_of(value: Any) -> Any:
    """Return an ISO time as a moment that can be compared, anything else as it is."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value
    return moment.timestamp() if moment.tzinfo else value


def _about(kind: str | None) -> str:
    return KINDS[kind].about if kind in KINDS else ""
