"""The pump ``let_in``: lets a crowd into a flow, a batch at a time.

The place in the crowd moves in the same transaction as its people: a worker that is
killed leaves nobody half let in, and the next one goes on where it stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet

from smsflow_plugin import clock
from smsflow_plugin.audience.filters import Condition
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine.facts import Programs
from smsflow_plugin.engine.models import Enrollment, Intake
from smsflow_plugin.engine.raising import Wanted, raise_events
from smsflow_plugin.engine.selection import NotSelectable, select
from smsflow_plugin.engine.starting import TOO_LATE
from smsflow_plugin.governance.panic import stopped
from smsflow_plugin.stores.models import Store

logger = logging.getLogger(__name__)

#: The events that a crowd gets; other kinds of intake belong to other pumps.
KINDS = ("entered_by_hand", "scheduled")


def let_in(limit: int | None = None) -> int:
    """Let one batch of one crowd in; return how many people were looked at. 0 means that no crowd waits.

    A crowd of a paused or closed flow waits until it goes on, as one of a store that stands still; one of a flow
    that is off is stopped, and so is one whose planned time is long over. One that makes no sense is passed over:
    no other waits for it.
    """
    now = clock.now()
    waiting = Intake.objects.filter(state=Intake.State.WAITING, kind__in=KINDS)
    over = Q(flow__live=False) | Q(kind="scheduled", created_at__lt=now - TOO_LATE)
    waiting.filter(over).update(state=Intake.State.STOPPED, finished_at=now)
    open_ = stopped().going(
        waiting.filter(
            flow__live=True,
            flow__paused_at__isnull=True,
            flow__closed_at__isnull=True,
            flow__current_version__isnull=False,
            store__status=Store.Status.ACTIVE,
        )
    )
    for pk in open_.order_by("pk").values_list("pk", flat=True):
        try:
            if seen := _let_in(open_.filter(pk=pk), limit or smsflow_settings.BATCH_SIZE, now):
                return seen
        except OperationalError:
            raise  # a deadlock or a lock on SQLite: both pass
        except Exception:
            logger.exception("The crowd %s cannot be let in; the next look tries again.", pk)
    return 0


@transaction.atomic
def _let_in(intakes: QuerySet[Intake], limit: int, now: datetime) -> int:
    """Let one batch of this crowd in, unless somebody else is at it, or its flow cannot be read by now."""
    intake = intakes.select_related("flow").select_for_update(skip_locked=True, of=("self",)).first()
    if intake is None or not Programs.load([intake.flow.current_version_id]):
        return 0
    people = crowd(intake, now)
    if intake.total is None:
        intake.total = people.count()
    ids = list(people.filter(pk__gt=intake.cursor).order_by("pk").values_list("pk", flat=True)[:limit])
    intake.entered += _enter(intake, ids, now)
    intake.seen += len(ids)
    if ids:
        intake.cursor = ids[-1]
    if len(ids) < limit:
        intake.state, intake.finished_at = Intake.State.DONE, now
    intake.save(update_fields=["total", "cursor", "seen", "entered", "state", "finished_at"])
    # a crowd that turned out to be empty must not look like the end of all work
    return max(1, len(ids))


def crowd(intake: Intake, now: datetime) -> QuerySet[Contact]:
    """Return the people of an intake: those named, or those whom its condition selects."""
    people: QuerySet[Contact] = Contact.objects.filter(store_id=intake.store_id)
    if intake.contact_ids is not None:
        return people.filter(pk__in=intake.contact_ids)
    condition = intake.condition if intake.condition is not None else _audience(intake)
    try:
        return select(condition, store_id=intake.store_id, now=now)
    except NotSelectable:
        # it asks about the event itself, which comes with each person: they are all asked one by one
        return people


def _audience(intake: Intake) -> Condition:
    version = intake.flow.current_version_id
    program = Programs.load([version]).get(version) if version else None
    return program.audience if program else {"any": []}


def _enter(intake: Intake, contact_ids: Sequence[int], now: datetime) -> int:
    """Give the people the event of this intake; return how many entered the flow by it."""
    data = {**intake.data, "flow": intake.flow_id}
    if not intake.apply_audience:
        data["apply_audience"] = False
    if intake.test_pace:
        data["test_pace"] = intake.test_pace
    wanted = [Wanted(pk, f"{intake.key}:{pk}", now, "", data) for pk in contact_ids]
    events = raise_events(intake.store_id, intake.kind, wanted, now)
    if not events:
        return 0
    ids = [event.pk for event in events]
    return Enrollment.objects.filter(flow_id=intake.flow_id, trigger_event_id__in=ids).count()
