"""Shopify's topics: what each needs, what of it is sent, and which events it tells of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: The fields of a checkout that its translator reads. The whole is about ten times as large, at every keystroke.
_CHECKOUT = (
    "abandoned_checkout_url", "billing_address", "buyer_accepts_sms_marketing", "cart_token", "completed_at",
    "contact_email", "created_at", "currency", "customer", "customer_locale", "discount_codes", "email", "id",
    "line_items", "phone", "shipping_address", "sms_marketing_phone", "token", "total_price", "updated_at",
)  # fmt: skip
#: Of a product, which Shopify sends with every order of it. Without ``updated_at`` it would take two changes for one.
_PRODUCT = ("handle", "id", "published_at", "status", "title", "updated_at", "variants")

#: What carriers say of a parcel. Left out are the two that only tell of a label, which is printed long before.
_MOVED = (
    "attempted_delivery", "carrier_picked_up", "confirmed", "delayed", "delivered", "failure", "in_transit",
    "out_for_delivery", "ready_for_pickup",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Topic:
    """A kind of webhook. ``name`` as its header says it; ``scopes``: without them Shopify refuses the subscription.

    ``fields``: what of the payload is sent, empty for all of it. ``filter``: Shopify's search syntax, asked of the
    payload as it is after the event.
    """

    name: str
    scopes: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    filter: str = ""

    @property
    def enum(self) -> str:
        """What GraphQL calls it: CUSTOMER_TAGS_ADDED."""
        return self.name.replace("/", "_").replace(".", "_").upper()


_CUSTOMERS, _ORDERS, _SENT = ("read_customers",), ("read_orders",), ("read_fulfillments",)
_PRODUCTS, _STOCK = ("read_products",), ("read_inventory", "read_products")
_CONTRACTS, _PICKUP = ("read_own_subscription_contracts",), ("read_merchant_managed_fulfillment_orders",)
_RETURNS = ("read_returns",)

TOPICS: Mapping[str, Topic] = {
    topic.name: topic
    for topic in (
        Topic("app/uninstalled"),
        Topic("app/scopes_update"),
        Topic("shop/update"),
        Topic("bulk_operations/finish"),
        Topic("customers/create", _CUSTOMERS),
        Topic("customers/update", _CUSTOMERS),
        Topic("customers/merge", ("read_customer_merge", *_CUSTOMERS)),
        Topic("customers/delete", _CUSTOMERS),
        Topic("customers/enable", _CUSTOMERS),
        Topic("customers/disable", _CUSTOMERS),
        Topic("customers/purchasing_summary", _CUSTOMERS),
        Topic("customer.joined_segment", _CUSTOMERS),
        Topic("customer.left_segment", _CUSTOMERS),
        Topic("customers_marketing_consent/update", _CUSTOMERS),
        Topic("customers_email_marketing_consent/update", _CUSTOMERS),
        Topic("customer.tags_added", _CUSTOMERS),
        Topic("customer.tags_removed", _CUSTOMERS),
        Topic("carts/create", _ORDERS),
        Topic("carts/update", _ORDERS),
        Topic("checkouts/create", _ORDERS, fields=_CHECKOUT),
        Topic("checkouts/update", _ORDERS, fields=_CHECKOUT),
        Topic("orders/create", _ORDERS),
        Topic("orders/updated", _ORDERS),
        Topic("orders/edited", _ORDERS),
        Topic("orders/paid", _ORDERS),
        Topic("orders/cancelled", _ORDERS),
        Topic("orders/fulfilled", _ORDERS),
        Topic("orders/partially_fulfilled", _ORDERS),
        Topic("returns/request", _RETURNS),
        Topic("returns/approve", _RETURNS),
        Topic("returns/decline", _RETURNS),
        Topic("refunds/create", _ORDERS),
        Topic("fulfillments/create", _SENT),
        Topic("fulfillments/update", _SENT),
        Topic("fulfillment_events/create", _SENT, filter=" OR ".join(f"status:{status}" for status in _MOVED)),
        Topic("fulfillment_orders/line_items_prepared_for_pickup", _PICKUP),
        Topic("products/create", _PRODUCTS, fields=_PRODUCT),
        Topic("products/update", _PRODUCTS, fields=_PRODUCT),
        Topic("variants/in_stock", _PRODUCTS),
        Topic("variants/out_of_stock", _PRODUCTS),
        Topic("inventory_levels/connect", _STOCK),
        Topic("inventory_levels/update", _STOCK),
        Topic("inventory_levels/disconnect", _STOCK),
        Topic("inventory_items/update", _STOCK),
        Topic("subscription_contracts/create", _CONTRACTS),
        Topic("subscription_contracts/activate", _CONTRACTS),
        Topic("subscription_contracts/pause", _CONTRACTS),
        Topic("subscription_contracts/cancel", _CONTRACTS),
        Topic("subscription_contracts/fail", _CONTRACTS),
        Topic("subscription_contracts/expire", _CONTRACTS),
        Topic("subscription_billing_attempts/success", _CONTRACTS),
        Topic("subscription_billing_attempts/failure", _CONTRACTS),
        Topic("subscription_billing_attempts/challenged", _CONTRACTS),
    )
}

#: Whatever flows there are.
ALWAYS = (
    "app/uninstalled", "app/scopes_update", "shop/update", "bulk_operations/finish",
    "customers/create", "customers/update", "customers/merge", "customers/delete",
    "customers_marketing_consent/update", "customer.tags_added", "customer.tags_removed",
    "customers/purchasing_summary", "orders/create", "orders/cancelled", "refunds/create",
)  # fmt: skip
#: Rights that everything stands on: people are read, and what they tell us by text is written back.
ALWAYS_SCOPES = ("read_customers", "write_customers", "read_orders")

_CONSENT, _CHECKOUTS = ("customers_marketing_consent/update",), ("checkouts/create", "checkouts/update")
_GOODS = ("products/create", "products/update")
#: Whether there is any: a level that is connected or taken away changes that as much as one that changes.
_SHELVES = (
    *_GOODS, "variants/in_stock", "variants/out_of_stock", "inventory_items/update",
    "inventory_levels/connect", "inventory_levels/update", "inventory_levels/disconnect",
)  # fmt: skip
#: An order that is changed afterwards is still the order that a text may speak of.
_BOUGHT = ("orders/create", "orders/updated")
_PARCELS, _CARRIER = ("fulfillments/create", "fulfillments/update"), ("fulfillment_events/create",)
#: A contract's first webhook tells whose it is, and what it is for.
_CONTRACT = ("subscription_contracts/create",)

#: Which topics tell of an event, by its kind (``events.kinds``).
OF_KIND: Mapping[str, tuple[str, ...]] = {
    # the box in the checkout is one way to agree
    "opted_in": (*_CONSENT, *_CHECKOUTS),
    "opt_in_requested": _CONSENT,
    "opted_out": _CONSENT,
    "customer_created": ("customers/create",),
    "customer_updated": ("customers/update",),
    "customer_enabled": ("customers/enable",),
    "customer_disabled": ("customers/disable",),
    "customer_deleted": ("customers/delete",),
    "tag_added": ("customer.tags_added",),
    "tag_removed": ("customer.tags_removed",),
    "shop_segment_joined": ("customer.joined_segment",),
    "shop_segment_left": ("customer.left_segment",),
    # a pixel in the shop's pages tells these; whose they are comes out in the checkout
    "product_viewed": _CHECKOUTS,
    "collection_viewed": _CHECKOUTS,
    "search_submitted": _CHECKOUTS,
    "added_to_cart": _CHECKOUTS,
    "waitlist_joined": _SHELVES,
    "back_in_stock": _SHELVES,
    "price_dropped": _GOODS,
    # whose cart it is comes out when a checkout or an order names it
    "cart_updated": ("carts/create", "carts/update", *_CHECKOUTS),
    "cart_emptied": ("carts/create", "carts/update", *_CHECKOUTS),
    "checkout_updated": _CHECKOUTS,
    "order_created": _BOUGHT,
    "order_paid": ("orders/paid", *_BOUGHT),
    "order_cancelled": ("orders/cancelled",),
    "order_edited": ("orders/edited", *_BOUGHT),
    "order_fulfilled": ("orders/fulfilled", "orders/partially_fulfilled", *_BOUGHT),
    "order_refunded": ("refunds/create", *_BOUGHT),
    "return_requested": ("returns/request",),
    "return_approved": ("returns/approve",),
    "return_declined": ("returns/decline",),
    "replenishment_due": _BOUGHT,
    "lapsed": _BOUGHT,
    "parcel_sent": _PARCELS,
    "parcel_tracked": _PARCELS,
    "parcel_moved": (*_PARCELS, *_CARRIER),
    "parcel_delivered": (*_PARCELS, *_CARRIER),
    "pickup_ready": ("fulfillment_orders/line_items_prepared_for_pickup", *_PARCELS, *_CARRIER),
    "subscription_started": _CONTRACT,
    "subscription_resumed": ("subscription_contracts/activate", *_CONTRACT),
    "subscription_paused": ("subscription_contracts/pause", *_CONTRACT),
    "subscription_cancelled": ("subscription_contracts/cancel", *_CONTRACT),
    "subscription_failed": ("subscription_contracts/fail", *_CONTRACT),
    "subscription_expired": ("subscription_contracts/expire", *_CONTRACT),
    "subscription_paid": ("subscription_billing_attempts/success", *_CONTRACT),
    "subscription_unpaid": ("subscription_billing_attempts/failure", *_CONTRACT),
    "subscription_challenged": ("subscription_billing_attempts/challenged", *_CONTRACT),
}
#: Rights that a kind of event needs beside its topics: those of the pixel.
SCOPES_OF_KIND: Mapping[str, tuple[str, ...]] = dict.fromkeys(
    ("product_viewed", "collection_viewed", "search_submitted", "added_to_cart"),
    ("write_pixels", "read_customer_events"),
)
