"""From Shopify's webhooks to facts. Pure; see docs/shopify.md for what each topic does."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from smsflow_plugin.events.facts import CannotUnderstand, RawDelivery, StoreInfo, Translation
from smsflow_plugin.integrations.shopify import (
    carts,
    checkouts,
    consents,
    contracts,
    customers,
    lifecycle,
    orders,
    parcels,
    products,
    returns,
)
from smsflow_plugin.integrations.shopify.letter import Letter


def translate(raw: RawDelivery, store: StoreInfo) -> Translation:
    """Return what a webhook says.

    :raises CannotUnderstand: if its body is not a JSON object, or does not tell whom or
        what it is about. Anything else that is missing is simply not known.
    """
    topic = raw.topic.strip().lower()
    if not topic:
        raise CannotUnderstand("The webhook has no topic.")
    letter = Letter.open(raw, store)
    translator = TOPICS.get(topic)
    if translator is None:
        return Translation(ignored=IGNORED.get(topic, f"SMSFlow makes no use of {topic}."))
    if store.gone and topic not in AFTER_THE_END:
        return Translation(ignored="The shop has taken the app away: what happens there is no business of ours.")
    return translator(letter)


TOPICS: Mapping[str, Callable[[Letter], Translation]] = {
    "customers/create": customers.customer_created,
    "customers/update": customers.customer_updated,
    "customers/enable": customers.customer_enabled,
    "customers/disable": customers.customer_disabled,
    "customers/delete": customers.customer_deleted,
    "customers/merge": customers.customers_merged,
    "customers/purchasing_summary": customers.purchasing_summary,
    "customers_marketing_consent/update": consents.marketing_consent,
    "customers_email_marketing_consent/update": customers.email_consent_changed,
    "customer.tags_added": customers.tags_added,
    "customer.tags_removed": customers.tags_removed,
    "customer.joined_segment": customers.segment_joined,
    "customer.left_segment": customers.segment_left,
    "carts/create": carts.cart,
    "carts/update": carts.cart,
    "checkouts/create": checkouts.checkout,
    "checkouts/update": checkouts.checkout,
    "orders/create": orders.order_created,
    "orders/paid": orders.order_paid,
    "orders/cancelled": orders.order_cancelled,
    "orders/updated": orders.order_known,
    "orders/partially_fulfilled": orders.order_known,
    "orders/fulfilled": orders.order_fulfilled,
    "orders/edited": orders.order_edited,
    "refunds/create": orders.order_refunded,
    "returns/request": returns.requested,
    "returns/approve": returns.approved,
    "returns/decline": returns.declined,
    "fulfillments/create": parcels.parcel_sent,
    "fulfillments/update": parcels.parcel_sent,
    "fulfillment_events/create": parcels.parcel_moved,
    "fulfillment_orders/line_items_prepared_for_pickup": parcels.pickup_ready,
    "products/create": products.product,
    "products/update": products.product,
    "variants/in_stock": products.variant,
    "variants/out_of_stock": products.variant,
    "inventory_levels/connect": products.stock_changed,
    "inventory_levels/update": products.stock_changed,
    "inventory_levels/disconnect": products.stock_changed,
    "inventory_items/update": products.stock_changed,
    "subscription_contracts/create": contracts.started,
    "subscription_contracts/activate": contracts.resumed,
    "subscription_contracts/pause": contracts.paused,
    "subscription_contracts/cancel": contracts.cancelled,
    "subscription_contracts/fail": contracts.failed,
    "subscription_contracts/expire": contracts.expired,
    "subscription_billing_attempts/success": contracts.paid,
    "subscription_billing_attempts/failure": contracts.unpaid,
    "subscription_billing_attempts/challenged": contracts.challenged,
    "app/uninstalled": lifecycle.app_uninstalled,
    "app/scopes_update": lifecycle.scopes_changed,
    "shop/update": lifecycle.shop_changed,
    "bulk_operations/finish": lifecycle.bulk_finished,
    "customers/data_request": lifecycle.data_requested,
    "customers/redact": lifecycle.customer_redacted,
    "shop/redact": lifecycle.shop_redacted,
}

#: What counts although the shop has taken the app away: what the law asks for, and who wants no more texts.
AFTER_THE_END = frozenset({
    "app/uninstalled", "customers/data_request", "customers/redact", "shop/redact",
    "customers_marketing_consent/update",
})  # fmt: skip

#: Why nothing is made of these.
IGNORED: Mapping[str, str] = {
    "customers_whats_app_marketing_consent/update": (
        "Consent to WhatsApp is no consent to text messages, and SMSFlow sends nothing by WhatsApp."
    ),
    "discounts/redeemcode_added": "A code was made. That one was used is told by the order.",
    "discounts/redeemcode_removed": "A code was taken away. Codes that were sent stay in the texts.",
    "returns/update": "It says neither of which order the return is, nor anything that a text could tell.",
    "subscription_contracts/update": "Something about a subscription has changed, but not what.",
    "checkouts/delete": "A checkout was deleted. If it was paid for, its order tells so.",
    "orders/delete": "An order was deleted. What was said about it stays.",
    "products/delete": "A product was deleted. Nobody is told about it any more, as there is none of it.",
}
