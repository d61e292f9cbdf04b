"""``products/create``, ``products/update``, ``variants/in_stock`` and ``variants/out_of_stock``. Pure.

Shopify sends the whole product with every order of it, and never the old price or stock:
comparing is the core's work. Only the first hundred variants come along.
"""

from __future__ import annotations

from smsflow_plugin.events.facts import StockFact, Translation
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
    return Translation(facts) if facts else Translation(ignored="The product has no variants that could be told apart.")


def variant(letter: Letter) -> Translation:
    """One variant that came back, or went."""
    fact = _fact(letter, letter.payload, title=None, product_id=letter.payload.id("product_id"), url=None)
    return Translation((fact,)) if fact else Translation(ignored="It does not say which variant it is about.")


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
