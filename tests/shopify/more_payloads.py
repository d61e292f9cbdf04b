"""Webhooks of the topics around orders and people: carts, returns, subscriptions, stock, the shop itself."""

from __future__ import annotations

from tests.shopify.payloads import (
    CART_TOKEN,
    CUSTOMER_ID,
    ORDER_ID,
    PHONE,
    Payload,
    customer,
    fulfillment,
    order,
)

VARIANT_ID = 808950810
PRODUCT_ID = 632910392
ITEM_ID = 271878346596884
CONTRACT_ID = 9264106522
SHOP = "sierra-gear.myshopify.com"
AT = "2026-03-04T10:50:00-05:00"


def cart(**values: Payload) -> Payload:
    """``carts/create`` and ``carts/update``: two jackets, and nobody."""
    line = {
        "id": VARIANT_ID, "key": f"{VARIANT_ID}:abc", "quantity": 2, "variant_id": VARIANT_ID, "product_id": PRODUCT_ID,
        "title": "Trail Jacket - M", "price": "129.00", "line_price": "258.00", "properties": None, "discounts": [],
    }  # fmt: skip
    return {
        "id": CART_TOKEN, "token": CART_TOKEN, "line_items": [line], "note": None,
        "created_at": "2026-03-04T10:05:00-05:00", "updated_at": "2026-03-04T10:10:00-05:00", **values,
    }  # fmt: skip


def contract(status: str = "active", **values: object) -> Payload:
    """``subscription_contracts/*``."""
    gid = f"gid://shopify/SubscriptionContract/{CONTRACT_ID}"
    return {
        "admin_graphql_api_id": gid, "id": CONTRACT_ID, "currency_code": "USD", "customer_id": CUSTOMER_ID,
        "admin_graphql_api_customer_id": f"gid://shopify/Customer/{CUSTOMER_ID}", "status": status,
        "billing_policy": {"interval": "week", "interval_count": 4}, "origin_order_id": ORDER_ID,
        "revision_id": "4690720903", **values,
    }  # fmt: skip


def billing_attempt(**values: object) -> Payload:
    """``subscription_billing_attempts/*``."""
    return {
        "id": 777, "admin_graphql_api_id": "gid://shopify/SubscriptionBillingAttempt/777", "order_id": None,
        "subscription_contract_id": CONTRACT_ID, "ready": True, "error_code": "card_declined",
        "error_message": "Your card was declined.", **values,
    }  # fmt: skip


def returned(**values: object) -> Payload:
    """``returns/*``."""
    return {
        "id": 123134564567890, "admin_graphql_api_id": "gid://shopify/Return/123134564567890", "status": "requested",
        "order": {"id": ORDER_ID, "admin_graphql_api_id": f"gid://shopify/Order/{ORDER_ID}"},
        "total_return_line_items": 2, "name": "#1001-R1", **values,
    }  # fmt: skip


def merged(kept: int = CUSTOMER_ID, gone: int = 42, status: str = "completed") -> Payload:
    """``customers/merge``."""
    return {
        "admin_graphql_api_customer_kept_id": f"gid://shopify/Customer/{kept}",
        "admin_graphql_api_customer_deleted_id": f"gid://shopify/Customer/{gone}",
        "admin_graphql_api_job_id": None, "status": status, "errors": [],
    }  # fmt: skip


def bought(orders: int = 7, spent: str = "812.50", at: str = AT) -> Payload:
    """``customers/purchasing_summary``."""
    return {
        "customerId": f"gid://shopify/Customer/{CUSTOMER_ID}", "numberOfOrders": orders,
        "amountSpent": {"amount": spent, "currencyCode": "USD"}, "lastOrderId": f"gid://shopify/Order/{ORDER_ID}",
        "occurredAt": at,
    }  # fmt: skip


def level(**values: object) -> Payload:
    """``inventory_levels/*``."""
    return {"inventory_item_id": ITEM_ID, "location_id": 24826418, "available": 10, "updated_at": AT, **values}


def about_person(**values: object) -> Payload:
    """``customers/data_request`` and ``customers/redact``."""
    person = {"id": CUSTOMER_ID, "email": "ada@example.com", "phone": PHONE}
    return {"shop_id": 954889, "shop_domain": SHOP, "customer": person, **values}


def of_more_topics() -> dict[str, Payload]:
    segment = {
        "shop_id": "gid://shopify/Shop/1", "customer_id": f"gid://shopify/Customer/{CUSTOMER_ID}",
        "segment_id": "gid://shopify/Segment/3",
    }  # fmt: skip
    edit = {"order_edit": {"id": 78912328793, "order_id": ORDER_ID, "committed_at": AT, "line_items": {}}}
    part = {"fulfillment_order": {"id": "gid://shopify/FulfillmentOrder/1", "status": "open", "preparable": True}}
    return {
        "customers/enable": customer(),
        "customers/disable": customer(state="disabled"),
        "customers/delete": {"id": CUSTOMER_ID, "admin_graphql_api_id": f"gid://shopify/Customer/{CUSTOMER_ID}"},
        "customers/merge": merged(),
        "customers/purchasing_summary": bought(),
        "customer.joined_segment": segment,
        "customer.left_segment": segment,
        "carts/create": cart(),
        "carts/update": cart(),
        "orders/updated": order(),
        "orders/partially_fulfilled": order(),
        "orders/fulfilled": order(),
        "orders/edited": edit,
        "returns/request": returned(),
        "returns/approve": returned(status="open"),
        "returns/decline": returned(status="declined"),
        "fulfillments/update": fulfillment(shipment_status="delivered"),
        "fulfillment_orders/line_items_prepared_for_pickup": part,
        "inventory_levels/connect": level(),
        "inventory_levels/update": level(),
        "inventory_levels/disconnect": {"inventory_item_id": ITEM_ID, "location_id": 24826418},
        "inventory_items/update": {"id": ITEM_ID, "sku": "J-M", "updated_at": AT, "tracked": True},
        **{f"subscription_contracts/{word}": contract() for word in
           ("create", "activate", "pause", "cancel", "fail", "expire")},
        **{f"subscription_billing_attempts/{word}": billing_attempt() for word in
           ("success", "failure", "challenged")},
        "app/scopes_update": {"id": 1, "previous": ["read_products"], "current": ["read_orders"], "updated_at": AT},
        "shop/update": {
            "id": 1, "myshopify_domain": SHOP, "iana_timezone": "America/Denver", "currency": "USD", "updated_at": AT,
        },
        "bulk_operations/finish": {
            "admin_graphql_api_id": "gid://shopify/BulkOperation/1", "status": "completed", "completed_at": AT,
        },
        "customers/data_request": about_person(orders_requested=[ORDER_ID], data_request={"id": 9999}),
        "customers/redact": about_person(orders_to_redact=[ORDER_ID]),
        "shop/redact": {"shop_id": 954889, "shop_domain": SHOP},
    }  # fmt: skip
