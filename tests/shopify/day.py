"""A day in the life of a shop: what Shopify says of many customers, in the shapes of the simulator's payloads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from smsflow_plugin.integrations.simulator import payloads
from smsflow_plugin.integrations.simulator.goods import OUTDOOR
from smsflow_plugin.integrations.simulator.payload_parts import Cart, Customer, ShopInfo
from smsflow_plugin.models import Delivery, Store

SHOP = ShopInfo("sierra-gear.myshopify.com", "Sierra Gear", "USD", "US", "America/New_York", "en")
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Said:
    """One webhook."""

    topic: str
    payload: dict[str, Any]
    at: datetime


def day(people: int, start: datetime) -> list[Said]:
    """Return what happens to so many people within six hours, in the order in which it happens."""
    said = [one for number in range(people) for one in _story(number, start + timedelta(seconds=7 * number))]
    return sorted(said, key=lambda one: one.at)


def put(store: Store, said: Sequence[Said], received_at: datetime) -> None:
    """Put webhooks into the inbox in this order. Repeated ones have other delivery ids, as Shopify's may."""
    Delivery.objects.bulk_create(
        Delivery(
            store=store,
            source="shopify",
            external_id=f"w-{place}",
            topic=one.topic,
            headers={"x-shopify-shop-domain": SHOP.domain, "x-shopify-triggered-at": one.at.isoformat()},
            body=json.dumps(one.payload).encode(),
            received_at=received_at,
        )
        for place, one in enumerate(said)
    )


def _story(number: int, start: datetime) -> Iterator[Said]:
    ada = Customer(
        7_000_000 + number, f"Ada{number}", "Lovelace", f"ada{number}@example.com", f"+1202555{number:04d}", "US",
        "KY", "40202",
    )  # fmt: skip
    cart = Cart(f"tok{number}", 100 + number, (OUTDOOR[number % len(OUTDOOR)],), start)
    kind = number % 6

    def at(minutes: int) -> datetime:
        return start + minutes * MINUTE

    if kind != 3:  # a guest has no account
        yield Said("customers/create", payloads.customer_created(SHOP, ada, at(0)), at(0))
    state = "pending" if kind == 5 else "subscribed"
    yield Said("customers_marketing_consent/update", payloads.consent_updated(SHOP, ada, at(1), state=state), at(1))
    for minute, count in ((2, 1), (4, 2)):
        yield Said("carts/update", _cart(cart, ada, at(minute), count), at(minute))
    first = payloads.checkout(SHOP, ada, cart, at(5), with_address=False)
    yield Said("checkouts/create", first, at(5))
    for minute in (6, 8):
        yield Said("checkouts/update", payloads.checkout(SHOP, ada, cart, at(minute)), at(minute))
    if kind in (0, 2, 3, 4):
        yield from _bought(ada, cart, at, kind)
    if kind == 5:
        yield from _subscribed(ada, number, at)


def _bought(ada: Customer, cart: Cart, at: Any, kind: int) -> Iterator[Said]:
    order = payloads.order(SHOP, ada, cart, at(10), at(10), paid=False)
    yield Said("orders/create", order, at(10))
    yield Said("orders/paid", payloads.order(SHOP, ada, cart, at(10), at(11)), at(11))
    yield Said("orders/updated", payloads.order(SHOP, ada, cart, at(10), at(12)), at(12))
    if kind == 2:
        refusal = payloads.consent_updated(SHOP, ada, at(60), state="unsubscribed")
        yield Said("customers_marketing_consent/update", refusal, at(60))
        return
    if kind == 3:
        yield Said("orders/cancelled", payloads.order(SHOP, ada, cart, at(10), at(70), cancelled=True), at(70))
        return
    parcel = payloads.fulfillment(SHOP, ada, cart, at(120))
    yield Said("fulfillments/create", {**parcel, "tracking_number": None, "tracking_numbers": []}, at(120))
    yield Said("fulfillments/update", payloads.fulfillment(SHOP, ada, cart, at(120)), at(130))
    for minute, status in ((140, "in_transit"), (200, "out_for_delivery"), (240, "delivered")):
        report = payloads.fulfillment_event(SHOP, ada, cart, at(minute), status=status)
        yield Said("fulfillment_events/create", report, at(minute))
    if kind == 4:
        renamed = payloads.customer_created(SHOP, ada, at(0)) | {"last_name": "King", "updated_at": SHOP.time(at(250))}
        yield Said("customers/update", renamed, at(250))
        back = {"id": cart.number, "order": {"id": cart.order_id}, "total_return_line_items": 1, "name": "R1"}
        yield Said("returns/request", back, at(260))
        money = {"id": cart.number, "order_id": cart.order_id, "processed_at": SHOP.time(at(270)), "transactions": [
            {"id": 1, "kind": "refund", "amount": "10.00"},
        ]}  # fmt: skip
        yield Said("refunds/create", money, at(270))
        segment = {"customer_id": f"gid://shopify/Customer/{ada.id}", "segment_id": "gid://shopify/Segment/3"}
        yield Said("customer.joined_segment", segment, at(280))


def _subscribed(ada: Customer, number: int, at: Any) -> Iterator[Said]:
    contract = {"id": 900 + number, "customer_id": ada.id, "status": "active", "revision_id": f"1{number}"}
    yield Said("subscription_contracts/create", contract, at(20))
    attempt = {"id": 700 + number, "subscription_contract_id": 900 + number, "error_code": "card_declined"}
    yield Said("subscription_billing_attempts/failure", attempt, at(30))
    cancelled = {**contract, "status": "cancelled", "revision_id": f"2{number}"}
    yield Said("subscription_contracts/cancel", cancelled, at(40))


def _cart(cart: Cart, ada: Customer, moment: datetime, count: int) -> dict[str, Any]:
    article = cart.articles[0]
    line = {
        "variant_id": article.variant_id, "product_id": article.product_id, "title": article.name, "quantity": count,
        "price": str(article.price), "line_price": str(article.price * count),
    }  # fmt: skip
    token = f"cart{cart.token}"
    return {"id": token, "token": f"{token}?key=1", "line_items": [line], "updated_at": SHOP.time(moment)}
