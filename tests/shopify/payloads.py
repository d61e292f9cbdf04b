"""Webhooks of a shop, in the shapes of Shopify's API 2026-07.

Each function returns a fresh payload; keyword arguments replace keys of the top
level. The people, goods and numbers are made up.
"""

from __future__ import annotations

from typing import Any

Payload = dict[str, Any]

CUSTOMER_ID = 7064055069301
CHECKOUT_TOKEN = "c1f8a9d0e2b34567a1b2c3d4e5f60718"
CART_TOKEN = "eeafa272cebfd4b22385bc4b645e762c"
ORDER_ID = 8209829119461
FULFILLMENT_ID = 4560122334455
PHONE = "+12025550143"


def address(**values: Any) -> Payload:
    """Where Ada lives, in Kentucky."""
    return {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "company": None,
        "address1": "12 Analytical Row",
        "address2": None,
        "city": "Louisville",
        "province": "Kentucky",
        "province_code": "KY",
        "country": "United States",
        "country_code": "US",
        "zip": "40202",
        "phone": None,
        "name": "Ada Lovelace",
        "latitude": 38.2542,
        "longitude": -85.7594,
        **values,
    }


def customer(**values: Any) -> Payload:
    """``customers/create`` and ``customers/update``; also what orders and checkouts hold of a customer."""
    return {
        "id": CUSTOMER_ID,
        "created_at": "2026-03-04T10:30:00-05:00",
        "updated_at": "2026-03-04T10:45:00-05:00",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "state": "enabled",
        "note": None,
        "verified_email": True,
        "multipass_identifier": None,
        "tax_exempt": False,
        "email": "ada@example.com",
        "phone": PHONE,
        "currency": "USD",
        "addresses": [],
        "tax_exemptions": [],
        "admin_graphql_api_id": f"gid://shopify/Customer/{CUSTOMER_ID}",
        "default_address": {**address(), "id": 12321, "customer_id": CUSTOMER_ID, "default": True},
        **values,
    }


def consent(
    *, state: str | None = "subscribed", at: str | None = "2026-03-04T10:40:00-05:00", **values: Any
) -> Payload:
    """``customers_marketing_consent/update``."""
    return {
        "id": CUSTOMER_ID,
        "phone": PHONE,
        "sms_marketing_consent": {
            "state": state,
            "opt_in_level": "single_opt_in",
            "consent_updated_at": at,
            "consent_collected_from": "SHOPIFY",
        },
        **values,
    }


def line(**values: Any) -> Payload:
    return {
        "id": 48781767227629,
        "title": "Trail Jacket",
        "variant_title": "M / Pine",
        "quantity": 1,
        "price": "129.00",
        "product_id": 632910392,
        "variant_id": 808950810,
        "sku": "TJ-M-PINE",
        "vendor": "Sierra Gear",
        "requires_shipping": True,
        "taxable": True,
        "gift_card": False,
        "grams": 410,
        "properties": None,
        "tax_lines": [],
        **values,
    }


def checkout(**values: Any) -> Payload:
    """``checkouts/create`` and ``checkouts/update``: a cart that may yet be abandoned."""
    return {
        "token": CHECKOUT_TOKEN,
        "cart_token": CART_TOKEN,
        "email": "ada@example.com",
        "buyer_accepts_marketing": False,
        "buyer_accepts_sms_marketing": False,
        "sms_marketing_phone": None,
        "created_at": "2026-03-04T10:20:00-05:00",
        "updated_at": "2026-03-04T10:50:00-05:00",
        "completed_at": None,
        "closed_at": None,
        "currency": "USD",
        "presentment_currency": "USD",
        "customer_locale": "en-US",
        "phone": None,
        "line_items": [line(), line(title="Trail Socks", quantity=2, price="12.50", variant_id=808950811)],
        "name": "#98182007925",
        "abandoned_checkout_url": f"https://sierra-gear.example/checkouts/{CHECKOUT_TOKEN}/recover?key=k1",
        "discount_codes": [],
        "source_name": "web",
        "total_discounts": "0.00",
        "total_line_items_price": "154.00",
        "total_price": "154.00",
        "subtotal_price": "154.00",
        "total_tax": "0.00",
        "billing_address": address(),
        "shipping_address": address(),
        "customer": customer(),
        **values,
    }


def order(**values: Any) -> Payload:
    """``orders/create``, ``orders/paid`` and, with ``cancelled_at``, ``orders/cancelled``."""
    return {
        "id": ORDER_ID,
        "admin_graphql_api_id": f"gid://shopify/Order/{ORDER_ID}",
        "cancel_reason": None,
        "cancelled_at": None,
        "cart_token": CART_TOKEN,
        "checkout_token": CHECKOUT_TOKEN,
        "contact_email": "ada@example.com",
        "created_at": "2026-03-04T10:55:00-05:00",
        "processed_at": "2026-03-04T10:54:58-05:00",
        "updated_at": "2026-03-04T10:55:10-05:00",
        "currency": "USD",
        "customer_locale": "en-US",
        "discount_codes": [{"code": "SPRING10", "amount": "15.40", "type": "percentage"}],
        "email": "ada@example.com",
        "financial_status": "paid",
        "fulfillment_status": None,
        "name": "#1001",
        "order_number": 1001,
        "order_status_url": "https://sierra-gear.example/orders/123456abcd/authenticate?key=k2",
        "phone": None,
        "source_name": "web",
        "tags": "",
        "test": False,
        "token": "123456abcd",
        "total_price": "138.60",
        "subtotal_price": "138.60",
        "total_discounts": "15.40",
        "total_tax": "0.00",
        "billing_address": address(),
        "shipping_address": address(),
        "customer": customer(),
        "line_items": [line(), line(title="Trail Socks", quantity=2, price="12.50", variant_id=808950811)],
        "fulfillments": [],
        "refunds": [],
        "shipping_lines": [],
        **values,
    }


