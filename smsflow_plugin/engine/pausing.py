"""What people do to hold a flow: nobody enters, everybody inside stays where they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Case, Min, OuterRef, Q, QuerySet, Subquery, When
from wagtail.actions import BaseAction
from wagtail.log_actions import log

from smsflow_plugin import clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.governance.rules import Priority
from smsflow_plugin.governance.trips import BreakerTrip
from smsflow_plugin.nudge import nudge


class PauseFlow(BaseAction):  # type: ignore[misc]
    """Pause a live flow. Its queued texts wait in the outbox, and expire there as they would anywhere."""

    action_name = "pause"
    permission_policy_action = "publish"

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> Flow:
        """Pause the flow; one that is paused, or not live, stays as it is."""
        self.check(skip_permission_checks=skip_permission_checks)
        flow: Flow = self.instance
        now = clock.now()
        if Flow.objects.filter(pk=flow.pk, live=True, paused_at__isnull=True).update(paused_at=now):
            log(instance=flow, action="smsflow.pause", user=self.user, timestamp=now)
        flow.refresh_from_db(fields=["paused_at"])
        return flow


class ResumeFlow(BaseAction):  # type: ignore[misc]
    """Let a paused flow go on. Whoever has become due meanwhile is due now."""

    action_name = "resume"
    permission_policy_action = "publish"

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> Flow:
        """Resume the flow, and wake its people: four statements, whatever their number."""
        self.check(skip_permission_checks=skip_permission_checks)
        flow: Flow = self.instance
        if Flow.objects.filter(pk=flow.pk, paused_at__isnull=False).exists():
            # The contacts first, as everywhere. A worker that has one of them reads the flow as paused, and is
            # waited for; one that comes later reads it as it is then.
            waiting = Enrollment.objects.filter(flow=flow, status=Enrollment.Status.WAITING)
            wake(Contact.objects.filter(pk__in=waiting.values("contact_id")), resumed=flow.pk)
            now = clock.now()
            if Flow.objects.filter(pk=flow.pk, paused_at__isnull=False).update(paused_at=None, resumed_at=now):
                log(instance=flow, action="smsflow.resume", user=self.user, timestamp=now)
                settle_trips(flow, BreakerTrip.State.RESUMED, self.user, now)
            nudge("advance")
            nudge("dispatch")
        flow.refresh_from_db(fields=["paused_at", "resumed_at"])
        return flow


class OpenFlow(BaseAction):  # type: ignore[misc]
    """Let people into a flow again that was closed to newcomers."""

    action_name = "open"
    permission_policy_action = "publish"

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> Flow:
        """Open the flow; one that is open stays as it is."""
        self.check(skip_permission_checks=skip_permission_checks)
        flow: Flow = self.instance
        if Flow.objects.filter(pk=flow.pk, closed_at__isnull=False).update(closed_at=None):
            log(instance=flow, action="smsflow.open", user=self.user, timestamp=clock.now())
            nudge("let_in")
        flow.refresh_from_db(fields=["closed_at"])
        return flow


def settle_trips(flow: Flow, state: str, user: Any, now: datetime, note: str = "") -> int:
    """Note what a person decided about the breaker that had stopped the flow, however they came to it."""
    return BreakerTrip.objects.filter(flow=flow, state=BreakerTrip.State.OPEN).update(
        state=state, decided_at=now, decided_by=user, note=note[:200]
    )


def wake(contacts: QuerySet[Contact], *, resumed: int | None = None) -> int:
    """Lock the contacts and set anew when they are due, from their runs; return how many there are.

    For those whom staff has taken over only service flows go on. ``resumed``: a flow that is about to go on.
    """
    # one statement that locks them in the order of their ids, as everywhere
    locked = len(contacts.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    if locked:
        all_runs, service = Subquery(next_due(resumed)), Subquery(next_due(resumed, service=True))
        contacts.update(wake_at=Case(When(handed_over_at__isnull=True, then=all_runs), default=service))
    return locked


def next_due(resumed: int | None, *, service: bool = False) -> QuerySet[Any, datetime]:
    """Return, as a subquery of contacts, when the first of their runs is due that nothing holds up.

    ``service``: of flows of that class alone.
    """
    held = Q(flow__live=True, flow__paused_at__isnull=False)
    runs = Enrollment.objects.filter(contact=OuterRef("pk"), status=Enrollment.Status.WAITING)
    if service:
        runs = runs.filter(flow__priority=Priority.SERVICE)
    going = runs.exclude(held & ~Q(flow=resumed)) if resumed else runs.exclude(held)
    return going.order_by().values("contact").annotate(at=Min("wake_at")).values("at")
