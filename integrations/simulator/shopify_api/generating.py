"""A shop with a past: as many customers and orders as wanted, the same ones for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING

from smsflow_plugin.integrations.simulator.shopify_api import letters
from smsflow_plugin.integrations.simulator.shopify_api.doings import NUMBERS_OF_A_SHOP, blank_order
from smsflow_plugin.integrations.simulator.shopify_api.resolve_people import NO_CONSENT, new_customer
from smsflow_plugin.integrations.simulator.shopify_api.storage import FIRST_ID, IDS_OF_A_SHOP, Doc, Things
from smsflow_plugin.integrations.simulator.shopify_api.values import iso, money

if TYPE_CHECKING:
    from smsflow_plugin.integrations.simulator.shopify_api.world import Shops

CHUNK = 2000
YEAR = 365 * 86_400.0
_FIRST = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gia", "Hugo", "Ida", "Jon", "Kit", "Lea", "Max", "Nia", "Otto")
_LAST = ("Abel", "Berg", "Cole", "Dahl", "Ek", "Frost", "Gray", "Holm", "Irwin", "Jensen", "Kerr", "Lund", "Moss")
# where 555 numbers are nobody's
_AREAS = (201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228, 229, 231)
_AREAS += (234, 239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281, 301, 302, 303, 304, 305)
_PLACES = (
    ("NY", "10001", "Eastern"),
    ("CA", "90001", "Pacific"),
    ("TX", "75001", "Central"),
    ("FL", "33101", "Eastern"),
)
_ZONES = {"Eastern": "America/New_York", "Pacific": "America/Los_Angeles", "Central": "America/Chicago"}
MOST_CUSTOMERS = len(_AREAS) * 10_000


def fill(
    shops: Shops,
    domain: str,
    *,
    customers: int,
    orders: int,
    seed: int = 1,
    years: float = 2.0,
    subscribed: float = 0.6,
) -> None:
    """Give a shop a past without telling anybody. ``subscribed`` is the share of customers who agreed to texts.

    :raises ValueError: if the shop has customers already, or shall have too many.
    """
    shop = shops.need_shop(domain)
    things = Things(shops.database, shop["number"])
    if customers > MOST_CUSTOMERS or things.count("customer") or things.count("order"):
        raise ValueError("Only an empty shop can get a past, of not too many customers.")
    now, chance = shops.clock.now(), random.Random(seed)  # noqa: S311 - a seed is the point
    first = FIRST_ID["customer"] + shop["number"] * IDS_OF_A_SHOP + 1
    bought: list[tuple[int, int]] = [(0, 0)] * customers
    goods = _goods(things)
    _write(things, "order", _orders(shop, goods, orders, first, bought, chance, now - years * YEAR, now))
    _write(things, "customer", _customers(customers, first, bought, chance, now - years * YEAR, now, subscribed))


def _write(things: Things, kind: str, docs: Iterator[Doc]) -> None:
    while chunk := list(islice(docs, CHUNK)):
        things.put_all(kind, chunk)


def _goods(things: Things) -> list[Doc]:
    titles = {one["id"]: one["title"] for one in things.all("product")}
    return [
        {
            "product": one["product"],
            "variant": one["id"],
            "title": titles[one["product"]],
            "variantTitle": None if one["title"] == "Default Title" else one["title"],
            "sku": one["sku"],
            "price": one["price"],
            "grams": one["grams"],
        }
        for one in things.all("variant")
    ]


def _orders(
    shop: Doc,
    goods: list[Doc],
    count: int,
    first: int,
    bought: list[tuple[int, int]],
    chance: random.Random,
    start: float,
    end: float,
) -> Iterator[Doc]:
    for place in range(count):
        at = iso(start + (end - start) * (place + chance.random()) / count)
        number = shop["number"] * NUMBERS_OF_A_SHOP + place + 1
        doc = blank_order(number, at)
        several = chance.choice((1, 1, 2, 3))
        lines = [{**chance.choice(goods), "id": doc["id"] * 10 + n, "quantity": 1} for n in range(several)]
        total = sum((Decimal(one["price"]) for one in lines), Decimal(0))
        cancelled = chance.random() < 0.03
        if bought:
            # a few buy often
            buyer = int(len(bought) * chance.random() ** 1.5)
            orders, cents = bought[buyer]
            bought[buyer] = (orders + 1, cents + int(total * 100))
            doc |= {"customer": first + buyer, "phone": _phone(buyer), "email": _email(buyer)}
        token = f"{doc['id']:x}"
        yield doc | {
            "lines": lines,
            "subtotal": money(total),
            "total": money(total),
            "checkoutToken": token,
            "cartToken": f"cart{token}",
            "token": token[::-1],
            "financial": "REFUNDED" if cancelled else "PAID",
            "fulfillment": "UNFULFILLED" if cancelled else "FULFILLED",
            "cancelledAt": at if cancelled else None,
            "cancelReason": "CUSTOMER" if cancelled else None,
        }


def _customers(
    count: int,
    first: int,
    bought: list[tuple[int, int]],
    chance: random.Random,
    start: float,
    end: float,
    subscribed: float,
) -> Iterator[Doc]:
    for place in range(count):
        at = start + (end - start) * (place + chance.random()) / count
        province, postcode, zone = chance.choice(_PLACES)
        orders, cents = bought[place]
        agreed = chance.random()
        sms = NO_CONSENT
        if agreed < subscribed + 0.1:
            state = "SUBSCRIBED" if agreed < subscribed else "UNSUBSCRIBED"
            sms = {"state": state, "level": "SINGLE_OPT_IN", "at": iso(at), "from": "SHOPIFY"}
        yield new_customer(
            first + place,
            iso(at),
            firstName=chance.choice(_FIRST),
            lastName=chance.choice(_LAST),
            email=_email(place),
            phone=_phone(place),
            tags=["vip"] if orders > 5 else [],
            sms=sms,
            address=letters.address(zip=postcode, provinceCode=province, timeZone=zone),
            numberOfOrders=orders,
            amountSpent=money(Decimal(cents) / 100),
        )


def _phone(place: int) -> str:
    return f"+1{_AREAS[place // 10_000]}555{place % 10_000:04d}"


def _email(place: int) -> str:
    return f"person{place}@example.com"
