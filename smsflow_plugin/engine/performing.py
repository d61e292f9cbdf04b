"""The perform pump: does what runs want done outside the database.

Between two commits: effects become ``working``, then each is done, then its result is
written and the run that waits for it wakes. What was cut off in between is done again
where that does no harm (the other side sees the same key twice), and else called
failed: an e-mail to a person goes at most once.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from django.db import transaction
from django.db.models import Min, QuerySet
from django.utils.module_loading import import_string

from smsflow_plugin import bulk, clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine import alarms, offers
from smsflow_plugin.engine.models import Effect, Enrollment
from smsflow_plugin.engine.starting import class_of_run
from smsflow_plugin.governance.panic import stopped
from smsflow_plugin.stores.models import Store

logger = logging.getLogger(__name__)

#: Calls take seconds: a few at a time, so that a worker that dies leaves little behind.
CLAIM = 20

#: What is still working after this was cut off. Longer than a claim of slow calls takes.
LEASE = timedelta(minutes=5)

#: How long after each failure the next try comes. After the last one it has failed.
PAUSES = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=4))

#: Kinds that nobody minds to see twice, as the other side knows them by their key.
REPEATABLE = frozenset({Effect.Kind.WEBHOOK, Effect.Kind.DISCOUNT, Effect.Kind.NOTICE})


@dataclass(frozen=True, slots=True)
class Job:
    """One effect to be done. ``key`` is the same for every try: whoever does it must do it once for each key."""

    key: str
    store: Store
    contact: Contact
    flow_name: str
    message_class: str
    payload: dict[str, Any]


class Failed(Exception):
    """It could not be done, with a sentence for a person. ``again``: trying once more may help."""

    def __init__(self, message: str, *, again: bool = False) -> None:
        self.again = again
        super().__init__(message)


class Performer(Protocol):
    """Does one kind of effect. Found by the setting PERFORMERS."""

    def __call__(self, job: Job) -> Any:
        """Do it, and return plain JSON for the run that asked.

        :raises Failed: if it could not be done.
        """


def perform(limit: int = CLAIM) -> int:
    """Do one batch of effects; return how many. 0 means that nothing is to be done now."""
    claimed = _claim(limit)
    for effect in claimed:
        _settle(effect, _do(effect))
    return len(claimed)


def next_effect() -> Any:
    """Return when the next effect is due, or None."""
    return _waiting().aggregate(at=Min("not_before"))["at"]


def _waiting() -> QuerySet[Effect]:
    """Return what is to be done, now or later. What a pause or the panic switch holds waits until that ends."""
    unfinished = Effect.objects.filter(
        state__in=(Effect.State.QUEUED, Effect.State.WORKING), store__status=Store.Status.ACTIVE
    )
    return stopped().going(unfinished.exclude(flow__paused_at__isnull=False))


@transaction.atomic
def _claim(limit: int) -> Sequence[Effect]:
    now = clock.now()
    effects = list(
        _waiting()
        .filter(not_before__lte=now)
        .select_related("store", "contact", "flow", "enrollment__version", "enrollment__trigger_event")
        .order_by("not_before", "pk")
        .select_for_update(skip_locked=True, of=("self",))[:limit]
    )
    bulk.update(
        Effect,
        ("state", "attempts", "not_before"),
        [(effect.pk, Effect.State.WORKING.value, effect.attempts + 1, now + LEASE) for effect in effects],
    )
    return effects


@dataclass(frozen=True, slots=True)
class _Result:
    value: Any = None
    error: str = ""
    again: bool = False
    #: Nobody was asked at all.
    untried: bool = False


def _do(effect: Effect) -> _Result:
    if effect.state == Effect.State.WORKING and effect.kind not in REPEATABLE:
        return _Result(error="It was cut off half-way; nobody knows whether it went out.")
    if effect.flow is not None and not effect.flow.live and effect.enrollment.test_pace is None:
        return _Result(error="The flow is off.", untried=True)
    try:
        return _Result(value=_storable(performer(effect.kind)(_job(effect))))
    except Failed as failure:
        return _Result(error=str(failure), again=failure.again)
    except Exception as error:
        logger.exception("Effect %s failed in an unforeseen way.", effect.pk)
        return _Result(error=f"{type(error).__name__}: {error}", again=effect.kind in REPEATABLE)


def _job(effect: Effect) -> Job:
    trigger = effect.enrollment.trigger_event
    return Job(
        key=f"{effect.enrollment_id}:{effect.step}:{effect.visit}",
        store=effect.store,
        contact=effect.contact,
        flow_name=effect.flow.name if effect.flow else "",
        message_class=class_of_run(
            effect.enrollment.version.program.get("message_class", "marketing"),
            trigger.kind if trigger else None,
            trigger.data if trigger else {},
        ),
        payload=effect.payload,
    )


def _storable(value: Any) -> Any:
    """Return an answer that every database keeps: PostgreSQL's JSON has no NUL and no half of a character.

    :raises Failed: if it is no JSON at all, as JSON knows no infinity.
    """
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        text = text.replace("\\\\", "\\u005c").replace("\\u0000", "")
        return json.loads(text.encode(errors="replace"))
    except (TypeError, ValueError, RecursionError) as error:
        raise Failed("The answer cannot be kept.") from error


def performer(kind: str) -> Performer:
    """Return who does effects of this kind.

    :raises Failed: if nobody does.
    """
    path = smsflow_settings.PERFORMERS.get(kind)
    if path is None:
        raise Failed(f"Nobody here does effects of the kind {kind}.")
    found: Performer = import_string(path)
    return found


def _settle(effect: Effect, result: _Result) -> None:
    """Write down what came of it, and wake the run that waits for it."""
    now = clock.now()
    tries = effect.attempts  # before this one
    with transaction.atomic():
        mine = Effect.objects.filter(pk=effect.pk, state=Effect.State.WORKING, attempts=tries + 1)
        if result.error and result.again and tries < len(PAUSES):
            mine.update(
                state=Effect.State.QUEUED, not_before=now + PAUSES[tries], result={"error": result.error[:2000]}
            )
            return
        # the contact first, as everywhere
        contact = Contact.objects.select_for_update().filter(pk=effect.contact_id).first()
        state = Effect.State.FAILED if result.error else Effect.State.DONE
        stored = {"error": result.error[:2000]} if result.error else {"value": result.value}
        if not mine.update(state=state, result=stored, finished_at=now):
            return
        if effect.kind == Effect.Kind.DISCOUNT:
            offers.settle(effect, result.value, now)
            if result.error and not result.untried:
                alarms.no_code(effect, result.error, now)
        if effect.waits and contact is not None:
            woken = Enrollment.objects.filter(pk=effect.enrollment_id, status=Enrollment.Status.WAITING)
            if woken.update(wake_at=now):
                bulk.update(Contact, ("wake_at",), [(contact.pk, now)], least=("wake_at",))
