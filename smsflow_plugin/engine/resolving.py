"""What people decide about a flow or a store that a circuit breaker has stopped."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.actions import BaseAction
from wagtail.log_actions import log
from wagtail.permissions import policy_registry

from smsflow_plugin import clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine.models import Effect, Enrollment
from smsflow_plugin.engine.moving import CANCELLED, TAKEN_OUT
from smsflow_plugin.engine.pausing import ResumeFlow, settle_trips
from smsflow_plugin.engine.releasing import let_texts_go, nudge_all
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.governance.models import PanicStop
from smsflow_plugin.governance.trips import BreakerTrip
from smsflow_plugin.messaging.changed import note_texts
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.stores.changes import note


class Resolution(models.TextChoices):
    RESUME = "resume", gettext_lazy("Resume: people enter, and everybody inside goes on")
    DRAIN = "drain", gettext_lazy("Close it: nobody enters, and everybody inside goes on to the end")
    EMPTY = "empty", gettext_lazy("Empty it: nobody enters, and everybody inside leaves now")


class CannotResolve(Exception):
    """The choice does not fit. The message is a sentence for the person who made it."""


class ResolveBreaker(BaseAction):  # type: ignore[misc]
    """Decide what becomes of what a breaker has stopped. It starts to measure anew from here.

    :param instance: the trip.
    :param choice: see ``Resolution``; a whole store can only be resumed.
    :param note: why, for the others who see it.
    """

    action_name = "resolve_breaker"
    permission_policy_action = "publish"

    def __init__(self, instance: BreakerTrip, user: Any = None, *, choice: str, note: str = "") -> None:
        super().__init__(instance, user=user)
        self.choice = Resolution(choice)
        self.note = note.strip()[:200]

    def user_has_permission(self) -> bool:
        flow = self.instance.flow or Flow(store_id=self.instance.store_id)
        return bool(policy_registry.get_by_type(Flow).user_has_permission_for_instance(self.user, "publish", flow))

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> BreakerTrip:
        """Carry the choice out; a trip that somebody has decided on already stays as it is.

        :raises CannotResolve: if a whole store is to be closed or emptied.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        trip: BreakerTrip = self.instance
        if trip.flow is None and self.choice is not Resolution.RESUME:
            raise CannotResolve(_("A whole store can only go on. Pause the flows that should not."))
        # not against those who write rows that name it; two who decide at once wait for one another
        still_open = BreakerTrip.objects.filter(pk=trip.pk, state=BreakerTrip.State.OPEN)
        if still_open.exists():
            now = clock.now()
            if trip.flow is None:
                self._let_store_go(trip, now)
            else:
                self._decide(trip.flow, now)
        trip.refresh_from_db()
        return trip

    def _decide(self, flow: Flow, now: datetime) -> None:
        if self.choice is Resolution.EMPTY:
            empty(flow, now)
        state = {
            Resolution.RESUME: BreakerTrip.State.RESUMED,
            Resolution.DRAIN: BreakerTrip.State.DRAINED,
            Resolution.EMPTY: BreakerTrip.State.EMPTIED,
        }[self.choice]
        if self.choice is not Resolution.RESUME:
            Flow.objects.filter(pk=flow.pk).update(closed_at=now)
        if settle_trips(flow, state, self.user, now, self.note):
            log(
                instance=flow,
                action="smsflow.resolve_breaker",
                user=self.user,
                timestamp=now,
                data={"trip": self.instance.pk, "choice": self.choice.value, "note": self.note},
            )
        ResumeFlow(flow, self.user).execute(skip_permission_checks=True)

    def _let_store_go(self, trip: BreakerTrip, now: datetime) -> None:
        PanicStop.objects.filter(pk=trip.stop_id, released_at=None).update(released_at=now, released_by=self.user)
        let_texts_go(trip.store_id, now)
        BreakerTrip.objects.filter(pk=trip.pk, state=BreakerTrip.State.OPEN).update(
            state=BreakerTrip.State.RESUMED, decided_at=now, decided_by=self.user, note=self.note
        )
        log(
            instance=trip.store,
            action="smsflow.resolve_breaker",
            user=self.user,
            timestamp=now,
            data={"trip": trip.pk, "choice": self.choice.value, "note": self.note},
        )
        nudge_all()


def empty(flow: Flow, now: datetime) -> int:
    """Let everybody leave the flow, and nothing go out that it had queued for them; return how many there were.

    A fixed number of statements, whatever their number. Test runs leave, too.
    """
    waiting = Enrollment.objects.filter(flow=flow, status=Enrollment.Status.WAITING)
    # the contacts first, as everywhere, and in the order of their ids
    people = Contact.objects.filter(pk__in=waiting.values("contact_id")).order_by("pk")
    len(people.select_for_update(of=("self",)).values_list("pk", flat=True))
    texts = Message.objects.filter(flow=flow, enrollment_id__in=waiting.values("pk"), state=Message.State.QUEUED)
    note_texts(texts)
    note([(flow.store_id, now)], {flow.store_id: flow.store.timezone})
    texts.update(state=Message.State.CANCELLED, reason=CANCELLED, finished_at=now)
    Effect.objects.filter(enrollment__in=waiting, state=Effect.State.QUEUED).update(
        state=Effect.State.FAILED, result={"error": _("The person has left the flow.")}, finished_at=now
    )
    return waiting.update(status=Enrollment.Status.EXITED, exit_reason=TAKEN_OUT, wake_at=None, finished_at=now)
