"""How much waits for somebody, in all the lists at once: one query for a request, however many lines of the menu ask.

Counts are those of this moment. Nothing is kept from one request to the next: who has just answered the last of what
waits must not read on the next page that there is one more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, CharField, Count, F, Model, Q, QuerySet, Value
from django.db.models.functions import Cast
from django.http import HttpRequest

from smsflow_plugin.conversations.reading import waiting_for
from smsflow_plugin.models import Batch, BreakerTrip, Delivery, ExperimentStanding, PanicStop, ReplyReview, Store

#: In which state rows of these wait.
STATES: Mapping[type[Model], str] = {
    Batch: Batch.State.PARKED,
    BreakerTrip: BreakerTrip.State.OPEN,
    Delivery: Delivery.State.PARKED,
    ReplyReview: ReplyReview.State.OPEN,
}

_KEPT = "_smsflow_waiting"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Counts by model and store; None as a store stands for the whole site. ``PanicStop`` counts what is stopped."""

    counts: Mapping[tuple[str, int | None], int]

    def of(self, model: type[Model], store_id: int | None = None) -> int:
        """Return how many rows wait: in one store, or in all that the user may see."""
        name = model._meta.model_name
        if store_id is not None:
            return self.counts.get((str(name), store_id), 0)
        return sum(count for (kind, _store), count in self.counts.items() if kind == name)


def waiting(request: HttpRequest) -> Waiting:
    """Return what waits in the stores of the user, as far as they may see it. Asks once for each request."""
    found = getattr(request, _KEPT, None)
    if not isinstance(found, Waiting):
        found = Waiting(_counts(request.user))
        setattr(request, _KEPT, found)
    return found


def _counts(user: Any) -> dict[tuple[str, int | None], int]:
    first, *others = (_grouped(rows) for rows in _rows(user))
    return {(kind, store_id): count for kind, store_id, count in first.union(*others, all=True)}


def _rows(user: Any) -> Iterator[QuerySet[Any, Any]]:
    yield waiting_for(user)
    for model, state in STATES.items():
        rows: Any = model._default_manager
        yield rows.visible_to(user).filter(state=state)
    # what became of tests is told for some time, which its reader knows: here, that there may be something to tell
    yield ExperimentStanding.objects.visible_to(user).exclude(outcome="")
    own = Store.objects.visible_to(user)
    # a stop of the whole site is everybody's
    yield PanicStop.objects.filter(Q(store=None) | Q(store__in=own), released_at=None)


def _grouped(rows: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    kind = Value(str(rows.model._meta.model_name), CharField())
    named = rows.order_by().annotate(waits_as=kind, store_of=Cast(F("store_id"), BigIntegerField()))
    return named.values_list("waits_as", "store_of").annotate(rows_waiting=Count("pk"))
