"""The pump that writes weekly reports: once for each store and week, to everybody who asked for them.

The letters of a store and the mark that its week has been told are one transaction, so a worker that dies has done
both or neither. They are sent by the pump ``tell_staff``, as all e-mails to staff; (store, key) is unique there.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from smsflow_plugin import clock
from smsflow_plugin.engine.notices import queue_letters
from smsflow_plugin.measurement.weekly.letters import Letter, letter
from smsflow_plugin.measurement.weekly.readers import Reader, reader, readers_of, wanted
from smsflow_plugin.measurement.weekly.reading import Week, week_of, weeks_of
from smsflow_plugin.measurement.weekly.weeks import due, monday_of
from smsflow_plugin.stores.changes import clock_of
from smsflow_plugin.stores.models import Store

logger = logging.getLogger(__name__)

#: So many stores are read and told of together.
LIMIT = 25

#: An e-mail to staff, as ``queue_letters`` takes it.
Row = tuple[int, str, list[str], str, str, str]


def tell_weekly(limit: int = LIMIT) -> int:
    """Write the reports that are due now, of so many stores; return of how many. 0 means that none is due."""
    now = clock.now()
    by_monday: dict[date, list[int]] = defaultdict(list)
    for pk, monday in _due(now)[:limit]:
        by_monday[monday].append(pk)
    return sum(_tell(ids, monday) for monday, ids in by_monday.items())


def letter_now(store: Store, user: Any) -> Letter:
    """Return the report of the last full week as ``user`` would get it."""
    return letter(week_now(store), reader(user, store))


def week_now(store: Store) -> Week:
    """Return the last full week of a store."""
    return week_of(store, monday_of(clock.now(), clock_of(store.timezone)))


def send_now(store: Store, user: Any) -> bool:
    """Queue the report of the last full week for ``user`` alone; return whether it was (not twice in a second)."""
    written = letter_now(store, user)
    key = f"weekly:now:{user.pk}:{clock.now():%Y%m%d%H%M%S}"
    return bool(queue_letters([(store.pk, key, [user.email], written.subject, written.text, written.html)]))


def _due(now: datetime) -> list[tuple[int, date]]:
    rows = Store.objects.filter(wanted()).exclude(status=Store.Status.UNINSTALLED).order_by("pk")
    found = (
        (pk, due(now, clock_of(zone), told)) for pk, zone, told in rows.values_list("pk", "timezone", "reported_on")
    )
    return [(pk, monday) for pk, monday in found if monday is not None]


def _tell(ids: Sequence[int], monday: date) -> int:
    """Read first, then write in one go; another worker who has read the same finds the week told."""
    stores = list(Store.objects.filter(pk__in=ids).order_by("pk"))
    weeks = weeks_of(stores, monday)
    rows = [row for one in readers_of(ids) if one.store_id in weeks for row in _row(weeks[one.store_id], one, monday)]
    with transaction.atomic():
        untold = Store.objects.filter(Q(reported_on__isnull=True) | Q(reported_on__lt=monday), pk__in=ids)
        mine = set(untold.order_by("pk").select_for_update().values_list("pk", flat=True))
        queue_letters(row for row in rows if row[0] in mine)
        Store.objects.filter(pk__in=mine).update(reported_on=monday)
    return len(stores)


def _row(week: Week, one: Reader, monday: date) -> Iterator[Row]:
    try:
        written = letter(week, one)
    except Exception:  # one store's letter must not stop those of all others
        logger.exception("The weekly report of store %s could not be written.", week.store.pk)
        return
    key = f"weekly:{monday.isoformat()}:{one.user_id}"
    yield week.store.pk, key, [one.email], written.subject, written.text, written.html
