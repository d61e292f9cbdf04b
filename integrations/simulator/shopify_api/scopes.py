"""Which access scope each part of the Admin API asks for. Pure."""

from __future__ import annotations

from collections.abc import Iterable

#: By root field, or "Type.field" where somebody else's data is reached from inside.
NEEDED = {
    "customer": "read_customers",
    "customerByIdentifier": "read_customers",
    "customers": "read_customers",
    "customersCount": "read_customers",
    "Order.customer": "read_customers",
    "AbandonedCheckout.customer": "read_customers",
    "order": "read_orders",
    "orders": "read_orders",
    "ordersCount": "read_orders",
    "abandonedCheckouts": "read_orders",
    "Customer.orders": "read_orders",
    "Customer.lastOrder": "read_orders",
    "product": "read_products",
    "products": "read_products",
    "productVariant": "read_products",
    "productVariants": "read_products",
    "inventoryItem": "read_inventory",
    "ProductVariant.inventoryItem": "read_inventory",
    "locations": "read_locations",
    "codeDiscountNode": "read_discounts",
    "codeDiscountNodeByCode": "read_discounts",
    "discountRedeemCodeBulkCreation": "read_discounts",
    "webPixel": "read_pixels",
    "customerCreate": "write_customers",
    "customerUpdate": "write_customers",
    "customerSmsMarketingConsentUpdate": "write_customers",
    "discountCodeBasicCreate": "write_discounts",
    "discountCodeFreeShippingCreate": "write_discounts",
    "discountCodeDeactivate": "write_discounts",
    "discountRedeemCodeBulkAdd": "write_discounts",
    "webPixelCreate": "write_pixels",
    "webPixelUpdate": "write_pixels",
}

#: By the kind in an id: what ``node``, ``nodes``, ``tagsAdd`` and ``metafieldsSet`` reach.
BY_KIND = {
    "Customer": "customers",
    "Order": "orders",
    "AbandonedCheckout": "orders",
    "Product": "products",
    "ProductVariant": "products",
    "InventoryItem": "inventory",
    "DiscountCodeNode": "discounts",
}

#: By the first part of a webhook's topic.
BY_TOPIC = {
    "customers": "read_customers",
    "customers_marketing_consent": "read_customers",
    "customer": "read_customers",
    "carts": "read_orders",
    "checkouts": "read_orders",
    "orders": "read_orders",
    "refunds": "read_orders",
    "fulfillments": "read_fulfillments",
    "fulfillment_events": "read_fulfillments",
    "products": "read_products",
    "variants": "read_products",
    "inventory_levels": "read_inventory",
    "discounts": "read_discounts",
}


def expanded(granted: Iterable[str]) -> frozenset[str]:
    """Who may write may read."""
    granted = {one.strip() for one in granted if one.strip()}
    return frozenset(granted | {one.replace("write_", "read_", 1) for one in granted if one.startswith("write_")})


def split(text: str) -> list[str]:
    """Read a list of scopes, by commas or blanks, as OAuth has them."""
    return [one for one in text.replace(",", " ").split() if one]
