"""Counts one day of a store from the facts. The number of statements does not depend on what happened on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, DurationField, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from smsflow_plugin.attribution import orders
from smsflow_plugin.attribution.models import Conversion
from smsflow_plugin.attribution.orders import Fact, Order
from smsflow_plugin.attribution.rules import NEVER_PURPOSES
from smsflow_plugin.audience.models import ConsentRecord
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.events.about_orders import about_orders
from smsflow_plugin.events.models import Event
from smsflow_plugin.governance import codes
from smsflow_plugin.governance.ledger import Decision
from smsflow_plugin.links.models import Click
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.stores.changes import clock_of
from smsflow_plugin.stores.models import Store

#: What names a row of figures, beside its store and day.
KEY = ("flow_id", "version_id", "step", "variant", "message_class")

#: What is counted in it.
AMOUNTS = (
    "entered", "finished", "left", "queued", "sent", "pending", "delivered", "failed", "expired", "clicked",
    "click_seconds", "replied", "opted_out", "parts", "cost", "orders", "revenue", "ordered", "earned",
)  # fmt: skip

_FINAL = ("delivered", "failed", "expired", "cancelled")
_SENT = Q(accepted_at__isnull=False)
_UNTIL_CLICK = ExpressionWrapper(
    F("clicked_at") - Coalesce(F("accepted_at"), F("queued_at")), output_field=DurationField()
)


@dataclass(frozen=True, slots=True)
class Day:
    """A day on a store's own clock: from its midnight to the next, which may be 23 or 25 hours later."""

    store: Store
    start: datetime
    end: datetime

    @classmethod
    def of(cls, store: Store, day: date) -> Day:
        zone = clock_of(store.timezone)
        start, end = (datetime.combine(one, time(), zone) for one in (day, day + timedelta(days=1)))
        return cls(store, start, end)

    def within(self, model: Any, column: str, **others: Any) -> QuerySet[Any, Any]:
        """Return the store's rows whose moment lies in this day."""
        rows: QuerySet[Any, Any] = model.objects.filter(store_id=self.store.pk, **others)
        return rows.filter(**{f"{column}__gte": self.start, f"{column}__lt": self.end}).order_by()


def flow_rows(day: Day) -> list[tuple[Any, ...]]:
    """Return the rows of ``FlowStat`` of this day: ``KEY``, then ``AMOUNTS``. Five statements."""
    sums: dict[tuple[Any, ...], dict[str, Any]] = defaultdict(dict)
    for key, amounts in [*_texts(day), *_conversions(day), *_people(day)]:
        own = sums[key]
        for name, value in amounts.items():
            own[name] = own.get(name, 0) + value
    return [(*key, *(own.get(name, 0) for name in AMOUNTS)) for key, own in sorted(sums.items()) if any(own.values())]


