"""The roll-up pump: counts days of stores anew whose facts have changed, and writes what came out in their place.

``ChangedDay`` says which days. Whoever counts one holds its ``StoreStat``, takes away what was noted of it, and only
then reads the facts; so what is committed meanwhile is noted anew, and counted again. A day is always counted as a
whole, from the facts alone (``measurement.counting``): counting it twice, late or by two workers comes to the same.

After each count a day rests, four times as long as counting it took and two seconds at least. So a store with very many
texts costs a fifth of a worker at most, and the figures of any other are a few seconds old.
"""

from __future__ import annotations

import time as machine
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, Min, OuterRef, QuerySet, Sum

from smsflow_plugin import bulk, clock
from smsflow_plugin.attribution.models import Conversion
from smsflow_plugin.audience.models import ConsentRecord
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.engine.purging import periods
from smsflow_plugin.events.models import Event
from smsflow_plugin.governance.ledger import Decision
from smsflow_plugin.links.models import Click
from smsflow_plugin.measurement.counting import AMOUNTS, KEY, Day, flow_rows, happenings
from smsflow_plugin.measurement.models import FlowStat, StoreStat
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.stores.changes import ChangedDay, clock_of, note_days
from smsflow_plugin.stores.models import Store

#: A day rests after it was counted, so many times as long as that took, and within these limits.
REST_TIMES, SHORTEST_REST, LONGEST_REST = 4, timedelta(seconds=2), timedelta(minutes=10)

#: So many days are counted, each in a transaction of its own, before the pump looks again.
LIMIT = 50

#: So many days back the nightly count goes, for whatever nobody has noted.
RECOUNTED = 3

#: What is purged is looked at a little earlier than it goes.
_MARGIN = timedelta(days=2)

#: By which moments the facts of a store lie in days.
_FACTS = (
    (Message, "queued_at"), (Enrollment, "entered_at"), (Enrollment, "finished_at"), (Conversion, "ordered_at"),
    (Conversion, "sent_at"), (ConsentRecord, "effective_at"), (Click, "at"), (Decision, "at"),
)  # fmt: skip


def roll_up(limit: int = LIMIT) -> int:
    """Count days anew that were noted and do not rest; return how many. 0 means that there is nothing to do now."""
    now = clock.now()
    noted = list(ChangedDay.objects.order_by().values_list("store_id", "day").annotate(first=Min("pk")))
    if not noted:
        return 0
    resting = set(_resting(now).values_list("store_id", "day"))
    due = sorted((first, store_id, day) for store_id, day, first in noted if (store_id, day) not in resting)[:limit]
    stores = Store.objects.in_bulk({store_id for _first, store_id, _day in due})
    # a store may go while we count; what was noted of it goes with it
    return sum(_count(stores[store_id], day) for _first, store_id, day in due if store_id in stores)


def next_roll_up() -> datetime | None:
    """Return when the next day that was noted has rested; None if none rests."""
    noted = ChangedDay.objects.filter(store_id=OuterRef("store_id"), day=OuterRef("day"))
    at: datetime | None = _resting(clock.now()).filter(Exists(noted)).aggregate(at=Min("rests_until"))["at"]
    return at


def refresh(days: int = RECOUNTED) -> None:
    """Note the last days of all stores, so that nothing that went wrong lasts."""
    now = clock.now()
    rows = Store.objects.values_list("pk", "timezone")
    today = {pk: now.astimezone(clock_of(zone)).date() for pk, zone in rows}
    note_days({(pk, day - timedelta(days=back)) for pk, day in today.items() for back in range(days)})


def rebuild(store: Store | None = None) -> int:
    """Count all days anew, of one store or of all; return how many.

    What was blanked since is not counted again: its figures stay (see ``_kept_since``).
    """
    stores = [store] if store else list(Store.objects.order_by("pk"))
    counted = 0
    for one in stores:
        for day in _days_of(one):
            while not _count(one, day, rests=False):
                machine.sleep(0.1)  # another worker has it
            counted += 1
    return counted


def _resting(now: datetime) -> QuerySet[StoreStat, StoreStat]:
    return StoreStat.objects.filter(rests_until__gt=now)


@transaction.atomic
def _count(store: Store, day: date, *, rests: bool = True) -> bool:
    """Count one day anew; return whether it was done. Another worker who is at it has to do it again anyway."""
    started = machine.monotonic()
    bulk.insert(StoreStat, ("store_id", "day"), [(store.pk, day)])
    own = StoreStat.objects.filter(store=store, day=day).select_for_update(skip_locked=True).first()
    if own is None:
        return False
    # before anything is counted: what is committed from here on has a note of its own
    ChangedDay.objects.filter(store=store, day=day).delete()
    bounds = Day.of(store, day)
    rows = flow_rows(bounds)
    stored = FlowStat.objects.filter(store=store, day=day)
    if not _is_gone(stored, rows, day):
        stored.delete()
        bulk.insert(FlowStat, ("store_id", "day", *KEY, *AMOUNTS), [(store.pk, day, *row) for row in rows])
    counted = happenings(bounds)
    if day < _kept_since("events"):
        # what orders came to was blanked with their events
        counted.update(orders=own.orders, revenue=own.revenue)
    if not rows and not any(counted.values()):
        own.delete()
        return True
    for name, value in counted.items():
        setattr(own, name, value)
    if rests:
        took = timedelta(seconds=machine.monotonic() - started)
        own.rests_until = clock.now() + min(max(REST_TIMES * took, SHORTEST_REST), LONGEST_REST)
    own.save()
    return True


def _kept_since(kind: str) -> date:
    """Return the first day of which everything of this kind is certainly kept: what is older may be blanked."""
    days = periods()[kind]
    return date.min if days is None else (clock.now() - timedelta(days=days) + _MARGIN).date()


def _is_gone(stored: QuerySet[FlowStat, FlowStat], rows: Sequence[tuple[Any, ...]], day: date) -> bool:
    """Return whether texts of this day were taken away since it was counted: then its figures are all that is left.

    The purge only blanks them. But whoever drops old rows by hand, or a month's partition, loses no figures either.
    """
    if day >= _kept_since("messages"):
        return False
    place = len(KEY) + AMOUNTS.index("queued")
    before = stored.aggregate(texts=Sum("queued"))["texts"] or 0
    return bool(sum(row[place] for row in rows) < before)


def _days_of(store: Store) -> list[date]:
    """Return every day on which anything may have happened in the store, or of which there are figures."""
    zone = clock_of(store.timezone)
    ends = [at for model, column in _FACTS for at in _ends(model.objects.filter(store=store), column)]
    for kind in ("message_received", "order_created"):
        ends += _ends(Event.objects.filter(store=store, kind=kind), "occurred_at")
    days = {at.astimezone(zone).date() for at in ends}
    if days:
        first, last = min(days), max(days)
        days = {first + timedelta(days=n) for n in range((last - first).days + 1)}
    for model in (FlowStat, StoreStat):
        days.update(model.objects.filter(store=store).order_by().values_list("day", flat=True).distinct())
    return sorted(days)


def _ends(rows: QuerySet[Any, Any], column: str) -> list[datetime]:
    found = rows.aggregate(first=Min(column), last=Max(column))
    return [at for at in found.values() if at is not None]
