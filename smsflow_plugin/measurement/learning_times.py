"""Learns once a night at which part of the day each store's people click, from the texts of the last half year."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, ExtractHour, NullIf

from smsflow_plugin import bulk, clock
from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.governance.hours import Window
from smsflow_plugin.measurement.best_time import Hours, day_parts, judge
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.stores.models import Heartbeat, Store

#: Texts of so many days count: people change.
DAYS = 180
#: A click counts within so long after a text, and a text that is older: who sleeps may still click.
CLICKS_WITHIN = timedelta(hours=24)
LEARN_EVERY = timedelta(days=1)
#: So many stores are counted together.
STORES = 100

_HEARTBEAT = "send_times"


def learn() -> int:
    """Once a day, learn the parts of the day of all active stores; return how many plans changed."""
    now = clock.now()
    last = Heartbeat.objects.filter(name=_HEARTBEAT).values_list("at", flat=True).first()
    if last is not None and now - last < LEARN_EVERY:
        return 0
    Heartbeat.objects.update_or_create(name=_HEARTBEAT, defaults={"at": now})
    stores = list(Store.objects.filter(status=Store.Status.ACTIVE).order_by("pk"))
    return sum(learn_stores(stores[place : place + STORES]) for place in range(0, len(stores), STORES))


def learn_stores(stores: Sequence[Store]) -> int:
    """Learn the parts of the day of these stores; return how many plans changed. Few statements, however many texts."""
    counts = _counts([store.pk for store in stores])
    rules = rules_of(stores, keep=False)
    changed = []
    for store in stores:
        plan = judge(counts.get(store.pk, {}), parts_of(rules[store.pk].rules.week)).to_plan()
        if plan != store.send_times:
            changed.append((store.pk, plan))
    bulk.update(Store, ("send_times",), changed)
    return len(changed)


def parts_of(week: Sequence[Window | None]) -> tuple[Hours, ...]:
    """Cut the hours that a store may text on most days into parts: whole hours, up to midnight."""
    windows = Counter(window for window in week if window)
    if not windows:
        return ()
    opens, closes = windows.most_common(1)[0][0]
    first = opens.hour + bool(opens.minute or opens.second)
    last = 24 if closes <= opens or closes.hour == 23 and closes.minute == 59 else closes.hour
    return day_parts(first, last)


def _counts(store_ids: Collection[int]) -> dict[int, dict[Any, dict[int, tuple[int, int]]]]:
    """Return texts and clicks by store, step of a flow, and hour on the recipient's clock. Two statements."""
    now = clock.now()
    texts = Message.objects.filter(
        store_id__in=store_ids,
        queued_at__gte=now - timedelta(days=DAYS),
        accepted_at__lte=now - CLICKS_WITHIN,
        state=Message.State.DELIVERED,
        message_class=Message.Class.MARKETING,
        purpose="flow",
        flow__isnull=False,
    ).annotate(zone=Coalesce(NullIf("contact__timezone", Value("")), "store__timezone"))
    clicked = Q(clicked_at__lte=F("accepted_at") + CLICKS_WITHIN)
    rows = (
        texts.annotate(hour=_local_hour(texts))
        .order_by()
        .values_list("store_id", "flow_id", "step", "hour")
        .annotate(sent=Count("pk"), clicks=Count("pk", filter=clicked))
    )
    found: dict[int, dict[Any, dict[int, tuple[int, int]]]] = defaultdict(lambda: defaultdict(dict))
    for store_id, flow_id, step, hour, sent, clicks in rows:
        found[store_id][flow_id, step][hour] = (sent, clicks)
    return found


def _local_hour(texts: QuerySet[Message, Any]) -> Case:
    """Return the hour at which a text left on its recipient's clock: an expression with a case for each zone."""
    cases = []
    for name in sorted(texts.order_by().values_list("zone", flat=True).distinct()):
        try:
            zone = ZoneInfo(name)
        except (KeyError, ValueError, OSError):  # a zone that this machine does not know
            continue
        cases.append(When(zone=name, then=ExtractHour("accepted_at", tzinfo=zone)))
    return Case(*cases, default=ExtractHour("accepted_at"), output_field=IntegerField())