def _texts(day: Day) -> Iterable[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Texts by the day on which they were queued, and what has become of them until now."""
    rows = (
        day.within(Message, "queued_at")
        .exclude(purpose__in=sorted(NEVER_PURPOSES))
        .values_list(*KEY)
        .annotate(
            _queued=Count("pk"),
            _sent=Count("pk", filter=_SENT),
            _pending=Count("pk", filter=_SENT & ~Q(state__in=_FINAL)),
            _delivered=Count("pk", filter=Q(state="delivered")),
            _failed=Count("pk", filter=Q(state="failed")),
            _expired=Count("pk", filter=Q(state="expired")),
            _clicked=Count("clicked_at"),
            _until=Sum(_UNTIL_CLICK, filter=Q(clicked_at__isnull=False)),
            _replied=Count("replied_at"),
            _opted_out=Count("opted_out_at"),
            _parts=Sum("parts", filter=_SENT),
            _cost=Sum("cost", filter=_SENT),
        )
    )
    names = AMOUNTS[3:15]
    for flow, version, step, variant, kind, *amounts in rows:
        own = dict(zip(names, amounts, strict=True))
        until = own["click_seconds"] or timedelta(0)
        own["click_seconds"] = max(round(until.total_seconds()), 0)
        yield (flow or 0, version or 0, step, variant, kind), {name: value or 0 for name, value in own.items()}


def _conversions(day: Day) -> Iterable[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Orders by the day of the text that they are credited to, and by their own. Money of other currencies is none."""
    ours = Q(currency__in=("", day.store.currency))
    for column, counted, money in (("sent_at", "orders", "revenue"), ("ordered_at", "ordered", "earned")):
        rows = day.within(Conversion, column, cancelled=False).values_list(*KEY)
        for *key, count, amount in rows.annotate(_count=Count("pk"), _money=Sum("revenue", filter=ours)):
            yield tuple(key), {counted: count, money: amount or Decimal(0)}


def _people(day: Day) -> Iterable[tuple[tuple[Any, ...], dict[str, Any]]]:
    """People who came into a flow, and who went. Test runs are none."""
    of_flow = {"test_pace": None}
    entered = day.within(Enrollment, "entered_at", **of_flow).values_list("flow_id", "version_id")
    for flow, version, count in entered.annotate(_count=Count("pk")):
        yield (flow, version, "", "", ""), {"entered": count}
    ended = day.within(Enrollment, "finished_at", **of_flow).exclude(status=Enrollment.Status.WAITING)
    for flow, version, status, count in ended.values_list("flow_id", "version_id", "status").annotate(_n=Count("pk")):
        name = "finished" if status == Enrollment.Status.FINISHED else "left"
        yield (flow, version, "", "", ""), {name: count}


def happenings(day: Day) -> dict[str, Any]:
    """Return what happened in the store itself, as ``StoreStat`` names it. Six statements, on PostgreSQL seven."""
    opted_in, opted_out = _consents(day)
    placed = [order for order in _orders(day) if not order.cancelled]
    own = [order for order in placed if order.currency in ("", day.store.currency)]
    skipped = day.within(Decision, "at", verdict__gt=codes.ALLOW, verdict=Decision.Verdict.SKIP)
    return {
        "opted_in": opted_in,
        "opted_out": opted_out,
        "received": day.within(Event, "occurred_at", kind="message_received").count(),
        "robots": day.within(Click, "at").exclude(kind=Click.Kind.HUMAN).count(),
        "orders": len(placed),
        "revenue": sum((order.revenue for order in own), Decimal(0)),
        # what was refused at the door of a flow was no text yet
        "unsent": skipped.filter(~Q(step="") | Q(message_id__isnull=False)).count(),
    }


def _consents(day: Day) -> tuple[int, int]:
    """Return how many people agreed to marketing on this day who had not, and how many who had took it back.

    By the ledger, in which the same may be said any number of times: only what changes something counts.
    """
    lines = ConsentRecord.objects.filter(scope__in=("marketing", "all"), action__in=("granted", "revoked"))
    before = lines.filter(contact_id=OuterRef("contact_id"), effective_at__lt=day.start)
    rows = (
        day.within(lines.model, "effective_at", scope__in=("marketing", "all"), action__in=("granted", "revoked"))
        .annotate(before=Subquery(before.order_by("-effective_at", "-pk").values("action")[:1]))
        .order_by("effective_at", "pk")
    )
    standing: dict[int, bool] = {}
    counts = {True: 0, False: 0}
    for contact_id, action, earlier in rows.values_list("contact_id", "action", "before"):
        agreed = action == "granted"
        if standing.get(contact_id, earlier == "granted") != agreed:
            counts[agreed] += 1
        standing[contact_id] = agreed
    return counts[True], counts[False]


def _orders(day: Day) -> list[Order]:
    """Return the orders that were placed on this day, as they stand now."""
    placed = day.within(Event, "occurred_at", kind=orders.CREATED)
    amounts = ("data__order__total", "data__order__currency", "data__order__refunded")
    named = placed.exclude(subject="").values_list("subject", flat=True)
    # PostgreSQL, where it knows nothing of the table yet, reads all orders of the store again for each of them if this
    # is one statement: seconds for a day. SQLite does not, and limits how many names may stand in a statement
    ids = list(named) if connection.vendor == "postgresql" else Subquery(named)
    rows = about_orders([day.store.pk], ids).values_list("subject", "pk", "kind", "occurred_at", "contact_id", *amounts)
    facts: dict[str, list[Fact]] = defaultdict(list)
    for subject, *columns in rows:
        facts[subject].append(Fact(*columns))
    found = [order for own in facts.values() if (order := orders.order_of(own, day.store.currency))]
    # whoever was erased has left what their orders came to, and nothing else
    nameless = placed.filter(subject="").values_list("pk", "kind", "occurred_at", "contact_id", *amounts, "data")
    for *columns, data in nameless:
        order = orders.order_of([Fact(*columns)], day.store.currency)
        if order and not _was_cancelled(data):
            found.append(order)
    return [order for order in found if day.start <= order.at < day.end]


def _was_cancelled(data: Mapping[str, Any]) -> bool:
    order = data.get("order")
    return isinstance(order, Mapping) and order.get("cancelled") is True
