"""What event data looks like: the examples that copy is checked and shown with. Pure."""

from __future__ import annotations

from typing import Any

LINES: Any = [
    {"title": "Trail Jacket", "quantity": 1, "price": "129.00", "product_id": "632910392", "variant_id": "808950810"}
]
CHECKOUT: Any = {
    "cart": {
        "url": "https://sierra-gear.example/checkouts/c1/recover",
        "total": "129.00",
        "currency": "USD",
        "item_count": 1,
        "first_item": "Trail Jacket",
        "lines": LINES,
        "discount_codes": [],
    }
}
ORDER: Any = {
    "order": {
        "name": "#1001",
        "url": "https://sierra-gear.example/orders/1001",
        "source": "web",
        "total": "129.00",
        "currency": "USD",
        "item_count": 1,
        "first_item": "Trail Jacket",
        "lines": LINES,
        "discount_codes": [],
    }
}
PARCEL: Any = {
    "parcel": {
        "order_id": "1001",
        "order_name": None,
        "fulfillment_id": "2001",
        "status": "delivered",
        "tracking_company": None,
        "tracking_number": None,
        "tracking_url": None,
    }
}

APPOINTMENT: Any = {
    "appointment": {
        "title": "Bike fitting",
        "starts_at": "2026-03-12T14:30:00+01:00",
        "ends_at": None,
        "place": None,
        "staff": None,
        "url": None,
    }
}
PRODUCT: Any = {
    "product": {
        "title": "Trail Jacket",
        "url": "https://sierra-gear.example/products/trail-jacket",
        "product_id": "632910392",
        "variant_id": "808950810",
        "variant": None,
        "price": "129.00",
        "old_price": None,
        "currency": "USD",
    }
}
SUBSCRIPTION: Any = {
    "subscription": {"id": "9001", "title": "Coffee every month", "reason": None, "next_order_at": None, "url": None}
}
CASE: Any = {"case": {"id": "77", "title": "Wrong size", "url": None}}
REFUND: Any = {"order": {**ORDER["order"], "refunded": "129.00"}}
RETURN: Any = {"return": {"id": "3001", "name": "#1001-R1", "items": 1, "order_id": "1001"}}
SEARCH: Any = {"search": {"words": "trail jacket"}}
COLLECTION: Any = {"collection": {"id": "4001", "title": "Rain wear", "url": None}}
SHOP_SEGMENT: Any = {"shop_segment": {"id": "5001", "name": None}}
ORDER_ID: Any = {"order": {"id": "1001"}}
