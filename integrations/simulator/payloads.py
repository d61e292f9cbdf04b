"""What Shopify says in each webhook, in the shapes of its API version 2026-07. Pure.

The shapes follow Shopify's published samples: what is gone there (a checkout's id,
an order's checkout_id, a customer's tags and consent) is not sent here either.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from smsflow_plugin.integrations.simulator.payload_parts import (
    Cart,
    Customer,
    Payload,
    ShopInfo,
    address_of,
    checkout_line,
    customer_of,
    locale_of,
    money,
    money_set,
    order_line,
)

API_VERSION = "2026-07"


def customer_created(shop: ShopInfo, customer: Customer, at: datetime) -> Payload:
    """``customers/create``."""
    return {**customer_of(shop, customer), "created_at": shop.time(at), "updated_at": shop.time(at), "addresses": []}


def consent_updated(shop: ShopInfo, customer: Customer, at: datetime, *, state: str) -> Payload:
    """``customers_marketing_consent/update``; ``state`` is subscribed, pending or unsubscribed."""
    return {
        "id": customer.id,
        "phone": customer.phone,
        "sms_marketing_consent": {
            "state": state,
            "opt_in_level": "confirmed_opt_in",
            "consent_updated_at": shop.time(at),
            "consent_collected_from": "SHOPIFY",
        },
    }


def checkout(shop: ShopInfo, customer: Customer, cart: Cart, at: datetime, *, with_address: bool = True) -> Payload:
    """``checkouts/create`` and ``checkouts/update``: the address comes in the second step of a checkout."""
    address = address_of(customer) if with_address else None
    return {
        "token": cart.token,
        "cart_token": f"cart{cart.token}",
        "email": customer.email or None,
        "gateway": None,
        "buyer_accepts_marketing": False,
        "created_at": shop.time(cart.started_at),
        "updated_at": shop.time(at),
        "landing_site": "/",
        "note": None,
        "note_attributes": [],
        "referring_site": "",
        "shipping_lines": [],
        "taxes_included": shop.country != "US",
        "total_weight": sum(article.grams for article in cart.articles),
        "currency": shop.currency,
        "completed_at": None,
        "closed_at": None,
        "user_id": None,
        "location_id": None,
        "source_identifier": None,
        "source_url": None,
        "device_id": None,
        "phone": customer.phone if with_address else None,
        "customer_locale": locale_of(shop),
        "line_items": [checkout_line(article) for article in cart.articles],
        "name": f"#{cart.number}",
        "source": None,
        "abandoned_checkout_url": f"https://{shop.domain}/checkouts/{cart.token}/recover?key=simulated",
        "discount_codes": [],
        "tax_lines": [],
        "source_name": "web",
        "presentment_currency": shop.currency,
        "buyer_accepts_sms_marketing": False,
        "sms_marketing_phone": None,
        "total_discounts": "0.00",
        "total_line_items_price": money(cart.subtotal),
        "total_price": money(cart.subtotal),
        "total_tax": "0.00",
        "subtotal_price": money(cart.subtotal),
        "total_duties": None,
        "reservation_token": None,
        "billing_address": address,
        "shipping_address": address,
        "customer": customer_of(shop, customer),
    }


def order(
    shop: ShopInfo,
    customer: Customer,
    cart: Cart,
    ordered_at: datetime,
    at: datetime,
    *,
    paid: bool = True,
    cancelled: bool = False,
) -> Payload:
    """``orders/create``, ``orders/paid`` and ``orders/cancelled``. ``at`` is the time of the change."""
    total = cart.total
    prices = {
        f"{prefix}{name}": value
        for prefix in ("", "current_")
        for name, value in (
            ("subtotal_price", money(total)),
            ("subtotal_price_set", money_set(shop, total)),
            ("total_discounts", money(cart.discount)),
            ("total_discounts_set", money_set(shop, cart.discount)),
            ("total_price", money(total)),
            ("total_price_set", money_set(shop, total)),
            ("total_tax", "0.00"),
            ("total_tax_set", money_set(shop, Decimal(0))),
        )
    }
    return {
        "id": cart.order_id,
        "admin_graphql_api_id": f"gid://shopify/Order/{cart.order_id}",
        "app_id": 580111,
        "buyer_accepts_marketing": False,
        "cancel_reason": "customer" if cancelled else None,
        "cancelled_at": shop.time(at) if cancelled else None,
        "cart_token": f"cart{cart.token}",
        "checkout_token": cart.token,
        "closed_at": None,
        "confirmed": True,
        "contact_email": customer.email or None,
        "created_at": shop.time(ordered_at),
        "currency": shop.currency,
        "customer_locale": locale_of(shop),
        "discount_codes": _codes(cart),
        "email": customer.email,
        "financial_status": "refunded" if cancelled else "paid" if paid else "pending",
        "fulfillment_status": None,
        "name": cart.name,
        "note": None,
        "note_attributes": [],
        "number": cart.number,
        "order_number": 1000 + cart.number,
        "order_status_url": f"https://{shop.domain}/orders/{cart.token}/authenticate?key=simulated",
        "payment_gateway_names": ["bogus"],
        "phone": customer.phone,
        "presentment_currency": shop.currency,
        "processed_at": shop.time(ordered_at),
        "source_name": "web",
        **prices,
        "tags": "",
        "tax_lines": [],
        "taxes_included": shop.country != "US",
        "test": False,
        "token": cart.token[::-1],
        "total_line_items_price": money(cart.subtotal),
        "total_outstanding": "0.00" if paid else money(total),
        "total_weight": sum(article.grams for article in cart.articles),
        "updated_at": shop.time(at),
        "user_id": None,
        "billing_address": address_of(customer),
        "customer": customer_of(shop, customer),
        "discount_applications": [],
        "fulfillments": [],
        "line_items": [order_line(shop, cart, place) for place in range(len(cart.articles))],
        "payment_terms": None,
        "refunds": [],
        "shipping_address": address_of(customer),
        "shipping_lines": [],
    }


def fulfillment(shop: ShopInfo, customer: Customer, cart: Cart, at: datetime) -> Payload:
    """``fulfillments/create``: the parcel has left. It names the order, never the person's number."""
    url = f"https://parcels.example/{cart.tracking_number}"
    return {
        "id": cart.fulfillment_id,
        "order_id": cart.order_id,
        "status": "success",
        "created_at": shop.time(at),
        "service": "manual",
        "updated_at": shop.time(at),
        "tracking_company": "PostNord" if shop.country == "DK" else "UPS",
        "shipment_status": None,
        "location_id": None,
        "origin_address": None,
        "email": customer.email,
        "destination": {**address_of(customer), "phone": None},
        "line_items": [_parcel_line(shop, cart, place) for place in range(len(cart.articles))],
        "tracking_number": cart.tracking_number,
        "tracking_numbers": [cart.tracking_number],
        "tracking_url": url,
        "tracking_urls": [url],
        "receipt": {},
        "name": f"{cart.name}.1",
        "admin_graphql_api_id": f"gid://shopify/Fulfillment/{cart.fulfillment_id}",
    }


