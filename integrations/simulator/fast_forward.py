"""Moves the simulated time on, and says what is going to happen next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from smsflow_plugin.integrations.simulator import clock
from smsflow_plugin.integrations.simulator.phone import network
from smsflow_plugin.models import Contact, Decision, Enrollment, Message
from smsflow_plugin.nudge import PUMPS, nudge


@dataclass(frozen=True, slots=True)
class NextThing:
    """The next thing that happens by itself, and when. ``what`` is a sentence part for people."""

    at: datetime
    what: str


def next_thing(contacts: QuerySet[Contact]) -> NextThing | None:
    """Return what happens next to any of ``contacts``, or None if nothing waits for a time."""
    now = clock.now()
    found = [thing for thing in (_next_step(contacts, now), _next_text(contacts, now)) if thing]
    return min(found, key=lambda thing: thing.at, default=None)


def forward(delta: timedelta) -> datetime:
    """Move the time ahead by ``delta`` for the site, the workers and the phone network; return the new time.

    :raises NetworkUnavailable: if the phone network did not hear of it. The site's time has moved all the same.
    """
    return _tell_everybody(clock.forward(delta))


def forward_to(moment: datetime) -> datetime:
    """Move the time ahead to ``moment``, as ``forward`` does."""
    return _tell_everybody(clock.forward_to(moment))


def _tell_everybody(now: datetime) -> datetime:
    try:
        # the network keeps a time of its own: setting it also heals one that was left behind
        network().set_clock(now)
    finally:
        clock.wait_for_caches()
        for pump in PUMPS:
            nudge(pump)
    return now


def _next_step(contacts: QuerySet[Contact], now: datetime) -> NextThing | None:
    run = (
        Enrollment.objects.filter(contact__in=contacts, status=Enrollment.Status.WAITING, wake_at__gt=now)
        .select_related("contact", "flow")
        .order_by("wake_at", "pk")
        .first()
    )
    if run is None or run.wake_at is None:
        return None
    put_off = run.contact.decisions.filter(enrollment=run, verdict=Decision.Verdict.DEFER, until=run.wake_at).exists()
    words = _("Put-off text of “%(flow)s” to %(person)s") if put_off else _("Next step of “%(flow)s” for %(person)s")
    return NextThing(run.wake_at, words % {"flow": run.flow, "person": run.contact})


def _next_text(contacts: QuerySet[Contact], now: datetime) -> NextThing | None:
    message = (
        Message.objects.filter(contact__in=contacts, state=Message.State.QUEUED, not_before__gt=now)
        .select_related("contact")
        .order_by("not_before", "pk")
        .first()
    )
    if message is None:
        return None
    return NextThing(message.not_before, _("Queued text to %(person)s") % {"person": message.contact})
