"""What Shopify says of products, refunds and tags, in the shapes of its API version 2026-07. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from smsflow_plugin.integrations.simulator.goods import Article
from smsflow_plugin.integrations.simulator.payload_parts import Cart, Customer, Payload, ShopInfo, money, money_set


def product(shop: ShopInfo, article: Article, at: datetime, *, price: Decimal, available: int) -> Payload:
    """``products/update``: the whole product, with the price and the number of its variant."""
    return {
        "admin_graphql_api_id": f"gid://shopify/Product/{article.product_id}",
        "body_html": "",
        "created_at": None,
        "handle": article.sku.lower(),
        "id": article.product_id,
        "product_type": "",
        "published_at": shop.time(at),
        "template_suffix": None,
        "title": article.title,
        "updated_at": shop.time(at),
        "vendor": shop.name,
        "status": "active",
        "published_scope": "web",
        "tags": "",
        "variants": [
            {
                "admin_graphql_api_id": f"gid://shopify/ProductVariant/{article.variant_id}",
                "barcode": None,
                "compare_at_price": None,
                "created_at": None,
                "id": article.variant_id,
                "inventory_policy": "deny",
                "position": 1,
                "price": money(price),
                "product_id": article.product_id,
                "sku": article.sku,
                "taxable": True,
                "title": article.variant or "Default Title",
                "updated_at": shop.time(at),
                "option1": article.variant or "Default Title",
                "option2": None,
                "option3": None,
                "image_id": None,
                "inventory_item_id": article.variant_id + 1,
                "inventory_quantity": available,
                "old_inventory_quantity": available,
            }
        ],
        "options": [],
        "images": [],
        "image": None,
    }


def refund(shop: ShopInfo, cart: Cart, at: datetime) -> Payload:
    """``refunds/create``: everything that was paid goes back."""
    return {
        "id": cart.order_id * 10 + 9,
        "order_id": cart.order_id,
        "created_at": shop.time(at),
        "note": None,
        "user_id": None,
        "processed_at": shop.time(at),
        "restock": False,
        "refund_line_items": [],
        "transactions": [
            {
                "id": cart.order_id * 10 + 8,
                "order_id": cart.order_id,
                "kind": "refund",
                "status": "success",
                "amount": money(cart.total),
                "currency": shop.currency,
            }
        ],
        "total_duties_set": money_set(shop, Decimal(0)),
        "order_adjustments": [],
    }


def tags(customer: Customer, names: list[str], at: datetime) -> Payload:
    """``customer.tags_added`` and ``customer.tags_removed``."""
    return {
        "customerId": f"gid://shopify/Customer/{customer.id}",
        "tags": names,
        "occurredAt": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