def fulfillment(**values: Any) -> Payload:
    """``fulfillments/create``: names the order, never the customer."""
    return {
        "id": FULFILLMENT_ID,
        "order_id": ORDER_ID,
        "status": "success",
        "created_at": "2026-03-04T10:57:00-05:00",
        "updated_at": "2026-03-04T10:57:00-05:00",
        "service": "manual",
        "tracking_company": "UPS",
        "tracking_number": "1Z827WK74630",
        "tracking_numbers": ["1Z827WK74630"],
        "tracking_url": "https://www.ups.example/track?num=1Z827WK74630",
        "tracking_urls": ["https://www.ups.example/track?num=1Z827WK74630"],
        "shipment_status": None,
        "email": "ada@example.com",
        "destination": address(phone="(202) 555-0177"),
        "line_items": [line()],
        "name": "#1001.1",
        "admin_graphql_api_id": f"gid://shopify/Fulfillment/{FULFILLMENT_ID}",
        **values,
    }


def fulfillment_event(*, status: str | None = "delivered", **values: Any) -> Payload:
    """``fulfillment_events/create``: what the carrier reports."""
    return {
        "id": 1234567,
        "fulfillment_id": FULFILLMENT_ID,
        "order_id": ORDER_ID,
        "status": status,
        "message": None,
        "happened_at": "2026-03-04T10:58:00-05:00",
        "estimated_delivery_at": None,
        "city": None,
        "province": None,
        "country": "US",
        "zip": None,
        "shop_id": 548380009,
        "created_at": "2026-03-04T10:59:00-05:00",
        "updated_at": "2026-03-04T10:59:00-05:00",
        "admin_graphql_api_id": "gid://shopify/FulfillmentEvent/1234567",
        **values,
    }


def shop(**values: Any) -> Payload:
    """``app/uninstalled``: the shop itself."""
    return {
        "id": 548380009,
        "name": "Sierra Gear",
        "email": "owner@sierra-gear.example",
        "domain": "sierra-gear.example",
        "myshopify_domain": "sierra-gear.myshopify.com",
        "country_code": "US",
        "currency": "USD",
        "iana_timezone": "America/New_York",
        "primary_locale": "en",
        "plan_name": "basic",
        **values,
    }


def product(**values: Any) -> Payload:
    """A jacket in two sizes, as Shopify sends it when one of them is sold."""
    sizes = (("642667041472713922", "Small", 3), ("757650484644203962", "Large", 0))
    variants = [
        {
            "id": int(number),
            "product_id": 788032119674292922,
            "title": size,
            "price": "129.00",
            "compare_at_price": None,
            "inventory_quantity": count,
            "updated_at": "2026-03-04T10:58:00-05:00",
        }
        for number, size, count in sizes
    ]
    jacket = {
        "id": 788032119674292922,
        "title": "Trail Jacket",
        "handle": "trail-jacket",
        "updated_at": "2026-03-04T10:58:00-05:00",
        "variants": variants,
    }
    return {**jacket, **values}


def refund(**values: Any) -> Payload:
    back = {"id": 1, "kind": "refund", "amount": "129.00", "currency": "USD"}
    given = {
        "id": 890088186047892319,
        "order_id": 5610000000001,
        "processed_at": "2026-03-04T10:59:00-05:00",
        "refund_line_items": [{"id": 2, "quantity": 1, "subtotal": "129.00"}],
        "transactions": [back],
    }
    return {**given, **values}


def tags(*names: str) -> Payload:
    return {
        "customerId": "gid://shopify/Customer/706405506930370084",
        "tags": list(names),
        "occurredAt": "2026-03-04T15:59:00Z",
    }


def email_consent(state: str = "unsubscribed") -> Payload:
    return {"customer_id": 706405506930370084, "email_marketing_consent": {"state": state, "consent_updated_at": None}}


def of_every_topic() -> dict[str, Payload]:
    """One payload for each topic that means something to SMSFlow."""
    return {
        "customers/create": customer(),
        "customers/update": customer(),
        "customers_marketing_consent/update": consent(),
        "checkouts/create": checkout(),
        "checkouts/update": checkout(buyer_accepts_sms_marketing=True, sms_marketing_phone=PHONE),
        "orders/create": order(),
        "orders/paid": order(),
        "orders/cancelled": order(cancelled_at="2026-03-04T10:59:00-05:00", cancel_reason="customer"),
        "fulfillments/create": fulfillment(),
        "fulfillment_events/create": fulfillment_event(),
        "refunds/create": refund(),
        "products/create": product(),
        "products/update": product(),
        "variants/in_stock": product()["variants"][0],
        "variants/out_of_stock": product()["variants"][1],
        "customer.tags_added": tags("vip"),
        "customer.tags_removed": tags("vip"),
        "customers_email_marketing_consent/update": email_consent(),
        "app/uninstalled": shop(),
    }
