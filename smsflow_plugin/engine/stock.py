"""Stock and prices: what shops say of them, who cares, and who is told.

``write`` and ``note_interest`` belong to the ingest pump; ``tell_stock`` is a pump of its
own: it makes the events ``back_in_stock`` and ``price_dropped``. Variants are locked before contacts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from smsflow_plugin import bulk, clock
from smsflow_plugin.catalogue.models import Interest, Variant
from smsflow_plugin.catalogue.stock_rules import (
    CLAIM,
    FIRST_TAG,
    INTERESTED,
    PEOPLE_PER_PIECE,
    UNCOUNTED,
    drop_percent,
    highest_price_seen,
    in_turn,
    to_tell,
)
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine.raising import Wanted, live_flows, raise_events
from smsflow_plugin.engine.starting import TOO_LATE, NewEvent
from smsflow_plugin.events.facts import StockFact

_WAITLIST, _VIEWED = Interest.Kind.WAITLIST, Interest.Kind.VIEWED
_INTERESTS = {"product_viewed": (_VIEWED,), "waitlist_joined": (_WAITLIST, _VIEWED)}
_COLUMNS = ("product_id", "title", "variant", "url", "price", "available", "said_at", "updated_at")
_LIMITS = {"product_id": 40, "title": 200, "variant": 100, "url": 500}
_LARGEST = 2**31 - 1
_MOST = Decimal("999999999999.99")


def write(facts: Sequence[tuple[int, StockFact]], now: datetime) -> None:
    """Write what shops say of their variants. What is older than what is known is dropped. Three statements."""
    if not facts:
        return
    stores, ids = {store for store, _fact in facts}, {fact.variant_id[:40] for _store, fact in facts}
    rows = Variant.objects.filter(store_id__in=stores, variant_id__in=ids).order_by("pk").select_for_update()
    known = {(row.store_id, row.variant_id): row for row in rows}
    new: dict[tuple[int, str], Variant] = {}
    changed: dict[int, Variant] = {}
    for store_id, fact in sorted(facts, key=lambda pair: pair[1].said_at):
        key = (store_id, fact.variant_id[:40])
        row = known.get(key) or new.setdefault(key, Variant(store_id=store_id, variant_id=key[1], available=0))
        if row.said_at is not None and fact.said_at < row.said_at:
            continue
        _take_over(row, fact, now)
        if row.pk:
            changed[row.pk] = row
    bulk.insert(
        Variant,
        ("store_id", "variant_id", *_COLUMNS),
        [(*key, *_values(row)) for key, row in sorted(new.items())],
    )
    bulk.update(Variant, _COLUMNS, [(pk, *_values(row)) for pk, row in sorted(changed.items())])


def note_interest(events: Sequence[NewEvent], now: datetime) -> None:
    """Remember who looked at what, at which price, and who waits for what. Three statements."""
    wanted: dict[tuple[int, str, str], tuple[NewEvent, Decimal | None]] = {}
    for event in events:
        product = event.data.get("product")
        variant_id = str(product.get("variant_id") or "") if isinstance(product, Mapping) else ""
        if variant_id:
            for kind in _INTERESTS.get(event.kind, ()):
                wanted[event.contact_id, variant_id[:40], kind.value] = event, _amount(product.get("price"))
    if not wanted:
        return
    rows = Interest.objects.filter(
        contact_id__in={contact for contact, _variant, _kind in wanted},
        variant_id__in={variant for _contact, variant, _kind in wanted},
    ).values_list("pk", "contact_id", "variant_id", "kind", "told_at", "since")
    stored = {(contact, variant, kind): (pk, told, since) for pk, contact, variant, kind, told, since in rows}
    new, changed = [], []
    for key, (event, price) in sorted(wanted.items()):
        pk, told_at, since = stored.get(key, (None, None, None))
        if pk is None:
            contact, variant, kind = key
            new.append((event.store_id, contact, variant, kind, event.occurred_at, price))
        elif key[2] == _VIEWED or told_at is not None:
            changed.append((pk, event.occurred_at, price, None))
        # who still waits keeps their place in the queue
    bulk.insert(Interest, ("store_id", "contact_id", "variant_id", "kind", "since", "price"), new)
    bulk.update(Interest, ("since", "price", "told_at"), changed)


def tell_stock() -> int:
    """Make the events of one variant that is back, or whose price fell; return how many people it was told to.

    0 means that there is nobody to tell now. Only stores with a live flow for it are looked
    at: who waits goes on waiting until somebody would write to them.
    """
    now = clock.now()
    flows = live_flows(("back_in_stock", "price_dropped"), now)
    for kind, tell in (("back_in_stock", _tell_back), ("price_dropped", _tell_price)):
        stores = {flow.store_id for flow in flows if any(flow.triggers((kind,)))}
        told = tell(stores, now) if stores else 0
        if told:
            return told
    return 0


def stock_of(triggers: Iterable[tuple[int, Mapping[str, Any]]]) -> dict[tuple[int, str], int]:
    """Return how many there are now of the variants that runs are about, given as (store id, trigger data)."""
    wanted = {(store_id, variant) for store_id, trigger in triggers if (variant := _variant_of(trigger))}
    if not wanted:
        return {}
    rows = Variant.objects.filter(
        store_id__in={store for store, _variant in wanted}, variant_id__in={variant for _store, variant in wanted}
    ).values_list("store_id", "variant_id", "available")
    return {(store, variant): UNCOUNTED if count is None else count for store, variant, count in rows}


def with_stock(store_id: int, trigger: Mapping[str, Any], stock: Mapping[tuple[int, str], int]) -> Mapping[str, Any]:
    """Return the data of a run's trigger with today's number in ``product.available``."""
    available = stock.get((store_id, _variant_of(trigger)))
    if available is None:
        return trigger
    return {**trigger, "product": {**trigger["product"], "available": available}}


@transaction.atomic
def _tell_back(stores: set[int], now: datetime) -> int:
    own = Interest.objects.filter(store=OuterRef("store"), variant_id=OuterRef("variant_id"), kind=_WAITLIST)
    lately = own.filter(told_at__gt=now - CLAIM).order_by().values("variant_id").annotate(n=Count("pk")).values("n")
    variant = _first(
        Variant.objects.filter(Q(available__gt=0) | Q(available__isnull=True), store_id__in=stores)
        .annotate(told_lately=Coalesce(Subquery(lately), 0))
        .filter(Exists(own.filter(told_at__isnull=True)))
        .filter(Q(available__isnull=True) | Q(told_lately__lt=F("available") * PEOPLE_PER_PIECE))
    )
    if variant is None:
        return 0
    told_lately: int = variant.told_lately  # type: ignore[attr-defined]
    count = to_tell(variant.available, told_lately, smsflow_settings.BATCH_SIZE)
    queue = Interest.objects.filter(
        store=variant.store_id, variant_id=variant.variant_id, kind=_WAITLIST, told_at__isnull=True
    ).order_by("since", "pk")
    first = _people_who_come_first(queue, count)
    rest = list(queue.exclude(pk__in=first).values_list("pk", flat=True)[: max(0, count - len(first))])
    chosen = in_turn([*((pk, True) for pk in first), *((pk, False) for pk in rest)], count)
    rows = Interest.objects.filter(pk__in=chosen).values_list("pk", "contact_id", "since")
    product = {**product_data(variant), "available": UNCOUNTED if variant.available is None else variant.available}
    wanted = [
        Wanted(contact, f"{pk}:{int(since.timestamp())}", now, variant.variant_id, {"product": product})
        for pk, contact, since in rows
    ]
    raise_events(variant.store_id, "back_in_stock", wanted, now)
    bulk.update(Interest, ("told_at",), [(pk, now) for pk in sorted(chosen)])
    return len(chosen)


@transaction.atomic
def _tell_price(stores: set[int], now: datetime) -> int:
    # a coarse sieve in SQL; which drops are news is said by the rules
    seen = Interest.objects.filter(
        Q(told_at__isnull=True) | Q(told_at__lt=OuterRef("updated_at")),
        store=OuterRef("store"),
        variant_id=OuterRef("variant_id"),
        kind=_VIEWED,
        since__gte=now - INTERESTED,
    ).filter(price__gt=OuterRef("price"))
    variant = _first(
        Variant.objects.filter(
            Exists(seen), store_id__in=stores, updated_at__gt=now - TOO_LATE, price__isnull=False, price__gt=0
        )
    )
    if variant is None or variant.price is None:
        return 0
    rows = list(
        Interest.objects.filter(
            Q(told_at__isnull=True) | Q(told_at__lt=variant.updated_at),
            store=variant.store_id,
            variant_id=variant.variant_id,
            kind=_VIEWED,
            since__gte=now - INTERESTED,
            price__gt=variant.price,
        )
        .order_by("since", "pk")
        .values_list("pk", "contact_id", "since", "price")[: smsflow_settings.BATCH_SIZE]
    )
    wanted = [
        Wanted(contact, f"{pk}:{int(since.timestamp())}:{variant.price}", now, variant.variant_id, data)
        for pk, contact, since, price in rows
        if price >= highest_price_seen(variant.price)
        for data in [{"product": _dropped(variant, price)}]
    ]
    raise_events(variant.store_id, "price_dropped", wanted, now)
    # those for whom it fell too little are done, too, until it falls further
    bulk.update(Interest, ("told_at",), sorted((pk, max(now, variant.updated_at)) for pk, *_rest in rows))
    return len(rows)


def product_data(variant: Variant) -> dict[str, Any]:
    """Return what event data says of a variant."""
    return {
        "title": variant.title or None,
        "url": variant.url or None,
        "product_id": variant.product_id or None,
        "variant_id": variant.variant_id,
        "variant": variant.variant or None,
        "price": None if variant.price is None else f"{variant.price:.2f}",
        "old_price": None,
        "currency": variant.store.currency,
    }


def _dropped(variant: Variant, seen: Decimal) -> dict[str, Any]:
    percent = drop_percent(seen, variant.price or Decimal(0))
    return {**product_data(variant), "old_price": f"{seen:.2f}", "drop_percent": percent}


def _first(variants: QuerySet[Variant]) -> Variant | None:
    """Lock and return one of them that nobody else is working on."""
    return variants.select_related("store").select_for_update(skip_locked=True, of=("self",)).order_by("pk").first()


def _people_who_come_first(queue: QuerySet[Interest], count: int) -> list[int]:
    from smsflow_plugin.engine.selection import select

    store_ids = queue.values_list("store_id", flat=True)[:1]
    store_id = next(iter(store_ids), None)
    if store_id is None or not count:
        return []
    chosen = select({"tag": FIRST_TAG}, store_id=store_id, now=clock.now()).filter(pk=OuterRef("contact_id"))
    return list(queue.filter(Exists(chosen)).values_list("pk", flat=True)[:count])


def _take_over(row: Variant, fact: StockFact, now: datetime) -> None:
    before = row.price, row.available
    for name, limit in _LIMITS.items():
        value = getattr(fact, name)
        if value is not None:
            setattr(row, name, value[:limit])
    if fact.price is not None:
        row.price = _amount(fact.price)
    if not fact.counted:
        row.available = None
    elif fact.available is not None:
        row.available = max(-_LARGEST, min(fact.available, _LARGEST))
    row.said_at = fact.said_at
    if (row.price, row.available) != before:
        row.updated_at = now


def _values(row: Variant) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in _COLUMNS)


def _amount(value: Any) -> Decimal | None:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount.quantize(Decimal("0.01")) if amount.is_finite() and abs(amount) < _MOST else None


def _variant_of(trigger: Mapping[str, Any]) -> str:
    product = trigger.get("product")
    return str(product.get("variant_id") or "")[:40] if isinstance(product, Mapping) else ""
