"""The shop's customers, and a shop that tells a running site about them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from smsflow_plugin import clock
from smsflow_plugin.integrations.simulator.goods import shelf
from smsflow_plugin.integrations.simulator.payload_parts import Cart, Customer, ShopInfo, articles_at
from smsflow_plugin.integrations.simulator.shop import Shop
from tests.factories import SHOPIFY_SECRET

DOMAIN = "sierra-gear.myshopify.com"
INFO = ShopInfo(
    domain=DOMAIN, name="Sierra Gear", currency="USD", country="US", timezone="America/New_York", language="en"
)


def shop_for(url: str, now: Callable[[], datetime]) -> Shop:
    return Shop(info=INFO, secret=SHOPIFY_SECRET, url=f"{url}/smsflow/shopify/webhooks/", now=now)


def customer(number: int, *, first_name: str = "Ada") -> Customer:
    """The n-th customer, in New York, with a number that belongs to nobody."""
    return Customer(
        id=6_900_000_000_000 + number,
        first_name=first_name,
        last_name="Example",
        email=f"customer{number}@example.com",
        phone=f"+1202555{number:04d}",
        country="US",
        province="NY",
        postcode="10001",
    )


def cart(number: int, at: datetime) -> Cart:
    return Cart(token=f"{number:032x}", number=number, articles=articles_at(shelf("en"), [0, 1]), started_at=at)


class SiteClock:
    """The time of a site that was fast-forwarded."""

    def __init__(self, now: str) -> None:
        self.ahead = timedelta()
        self.move_to(now)

    def move_to(self, now: str) -> None:
        self.ahead = datetime.fromisoformat(now) - clock.system()

    def __call__(self) -> datetime:
        return clock.system() + self.ahead
