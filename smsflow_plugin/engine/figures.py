"""What live flows did lately and use to do, for the circuit breakers: a handful of statements for any number of them.

Texts count from when they were queued: so a flow that runs wild is seen while its texts still wait. An opt-out
counts for the flow whose text was the last that the person got within the 24 hours before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Case, Count, DateTimeField, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import TruncDate

from smsflow_plugin import bulk
from smsflow_plugin.events.models import Event
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.governance.breakers import BASELINE_DAYS, Baseline, Figures
from smsflow_plugin.governance.breakers import Count as Texts
from smsflow_plugin.governance.panic import released_since
from smsflow_plugin.governance.trips import FlowDay
from smsflow_plugin.messaging.gate import OF_TESTS, TEST
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.stores.models import Heartbeat

DAY, HOUR = timedelta(days=1), timedelta(hours=1)

#: The key of texts that no flow sent.
NO_FLOW = 0

#: Up to this day the days of flows are kept.
KEPT = "flow_days"

#: A day is kept when it has been over for so long: reports of its texts are in by then.
REPORTS_TAKE = timedelta(days=1)

_LEFT = Q(state__in=(Message.State.ACCEPTED, Message.State.DELIVERED, Message.State.FAILED))
_FAILED = Q(state=Message.State.FAILED)
_QUEUED = Q(state__in=(Message.State.QUEUED, Message.State.SENDING))


def figures_of(store_ids: Collection[int], now: datetime) -> dict[int, dict[int, Figures]]:
    """Return what the flows of these stores did, by store and flow; what no flow sent stands under ``NO_FLOW``.

    What was queued before a flow was resumed, or its store was let go again, has been judged by a person.
    """
    since = _since(store_ids, now)
    texts = _real(Message.objects.filter(store_id__in=store_ids, queued_at__gte=now - DAY))
    if since:
        fresh = Case(
            *(When(flow_id=pk, then=Value(at)) for pk, at in since.items()),
            default=Value(now - DAY),
            output_field=DateTimeField(),
        )
        texts = texts.filter(queued_at__gte=fresh)
    lately = Q(queued_at__gte=now - HOUR)
    counted = texts.order_by().values_list("store_id", "flow_id").annotate(
        left=Count("pk", filter=_LEFT),
        failed=Count("pk", filter=_FAILED),
        waiting=Count("pk", filter=_QUEUED),
        left_lately=Count("pk", filter=_LEFT & lately),
        failed_lately=Count("pk", filter=_FAILED & lately),
        waiting_lately=Count("pk", filter=_QUEUED & lately),
    )  # fmt: skip
    opt_outs = _opt_outs(store_ids, now - DAY, now, since)
    spend = _spend(texts)
    found: dict[int, dict[int, Figures]] = defaultdict(dict)
    for store_id, flow_id, left, failed, queued, *hour in counted:
        key = flow_id or NO_FLOW
        found[store_id][key] = Figures(
            Texts(left, failed, queued), Texts(*hour), opt_outs.get(key, 0), spend.get(flow_id), key in since
        )
    return found


def baselines_of(flow_ids: Collection[int], now: datetime) -> dict[int, Baseline]:
    """Return what these flows use to do on a day."""
    rows = FlowDay.objects.filter(flow_id__in=flow_ids, day__gte=(now - DAY * (BASELINE_DAYS + 1)).date())
    days: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for flow_id, *numbers in rows.values_list("flow_id", "texts", "failed", "opt_outs"):
        days[flow_id].append((numbers[0], numbers[1], numbers[2]))
    return {pk: Baseline.of(own) for pk, own in days.items()}


def keep_days(now: datetime) -> int:
    """Keep the days of all flows that are over and not kept yet; return how many rows that makes."""
    last = (now - REPORTS_TAKE).astimezone(UTC).date()  # this day is not over for long enough
    kept = Heartbeat.objects.filter(name=KEPT).values_list("at", flat=True).first()
    first = last - timedelta(days=BASELINE_DAYS)
    if kept is not None:
        first = max(first, kept.astimezone(UTC).date())
    if first >= last:
        return 0
    start, end = _midnight(first), _midnight(last)
    texts = _real(Message.objects.filter(queued_at__gte=start, queued_at__lt=end, flow__isnull=False)).filter(_LEFT)
    counted = (
        texts.order_by()
        .values_list("store_id", "flow_id", TruncDate("queued_at", tzinfo=UTC))
        .annotate(left=Count("pk"), failed=Count("pk", filter=_FAILED))
    )
    opt_outs = _opt_outs_by_day(start, end)
    rows = [
        (store, flow, day, texts, failed, opt_outs.get((flow, day), 0)) for store, flow, day, texts, failed in counted
    ]
    written = bulk.insert(FlowDay, ("store_id", "flow_id", "day", "texts", "failed", "opt_outs"), rows)
    Heartbeat.objects.update_or_create(name=KEPT, defaults={"at": end})
    return written


def _real(texts: QuerySet[Message]) -> QuerySet[Message]:
    return texts.exclude(purpose__in=(*OF_TESTS, TEST))


def _since(store_ids: Collection[int], now: datetime) -> dict[int, datetime]:
    """Return since when the figures of flows count that stood still within the last day."""
    released = released_since(store_ids, now - DAY)
    rows = Flow.objects.filter(
        Q(resumed_at__gt=now - DAY) | Q(store_id__in=released), store_id__in=store_ids, live=True
    ).values_list("pk", "store_id", "resumed_at")
    return {pk: max(at for at in (resumed_at, released.get(store_id)) if at) for pk, store_id, resumed_at in rows}


def _attributed(start: datetime, end: datetime) -> QuerySet[Event]:
    """Return opt-outs with the flow and the time of the last text before each."""
    before = (
        _real(Message.objects.filter(_LEFT, contact=OuterRef("contact")))
        .exclude(message_class=Message.Class.REPLY)
        .filter(queued_at__lte=OuterRef("occurred_at"), queued_at__gte=OuterRef("occurred_at") - Value(DAY))
        .order_by("-queued_at", "-pk")
    )
    return Event.objects.filter(kind="opted_out", occurred_at__gte=start, occurred_at__lt=end).annotate(
        last_flow=Subquery(before.values("flow")[:1]), last_at=Subquery(before.values("queued_at")[:1])
    )


def _opt_outs(
    store_ids: Collection[int], start: datetime, now: datetime, since: Mapping[int, datetime]
) -> dict[int, int]:
    """Return how many people each flow has made leave."""
    people: dict[int, set[int]] = defaultdict(set)
    rows = _attributed(start, now + timedelta(seconds=1)).filter(store_id__in=store_ids, last_flow__isnull=False)
    for flow_id, at, contact_id in rows.values_list("last_flow", "last_at", "contact_id"):
        if at >= since.get(flow_id, at):
            people[flow_id].add(contact_id)
    return {flow_id: len(own) for flow_id, own in people.items()}


def _opt_outs_by_day(start: datetime, end: datetime) -> dict[tuple[int, date], int]:
    rows = (
        _attributed(start, end)
        .filter(last_flow__isnull=False)
        .order_by()
        .values_list("last_flow", TruncDate("occurred_at", tzinfo=UTC))
        .annotate(people=Count("contact", distinct=True))
    )
    return {(flow_id, day): count for flow_id, day, count in rows}


def _spend(texts: QuerySet[Message]) -> dict[int | None, Decimal]:
    """Return what the texts of each flow cost, as they were priced when they were queued; without those of no price."""
    rows = texts.filter(_LEFT | Q(state=Message.State.SENDING), cost__isnull=False).order_by()
    return dict(rows.values_list("flow_id").annotate(paid=Sum("cost")))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
