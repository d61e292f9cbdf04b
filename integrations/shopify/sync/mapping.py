"""From the nodes of Shopify's Admin API to the webhooks that would have said the same. Pure.

Everything that is missing in a node is missing in the webhook, too; what is read of it is the translators' business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from smsflow_plugin.integrations.shopify.payload import Payload

Node = Mapping[str, Any]

#: The token of a checkout is told in the address of its page only: ".../checkouts/cn/<token>/recover?key=…".
_TOKEN = re.compile(r"/checkouts/(?:(?:ac|cn|co|c)/)?([A-Za-z0-9_-]{1,80})(?=/|$)")
_CENT = Decimal("0.01")


def customer(node: Node) -> dict[str, Any]:
    """``customers/create`` and ``customers/update``. Tags are not in it, as in the webhooks."""
    return {
        **_id(node),
        "email": node.get("email"),
        "first_name": node.get("firstName"),
        "last_name": node.get("lastName"),
        "phone": phone_of(node) or None,
        "created_at": node.get("createdAt"),
        "updated_at": node.get("updatedAt"),
        "default_address": _address(node.get("defaultAddress")),
    }


def consent(node: Node) -> dict[str, Any] | None:
    """``customers_marketing_consent/update``; None if the customer was never asked."""
    given = _object(node.get("defaultPhoneNumber"))
    state = _word(given.get("marketingState"))
    if state in ("", "not_subscribed"):
        return None
    return {
        **_id(node),
        "phone": phone_of(node) or None,
        "sms_marketing_consent": {
            "state": state,
            "opt_in_level": _word(given.get("marketingOptInLevel")),
            "consent_updated_at": given.get("marketingUpdatedAt"),
            "consent_collected_from": given.get("marketingCollectedFrom"),
        },
        "default_address": _address(node.get("defaultAddress")),
    }


def tags_added(node: Node, tags: Sequence[str]) -> dict[str, Any]:
    """``customer.tags_added``."""
    return {"customerId": node.get("id"), "tags": list(tags), "occurredAt": node.get("updatedAt")}


def order(node: Node, lines: Sequence[Node] | None = None) -> dict[str, Any]:
    """``orders/create``, ``orders/paid`` and ``orders/cancelled``. ``lines`` are given where the node has none."""
    return {
        **_id(node),
        "name": node.get("name"),
        "created_at": node.get("createdAt"),
        "processed_at": node.get("processedAt"),
        "updated_at": node.get("updatedAt"),
        "cancelled_at": node.get("cancelledAt"),
        "test": node.get("test"),
        "source_name": node.get("sourceName"),
        "financial_status": _word(node.get("displayFinancialStatus")),
        "order_status_url": node.get("statusPageUrl"),
        "discount_codes": [{"code": code} for code in Payload(node).texts("discountCodes")],
        "email": node.get("email"),
        "phone": node.get("phone"),
        "customer_locale": node.get("customerLocale"),
        "checkout_token": node.get("checkoutToken"),
        "cart_token": node.get("cartToken"),
        "customer": _buyer(node.get("customer")),
        "shipping_address": _address(node.get("shippingAddress")),
        "billing_address": _address(node.get("billingAddress")),
        "line_items": [line(one) for one in (_nodes(node.get("lineItems")) if lines is None else lines)],
        **_total(node),
    }


def checkout(node: Node) -> dict[str, Any]:
    """``checkouts/update``. Shopify tells a checkout's token in its address only."""
    known = _object(node.get("customer"))
    return {
        "token": token_of(node),
        "abandoned_checkout_url": node.get("abandonedCheckoutUrl"),
        "created_at": node.get("createdAt"),
        "updated_at": node.get("updatedAt"),
        "completed_at": node.get("completedAt"),
        "email": known.get("email"),
        "phone": None,
        "customer": _buyer(known),
        "customer_locale": known.get("locale"),
        "line_items": [line(one) for one in _nodes(node.get("lineItems"))],
        **_total(node),
    }


def line(node: Node) -> dict[str, Any]:
    """One line of an order or a checkout."""
    variant = _object(node.get("variant"))
    return {
        "title": node.get("title"),
        "quantity": node.get("quantity"),
        "price": _money(variant.get("price")),
        "product_id": number_of(_object(node.get("product")).get("id")),
        "variant_id": number_of(variant.get("id")),
    }


def body(payload: Mapping[str, Any]) -> bytes:
    """Return a payload as the bytes of a webhook: the same payload makes the same bytes."""
    return json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "replace")


def number_of(gid: object) -> int | None:
    """Return the number in "gid://shopify/Order/1"; None if there is none."""
    last = gid.rpartition("/")[2].partition("?")[0] if isinstance(gid, str) else ""
    return int(last) if last.isascii() and last.isdecimal() and len(last) < 20 else None


def token_of(node: Node) -> str:
    """Return the token by which webhooks know an abandoned checkout, or ""."""
    url = node.get("abandonedCheckoutUrl")
    try:
        path = urlsplit(url).path if isinstance(url, str) else ""
    except ValueError:
        return ""
    found = _TOKEN.search(path)
    return found.group(1) if found else ""


def phone_of(node: Node) -> str:
    """Return the customer's own number as Shopify has it, or ""."""
    return Payload(node.get("defaultPhoneNumber")).text("phoneNumber")


def tags_of(node: Node) -> list[str]:
    return Payload(node).texts("tags")


def _buyer(value: object) -> dict[str, Any] | None:
    known = _object(value)
    if not known.get("id"):
        return None
    return {
        **_id(known),
        "first_name": known.get("firstName"),
        "last_name": known.get("lastName"),
        "phone": phone_of(known) or None,
        "default_address": _address(known.get("defaultAddress")),
    }


def _id(node: Node) -> dict[str, Any]:
    return {"id": number_of(node.get("id")), "admin_graphql_api_id": node.get("id")}


def _address(value: object) -> dict[str, Any] | None:
    given = _object(value)
    if not given:
        return None
    return {
        "first_name": given.get("firstName"),
        "last_name": given.get("lastName"),
        "phone": given.get("phone"),
        "country_code": given.get("countryCodeV2"),
        "province_code": given.get("provinceCode"),
        "zip": given.get("zip"),
    }


def _total(node: Node) -> dict[str, Any]:
    total = _object(_object(node.get("totalPriceSet")).get("shopMoney"))
    return {"total_price": _money(total.get("amount")), "currency": total.get("currencyCode")}


def _money(value: object) -> str | None:
    """Return an amount as webhooks write it: GraphQL leaves the last zero away ("129.0")."""
    try:
        amount = Decimal(str(value))
        cents = amount.quantize(_CENT)
    except InvalidOperation:
        return None
    return str(cents if amount == cents else amount) if amount.is_finite() else None


def _nodes(value: object) -> list[Node]:
    found = _object(value).get("nodes")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _word(value: object) -> str:
    return value.lower() if isinstance(value, str) else ""


def _object(value: object) -> Node:
    return value if isinstance(value, Mapping) else {}
