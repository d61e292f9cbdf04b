"""How many texts were not sent, by day, flow and reason: counted once when a day is over, and live for the rest.

A day is one of the store's own clock. What is counted never changes: the ledger is only ever added to. ``Heartbeat``
keeps up to when it was counted, and whatever came after that is added up from the ledger itself, so the numbers are
right whether or not the worker runs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models, transaction
from django.db.models import Count, Sum
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import bulk, clock
from smsflow_plugin.governance import codes
from smsflow_plugin.governance.columns import CodeField
from smsflow_plugin.governance.ledger import Decision
from smsflow_plugin.stores.models import Heartbeat, Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet

_HEARTBEAT = "unsent"

#: A day is counted when it has been over for so long: what was decided before midnight is committed by then.
SETTLED = timedelta(hours=1)

_DAY = timedelta(days=1)


class UnsentDay(models.Model):
    """How often one reason kept a flow's texts back on one day of its store."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    #: 0 for texts of no flow; no constraint, as what was counted stays when a flow goes.
    flow_id = models.BigIntegerField(default=0)
    verdict = CodeField(codes=codes.VERDICTS)
    reason = CodeField(codes=codes.REASONS)
    texts = models.PositiveIntegerField()

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("count of what was not sent")
        verbose_name_plural = _("counts of what was not sent")
        constraints = [
            models.UniqueConstraint(fields=["store", "day", "flow_id", "verdict", "reason"], name="smsflow_unsent_day")
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.texts} {self.reason}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is about: days of the stores' own clocks, and what else narrows it."""

    first: date
    last: date
    flow_id: int | None = None
    verdict: str = ""
    reason: str = ""


Key = tuple[date, int, str, str]


def counts(stores: Iterable[Store], wanted: Wanted) -> Counter[Key]:
    """Return how many texts of ``stores`` were not sent, by (day, flow, verdict, reason).

    One query for what is counted, and one for each time zone in which something is not yet.
    """
    found: Counter[Key] = Counter()
    since = _counted_until()
    for zone, ids in _by_zone(stores).items():
        closed = _last_closed(zone, since)
        if closed is not None and closed >= wanted.first:
            _add(found, _counted(ids, wanted, min(closed, wanted.last)))
        first = wanted.first if closed is None else max(wanted.first, closed + _DAY)
        if first <= wanted.last:
            _add(found, _live(ids, wanted, zone, first))
    return found


def _add(found: Counter[Key], rows: Iterable[tuple[Any, ...]]) -> None:
    for day, flow_id, verdict, reason, texts in rows:
        found[day, flow_id or 0, verdict, reason] += texts


def _counted(ids: Sequence[int], wanted: Wanted, last: date) -> Iterable[tuple[Any, ...]]:
    rows = UnsentDay.objects.filter(store_id__in=ids, day__gte=wanted.first, day__lte=last)
    rows = rows.filter(**_narrowed(wanted, no_flow=0))
    columns = ("day", "flow_id", "verdict", "reason")
    return rows.order_by().values_list(*columns).annotate(sum=Sum("texts"))


def _live(ids: Sequence[int], wanted: Wanted, zone: str, first: date) -> Iterable[tuple[Any, ...]]:
    rows = _between(ids, zone, first, wanted.last).filter(**_narrowed(wanted, no_flow=None))
    return _grouped(rows, zone, "flow_id")


def _grouped(rows: Any, zone: str, *columns: str) -> Any:
    rows = rows.annotate(day=TruncDate("at", tzinfo=ZoneInfo(zone)))
    return rows.order_by().values_list("day", *columns, "verdict", "reason").annotate(count=Count("pk"))


def _between(ids: Sequence[int], zone: str, first: date | None, last: date) -> Any:
    rows = Decision.objects.filter(store_id__in=ids, verdict__gt=codes.ALLOW, at__lt=_midnight(last + _DAY, zone))
    return rows if first is None else rows.filter(at__gte=_midnight(first, zone))


def _narrowed(wanted: Wanted, *, no_flow: int | None) -> dict[str, Any]:
    narrowed: dict[str, Any] = {}
    if wanted.flow_id is not None:
        narrowed["flow_id"] = wanted.flow_id or no_flow
    if wanted.verdict:
        narrowed["verdict"] = wanted.verdict
    if wanted.reason:
        narrowed["reason"] = wanted.reason
    return narrowed


def count_unsent() -> int:
    """Count the days that have come to an end since last time, for all stores; return how many rows that made.

    One statement for each time zone. Counting again changes nothing.
    """
    until = clock.now() - SETTLED
    since = _counted_until()
    zones = _by_zone(Store.objects.only("timezone"))
    due = {zone: ids for zone, ids in zones.items() if _last_closed(zone, until) != _last_closed(zone, since)}
    if not due:
        return 0
    written = 0
    with transaction.atomic():
        for zone, ids in due.items():
            written += _count(zone, ids, since, until)
        Heartbeat.objects.update_or_create(name=_HEARTBEAT, defaults={"at": until})
    return written


def _count(zone: str, ids: Sequence[int], since: datetime | None, until: datetime) -> int:
    before, last = _last_closed(zone, since), _last_closed(zone, until)
    assert last is not None
    rows = _grouped(_between(ids, zone, before + _DAY if before else None, last), zone, "store_id", "flow_id")
    return bulk.insert(
        UnsentDay,
        ("day", "store_id", "flow_id", "verdict", "reason", "texts"),
        [(day, store_id, flow_id or 0, *rest) for day, store_id, flow_id, *rest in rows],
    )


def _counted_until() -> datetime | None:
    at: datetime | None = Heartbeat.objects.filter(name=_HEARTBEAT).values_list("at", flat=True).first()
    return at


def _last_closed(zone: str, until: datetime | None) -> date | None:
    """Return the last day that was over at ``until`` in ``zone``."""
    return None if until is None else until.astimezone(ZoneInfo(zone)).date() - _DAY


def _by_zone(stores: Iterable[Store]) -> Mapping[str, list[int]]:
    zones: dict[str, list[int]] = defaultdict(list)
    for store in stores:
        zones[store.timezone].append(store.pk)
    return zones


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone))


def moments(wanted: Wanted, zone: str) -> Iterator[datetime]:
    """Yield when the first day begins and when the last one is over."""
    yield _midnight(wanted.first, zone)
    yield _midnight(wanted.last + _DAY, zone)
