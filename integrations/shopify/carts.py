"""``carts/create`` and ``carts/update``. Pure.

A cart says neither whose it is nor what its prices are in. It is kept small until a checkout or an order
shows its token (``integrations.shopify.joining``).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from smsflow_plugin.events.facts import CannotUnderstand, StoreWord, Translation
from smsflow_plugin.integrations.shopify.goods import goods
from smsflow_plugin.integrations.shopify.headers import SHOP, shopify_header
from smsflow_plugin.integrations.shopify.letter import Letter

#: Lines kept of a cart that is nobody's yet; ``item_count`` counts them all.
MAX_LINES = 10


def cart(letter: Letter) -> Translation:
    """A cart was begun, changed or emptied."""
    payload = letter.payload
    token = payload.cart("token") or payload.cart("id")
    if not token:
        raise CannotUnderstand("It speaks of a cart, but does not say of which.")
    at = letter.time("updated_at", "created_at")
    data = {"token": token, "key": f"{token}:{letter.stamp(payload.time('updated_at'))}", "cart": _contents(letter)}
    return Translation((StoreWord("cart", at, data),))


def _contents(letter: Letter) -> dict[str, Any]:
    lines = letter.payload.objects("line_items")
    amounts = [line.money("line_price") for line in lines]
    total = sum((Decimal(amount) for amount in amounts if amount), Decimal(0))
    found = goods(letter)
    return {
        **found,
        "url": _recovery(letter, found["lines"]),
        "total": f"{total:.2f}" if lines else None,
        "lines": found["lines"][:MAX_LINES],
    }


def _recovery(letter: Letter, lines: list[dict[str, Any]]) -> str | None:
    """Return the address that puts the same into a new cart: the cart's own is on one device only."""
    shop = shopify_header(letter.raw.headers, SHOP).lower()
    wanted = [f"{line['variant_id']}:{line['quantity']}" for line in lines if line["variant_id"] and line["quantity"]]
    return f"https://{shop}/cart/{','.join(wanted[:MAX_LINES])}" if shop and wanted else None