#: What the carrier tells of a parcel, in this order.
PARCEL_STEPS = ("in_transit", "out_for_delivery", "delivered")


def fulfillment_event(shop: ShopInfo, customer: Customer, cart: Cart, at: datetime, *, status: str) -> Payload:
    """``fulfillment_events/create``: the carrier has seen the parcel. ``status`` is one of ``PARCEL_STEPS``."""
    event_id = cart.fulfillment_id * 10 + PARCEL_STEPS.index(status)
    return {
        "id": event_id,
        "fulfillment_id": cart.fulfillment_id,
        "status": status,
        "message": None,
        "happened_at": shop.time(at),
        "city": None,
        "province": customer.province or None,
        "country": customer.country,
        "zip": customer.postcode or None,
        "address1": None,
        "latitude": None,
        "longitude": None,
        "shop_id": 548380009,
        "created_at": shop.time(at),
        "updated_at": shop.time(at),
        "estimated_delivery_at": None if status == "delivered" else shop.time(at + timedelta(days=1)),
        "order_id": cart.order_id,
        "admin_graphql_api_id": f"gid://shopify/FulfillmentEvent/{event_id}",
    }


def _codes(cart: Cart) -> list[Payload]:
    return [{"code": cart.code, "amount": money(cart.discount), "type": "fixed_amount"}] if cart.code else []


def _parcel_line(shop: ShopInfo, cart: Cart, place: int) -> Payload:
    return {name: value for name, value in order_line(shop, cart, place).items() if name != "current_quantity"}
