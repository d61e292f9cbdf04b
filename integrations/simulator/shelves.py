"""What happens to one product of the simulated shop: people look at it, it sells out, comes back, gets cheaper."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from smsflow_plugin.integrations.simulator.goods import Article, shelf
from smsflow_plugin.integrations.simulator.people import customer_of
from smsflow_plugin.integrations.simulator.shop import Answer
from smsflow_plugin.integrations.simulator.visits import Doing, Visit
from smsflow_plugin.models import Store, Variant

#: So many pieces come when the shop gets more, and lie there at the beginning.
RESTOCK, AT_FIRST = 2, 12


def article_of(visit: Visit) -> Article:
    """Return the product that was chosen, or the first on the shelf."""
    goods = shelf(visit.contact.store.language)
    chosen = visit.said.get("article", "")
    return next((one for one in goods if str(one.variant_id) == chosen), goods[0])


def on_the_shelf(store: Store) -> list[tuple[str, str]]:
    """Return (variant id, words) of everything that the shop sells, with its price and how many there are."""
    known = {row.variant_id: row for row in Variant.objects.filter(store=store)}
    return [(str(one.variant_id), _words(one, known.get(str(one.variant_id)), store)) for one in shelf(store.language)]


def looks(visit: Visit) -> list[Answer]:
    return _about(visit, "product_viewed")


def waits(visit: Visit) -> list[Answer]:
    return _about(visit, "waitlist_joined")


def restocks(visit: Visit) -> list[Answer]:
    return _change(visit, more=RESTOCK)


def sells_out(visit: Visit) -> list[Answer]:
    return _change(visit, left=0)


def cheaper(visit: Visit) -> list[Answer]:
    return _change(visit, factor=Decimal("0.8"))


def old_price(visit: Visit) -> list[Answer]:
    """The shop asks again what it asked at first."""
    return _change(visit, factor=None)


def _about(visit: Visit, kind: str) -> list[Answer]:
    article = article_of(visit)
    price, _available = _now(visit, article)
    shop = visit.shop
    product: dict[str, Any] = {
        "title": article.title,
        "url": f"https://{shop.info.domain}/products/{article.sku.lower()}",
        "product_id": str(article.product_id),
        "variant_id": str(article.variant_id),
        "variant": article.variant or None,
        "price": f"{price:.2f}",
        "old_price": None,
        "currency": shop.info.currency,
    }
    key = f"{visit.contact.pk}:{article.variant_id}:{shop.now().timestamp():.3f}"
    return shop.reports(
        customer_of(visit.contact), kind, key=key, subject=str(article.variant_id), data={"product": product}
    )


def _change(
    visit: Visit, *, more: int = 0, left: int | None = None, factor: Decimal | None = Decimal(1)
) -> list[Answer]:
    article = article_of(visit)
    price, available = _now(visit, article)
    price = article.price if factor is None else (price * factor).quantize(Decimal("0.01"), ROUND_HALF_UP)
    available = max(0, available) + more if left is None else left
    return visit.shop.changes_product(article, price=price, available=available)


def _now(visit: Visit, article: Article) -> tuple[Decimal, int]:
    """Return the price and the number of an article as the site knows them: the shop told it."""
    row = Variant.objects.filter(store=visit.contact.store_id, variant_id=str(article.variant_id)).first()
    if row is None:
        return article.price, AT_FIRST
    return article.price if row.price is None else row.price, AT_FIRST if row.available is None else row.available


def _words(article: Article, row: Variant | None, store: Store) -> str:
    price = article.price if row is None or row.price is None else row.price
    available = AT_FIRST if row is None or row.available is None else row.available
    return f"{article.name} · {price} {store.currency} · {available}"


DOINGS = (
    Doing("looks", _("Looks at it"), "view", looks, group="products"),
    Doing("waits", _("Waits for it"), "time", waits, group="products"),
    Doing("restocks", _("The shop gets two more"), "plus", restocks, group="products"),
    Doing("sells-out", _("It sells out"), "circle-xmark", sells_out, group="products"),
    Doing("cheaper", _("A fifth cheaper"), "arrow-down", cheaper, group="products"),
    Doing("old-price", _("Back to the old price"), "history", old_price, group="products"),
)
