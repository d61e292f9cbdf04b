"""``products/*``, ``variants/*`` and the news of the stock. Pure.

Shopify sends the whole product with every order of it, and never the old price or stock:
comparing is the core's work. Only the first hundred variants come along.
"""

from __future__ import annotations

from smsflow_plugin.events.facts import StockFact, StoreWord, Translation
from smsflow_plugin.integrations.shopify.headers import SHOP, shopify_header
from smsflow_plugin.integrations.shopify.letter import Letter
from smsflow_plugin.integrations.shopify.payload import Payload

#: What Shopify calls the variant of a product that has only one.
_ONLY = "Default Title"


def product(letter: Letter) -> Translation:
    """A product with its variants."""
    payload = letter.payload
    title = payload.text("title", 200) or None
    url = _address(letter)
    facts = tuple(
        fact
        for variant in payload.objects("variants")
        if (fact := _fact(letter, variant, title=title, product_id=payload.id("id"), url=url))
    )
    if not facts:
        return Translation(ignored="The product has no variants that could be told apart.")
    return Translation((*facts, *_items(letter, payload.objects("variants"))))


def variant(letter: Letter) -> Translation:
    """One variant that came back, or went."""
    fact = _fact(letter, letter.payload, title=None, product_id=letter.payload.id("product_id"), url=None)
    if fact is None:
        return Translation(ignored="It does not say which variant it is about.")
    return Translation((fact, *_items(letter, [letter.payload])))


def stock_changed(letter: Letter) -> Translation:
    """``inventory_levels/*`` and ``inventory_items/update``: something is known to have changed, but not what there is.

    A level is that of one place, and names no variant; so the shop is asked what there is in all.
    """
    item = letter.payload.id("inventory_item_id") or letter.payload.id("id")
    if not item:
        return Translation(ignored="It does not say which article it is about.")
    return Translation((StoreWord("stock_changed", letter.time("updated_at"), {"item": item}),))


def _items(letter: Letter, rows: list[Payload]) -> tuple[StoreWord, ...]:
    """Return which article of the stock each variant is: levels speak of these only."""
    pairs = {item: row.id("id") for row in rows if (item := row.id("inventory_item_id")) and row.id("id")}
    return (StoreWord("stock_items", letter.triggered_at, {"items": pairs}),) if pairs else ()


def _fact(letter: Letter, row: Payload, *, title: str | None, product_id: str, url: str | None) -> StockFact | None:
    variant_id = row.id("id")
    if not variant_id:
        return None
    name = row.text("title", 100)
    quantity = row.number("inventory_quantity")
    return StockFact(
        variant_id=variant_id,
        said_at=letter.profile_at(),
        product_id=product_id or None,
        title=title,
        variant="" if name == _ONLY else name,
        url=url,
        price=row.money("price"),
        available=quantity,
        counted=not ("inventory_management" in row and not row.text("inventory_management")),
    )


def _address(letter: Letter) -> str | None:
    handle, shop = letter.payload.token("handle"), shopify_header(letter.raw.headers, SHOP)
    return f"https://{shop}/products/{handle}" if handle and shop else None
