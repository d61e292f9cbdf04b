"""Finds out whose anonymous carts and visits are, and makes events of them.

A cart becomes somebody's when a checkout or an order of theirs shows its token, a browser when it has
started a checkout that Shopify tells us about. Both wait here, in whatever order things are heard of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Subquery

from smsflow_plugin import bulk, clock
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine import stock
from smsflow_plugin.engine.raising import Wanted, raise_events
from smsflow_plugin.integrations.shopify.kept import AnonymousCart, PixelEvent, Visitor
from smsflow_plugin.models import Identity, Store, Variant

#: How long something waits for its person.
KEPT = timedelta(days=7)

#: Visits of nobody that a store may have waiting; the oldest go first.
MOST_VISITS = 50_000
#: Of these so many go with one statement.
AT_ONCE = 10_000

#: What becomes of what a browser says.
EVENTS: Mapping[str, str] = {
    "product_viewed": "product_viewed",
    "product_added_to_cart": "added_to_cart",
    "collection_viewed": "collection_viewed",
    "search_submitted": "search_submitted",
}


def join() -> int:
    """Make events of one batch of what has found its person; return of how many. 0 means that there is none."""
    now = clock.now()
    return _join_carts(now) or _join_browsers(now) or _join_visits(now)


def tidy() -> int:
    """Forget what nobody has claimed in time; return how much it was."""
    now = clock.now()
    gone = AnonymousCart.objects.filter(stored_at__lt=now - KEPT).delete()[0]
    gone += PixelEvent.objects.filter(received_at__lt=now - KEPT).delete()[0]
    own = Identity.objects.filter(store_id=OuterRef("store_id"), kind="checkout", value=OuterRef("checkout"))
    gone += Visitor.objects.filter(~Exists(own)).delete()[0]  # whom somebody has erased
    for store_id in Store.objects.order_by("pk").values_list("pk", flat=True):
        own = PixelEvent.objects.filter(store_id=store_id).order_by("-received_at", "-pk")
        while too_many := list(own.values_list("pk", flat=True)[MOST_VISITS : MOST_VISITS + AT_ONCE]):
            gone += PixelEvent.objects.filter(pk__in=too_many).delete()[0]
    return gone


@transaction.atomic
def _join_carts(now: datetime) -> int:
    rows = list(
        AnonymousCart.objects.filter(Exists(_identity("cart", "token")))
        .annotate(contact_id=Subquery(_identity("cart", "token").values("contact_id")[:1]))
        .order_by("at", "pk")
        .select_for_update(skip_locked=True, of=("self",))[: smsflow_settings.BATCH_SIZE]
    )
    wanted: dict[tuple[int, str], list[Wanted]] = defaultdict(list)
    for row in rows:
        kind = "cart_updated" if row.cart.get("item_count") else "cart_emptied"
        contact_id: int = row.contact_id  # type: ignore[attr-defined]
        wanted[row.store_id, kind].append(Wanted(contact_id, row.key, row.at, row.token, {"cart": row.cart}))
    for (store_id, kind), events in sorted(wanted.items()):
        raise_events(store_id, kind, events, now)
    AnonymousCart.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


@transaction.atomic
def _join_browsers(now: datetime) -> int:
    rows = list(
        PixelEvent.objects.filter(~Q(checkout=""), Exists(_identity("checkout", "checkout")))
        .order_by("at", "pk")
        .select_for_update(skip_locked=True, of=("self",))[: smsflow_settings.BATCH_SIZE]
    )
    # of two people at one browser it is that of whom has bought last
    owners = {(row.store_id, row.client_id): row.checkout for row in rows}
    known = Visitor.objects.filter(
        store_id__in={store_id for store_id, _client in owners}, client_id__in={client for _store, client in owners}
    )
    stored = {(store_id, client): pk for pk, store_id, client in known.values_list("pk", "store_id", "client_id")}
    new = [(*key, checkout, now) for key, checkout in sorted(owners.items()) if key not in stored]
    bulk.insert(Visitor, ("store_id", "client_id", "checkout", "linked_at"), new)
    moved = [(pk, owners[key], now) for key, pk in sorted(stored.items()) if key in owners]
    bulk.update(Visitor, ("checkout", "linked_at"), moved)
    PixelEvent.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


@transaction.atomic
def _join_visits(now: datetime) -> int:
    owner = Identity.objects.filter(
        store_id=OuterRef("store_id"),
        kind="checkout",
        value=Subquery(
            Visitor.objects.filter(
                store_id=OuterRef(OuterRef("store_id")), client_id=OuterRef(OuterRef("client_id"))
            ).values("checkout")[:1]
        ),
    )
    rows = list(
        PixelEvent.objects.filter(Exists(owner), checkout="")
        .annotate(contact_id=Subquery(owner.values("contact_id")[:1]))
        .order_by("at", "pk")
        .select_for_update(skip_locked=True, of=("self",))[: smsflow_settings.BATCH_SIZE]
    )
    products = _products(rows)
    wanted: dict[tuple[int, str], list[Wanted]] = defaultdict(list)
    for row in rows:
        kind = EVENTS.get(row.kind)
        found = _event_data(row, products)
        if kind is None or found is None:
            continue
        subject, data = found
        contact_id: int = row.contact_id  # type: ignore[attr-defined]
        wanted[row.store_id, kind].append(Wanted(contact_id, f"pixel:{row.event_id}", row.at, subject, data))
    for (store_id, kind), events in sorted(wanted.items()):
        stock.note_interest(raise_events(store_id, kind, events, now), now)
    PixelEvent.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _identity(kind: str, column: str) -> Any:
    return Identity.objects.filter(store_id=OuterRef("store_id"), kind=kind, value=OuterRef(column))


def _products(rows: Iterable[PixelEvent]) -> dict[tuple[int, str], Variant]:
    """Return the variants that visits name, by their own id and by their product's."""
    rows = list(rows)
    variants = {str(row.data.get("variant_id") or "") for row in rows} - {""}
    products = {str(row.data.get("product_id") or "") for row in rows} - {""}
    found: dict[tuple[int, str], Variant] = {}
    if variants or products:
        stores = {row.store_id for row in rows}
        known = Variant.objects.filter(
            Q(variant_id__in=variants) | Q(product_id__in=products), store_id__in=stores
        ).select_related("store")
        for variant in known.order_by("-pk"):
            found[variant.store_id, f"variant:{variant.variant_id}"] = variant
            found[variant.store_id, f"product:{variant.product_id}"] = variant
    return found


def _event_data(row: PixelEvent, products: Mapping[tuple[int, str], Variant]) -> tuple[str, dict[str, Any]] | None:
    """Return the subject and the data of an event; None if there is nothing to tell.

    Names, prices and addresses of products are the shop's own, from its signed webhooks: what a browser
    calls them could be anything, and would stand in a text.
    """
    if row.kind == "search_submitted":
        words = str(row.data.get("words") or "")
        return ("", {"search": {"words": words}}) if words else None
    if row.kind == "collection_viewed":
        collection = str(row.data.get("collection_id") or "")
        return ("", {"collection": {"id": collection, "title": None, "url": None}}) if collection else None
    variant = products.get((row.store_id, f"variant:{row.data.get('variant_id')}"))
    variant = variant or products.get((row.store_id, f"product:{row.data.get('product_id')}"))
    return (variant.variant_id, {"product": stock.product_data(variant)}) if variant else None
