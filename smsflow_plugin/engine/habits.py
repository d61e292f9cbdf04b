"""What people's habits tell: how often they buy, how much, and at which hour they look at their phones.

The counting is pure; ``learn`` is the pump that adds the people of each store up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from django.db import connections, router

from smsflow_plugin import bulk, clock
from smsflow_plugin.audience.behaviour import marks
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.stores.models import Heartbeat, Store

#: Kinds of event that show that the person was awake and willing.
ACTIVE = frozenset({"order_created", "checkout_updated", "message_received", "link_clicked"})

#: Orders that are remembered: enough for a median, and for a taste that changes.
REMEMBERED = 12

#: Nobody uses something up in less, or is reminded after more, than so many days.
SHORTEST, LONGEST = 5, 365

#: So often must a person, or a store's people, have done something before it says anything.
ENOUGH, ENOUGH_FOR_A_STORE = 3, 50

LEARN_EVERY = timedelta(days=1)
_HEARTBEAT = "habits"
_HOURS = 24
_CENT = Decimal("0.01")


def count_hour(hours: Sequence[int], moment: datetime) -> list[int]:
    """Return ``hours`` with one more in the hour of ``moment``, which is in the person's own time."""
    counted = list(hours) if len(hours) == _HOURS else [0] * _HOURS
    counted[moment.hour] += 1
    return counted


def best_hour(hours: Sequence[int], enough: int = ENOUGH) -> int | None:
    """Return the hour (0-23) at which the most happened, or None while too little did.

    Neighbouring hours count half: who acted at 17:55 and 18:05 acts around six.
    """
    if len(hours) != _HOURS or sum(hours) < enough:
        return None
    weights = [2 * hours[h] + hours[h - 1] + hours[(h + 1) % _HOURS] for h in range(_HOURS)]
    return max(range(_HOURS), key=lambda h: (weights[h], hours[h]))


def remember_order(times: Sequence[float], ordered_at: datetime) -> list[int]:
    """Return the Unix times of the last orders, oldest first, with this one."""
    return sorted({*(int(moment) for moment in times), int(ordered_at.timestamp())})[-REMEMBERED:]


def used_up_at(times: Sequence[float]) -> datetime | None:
    """Return when what was bought last is probably used up, or None before the second order."""
    if len(times) < 2:
        return None
    gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    interval = min(max(timedelta(seconds=median(gaps)), timedelta(days=SHORTEST)), timedelta(days=LONGEST))
    return datetime.fromtimestamp(times[-1], UTC) + interval


def learn() -> int:
    """Once a day, learn at which hour each store's people react, and from which sum on they are among its best.

    Two passes in SQL. Returns how many stores changed.
    """
    now = clock.now()
    last = Heartbeat.objects.filter(name=_HEARTBEAT).values_list("at", flat=True).first()
    if last is not None and now - last < LEARN_EVERY:
        return 0
    Heartbeat.objects.update_or_create(name=_HEARTBEAT, defaults={"at": now})
    by_store: dict[int, list[int]] = {}
    for store_id, hour, count in _hours_of_stores():
        by_store.setdefault(store_id, [0] * _HOURS)[int(hour)] = int(count)
    least: dict[int, list[tuple[int, Decimal]]] = {}
    for store_id, hundredth, spent in _spending_of_stores():
        least.setdefault(store_id, []).append((int(hundredth), Decimal(str(spent)).quantize(_CENT)))
    changed = []
    for pk, hour, known in Store.objects.values_list("pk", "best_hour", "spend_marks"):
        best = best_hour(by_store.get(pk, ()), ENOUGH_FOR_A_STORE)
        learnt = (hour if best is None else best, marks(least.get(pk, ())))
        if learnt != (hour, known):
            changed.append((pk, *learnt))
    bulk.update(Store, ("best_hour", "spend_marks"), changed)
    return len(changed)


def _spending_of_stores() -> list[Any]:
    """Return (store, hundredth of its customers, the least that anybody in it has spent), the best hundredth being 0.

    People of the same sum may stand on both sides of a border: all of them reach the mark.
    """
    connection = connections[router.db_for_read(Contact)]
    ranked = (
        "SELECT store_id, total_spent,"  # noqa: S608 - names only
        " (ROW_NUMBER() OVER (PARTITION BY store_id ORDER BY total_spent DESC) - 1) * 100"
        " / COUNT(*) OVER (PARTITION BY store_id) AS hundredth"
        f" FROM {Contact._meta.db_table} WHERE total_spent > 0"
    )
    sql = f"SELECT store_id, hundredth, MIN(total_spent) FROM ({ranked}) AS ranked GROUP BY 1, 2"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def _hours_of_stores() -> list[Any]:
    """Return (store, hour, how much happened) over all people: added up by the database, whatever their number."""
    connection = connections[router.db_for_read(Contact)]
    table, hours = Contact._meta.db_table, "active_hours"
    if connection.vendor == "postgresql":
        numbers = f"jsonb_array_elements_text(c.{hours}) WITH ORDINALITY AS h(count, place)"
        hour, count, filled = "h.place - 1", "h.count::bigint", f"jsonb_array_length(c.{hours}) = {_HOURS}"
    else:
        numbers, hour, count = f"json_each(c.{hours}) AS h", "h.key", "h.value"
        filled = f"json_array_length(c.{hours}) = {_HOURS}"
    sql = (
        f"SELECT c.store_id, {hour}, SUM({count}) FROM {table} c, {numbers} "  # noqa: S608 - names only
        f"WHERE {filled} GROUP BY 1, 2"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())
