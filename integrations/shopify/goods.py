"""What somebody wants to buy, or bought, as event data that copy can use. Pure."""

from __future__ import annotations

from typing import Any

from smsflow_plugin.integrations.shopify.letter import Letter
from smsflow_plugin.integrations.shopify.payload import Payload

#: Lines kept of a cart or an order; ``item_count`` counts them all.
MAX_LINES = 50


def goods(letter: Letter) -> dict[str, Any]:
    """Return the total and the lines of a checkout or an order. Money stays the decimal string that it is."""
    payload = letter.payload
    lines = payload.objects("line_items")
    return {
        "total": payload.money("total_price"),
        "currency": payload.text("currency", 3).upper() or letter.store.currency,
        "item_count": sum(line.count("quantity") for line in lines),
        "first_item": next((title for line in lines if (title := _title(line))), None),
        "lines": [_line(line) for line in lines[:MAX_LINES]],
        "discount_codes": [code for item in payload.objects("discount_codes") if (code := item.text("code"))],
    }


def _line(line: Payload) -> dict[str, Any]:
    return {
        "title": _title(line),
        "quantity": line.count("quantity"),
        "price": line.money("price"),
        "product_id": line.id("product_id") or None,
        "variant_id": line.id("variant_id") or None,
    }


def _title(line: Payload) -> str | None:
    return line.text("title") or line.text("presentment_title") or None
