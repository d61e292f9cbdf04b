"""The things that all of the shop's webhooks speak of, and the pieces they have in common. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from smsflow_plugin.integrations.simulator.goods import Article

Payload = dict[str, Any]

_COUNTRIES = {"US": "United States", "DK": "Denmark"}


@dataclass(frozen=True, slots=True)
class ShopInfo:
    """The simulated shop: its address and how it writes money and time."""

    domain: str
    name: str
    currency: str
    country: str
    timezone: str
    language: str

    def time(self, moment: datetime) -> str:
        """Return ``moment`` as Shopify writes it: local time with its offset, whole seconds."""
        return moment.astimezone(ZoneInfo(self.timezone)).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Customer:
    id: int
    first_name: str
    last_name: str
    email: str
    phone: str
    country: str
    province: str = ""
    postcode: str = ""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Cart:
    """What lies in a cart. ``number`` is unique in the shop and names its order and parcel.

    ``code`` takes ``discount`` off its price.
    """

    token: str
    number: int
    articles: tuple[Article, ...]
    started_at: datetime
    code: str = ""
    discount: Decimal = Decimal(0)

    @property
    def order_id(self) -> int:
        return 5_610_000_000_000 + self.number

    @property
    def fulfillment_id(self) -> int:
        return 4_870_000_000_000 + self.number

    @property
    def name(self) -> str:
        return f"#{1000 + self.number}"

    @property
    def subtotal(self) -> Decimal:
        return sum((article.price for article in self.articles), Decimal("0.00"))

    @property
    def total(self) -> Decimal:
        return self.subtotal - self.discount

    @property
    def tracking_number(self) -> str:
        return f"SIM{self.number:09d}"


def articles_at(shelf: Sequence[Article], places: Iterable[int]) -> tuple[Article, ...]:
    """Return the articles at ``places`` of a shelf, which may have got shorter since."""
    return tuple(shelf[place % len(shelf)] for place in places)


def locale_of(shop: ShopInfo) -> str:
    return f"{shop.language}-{shop.country}"


def money(amount: Decimal) -> str:
    return f"{amount:.2f}"


def money_set(shop: ShopInfo, amount: Decimal) -> Payload:
    both = {"amount": money(amount), "currency_code": shop.currency}
    return {"shop_money": both, "presentment_money": both}


def address_of(customer: Customer) -> Payload:
    return {
        "first_name": customer.first_name,
        "address1": "1 Simulated Street",
        "phone": customer.phone,
        "city": "Sampletown",
        "zip": customer.postcode or None,
        "province": customer.province or None,
        "country": _COUNTRIES.get(customer.country, customer.country),
        "last_name": customer.last_name,
        "address2": None,
        "company": None,
        "latitude": None,
        "longitude": None,
        "name": customer.name,
        "country_code": customer.country,
        "province_code": customer.province or None,
    }


def customer_of(shop: ShopInfo, customer: Customer) -> Payload:
    return {
        "id": customer.id,
        "created_at": None,
        "updated_at": None,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "state": "disabled",
        "note": None,
        "verified_email": True,
        "multipass_identifier": None,
        "tax_exempt": False,
        "email": customer.email or None,
        "phone": customer.phone,
        "currency": shop.currency,
        "tax_exemptions": [],
        "admin_graphql_api_id": f"gid://shopify/Customer/{customer.id}",
        "default_address": {
            **{name: value for name, value in address_of(customer).items() if name not in ("latitude", "longitude")},
            "id": customer.id + 1,
            "customer_id": customer.id,
            "country_name": _COUNTRIES.get(customer.country, customer.country),
            "default": True,
        },
    }


def checkout_line(article: Article) -> Payload:
    return {
        "applied_discounts": [],
        "discount_allocations": [],
        "key": f"{article.variant_id:x}",
        "destination_location_id": None,
        "fulfillment_service": "manual",
        "gift_card": False,
        "grams": article.grams,
        "origin_location_id": None,
        "presentment_title": article.title,
        "presentment_variant_title": article.variant,
        "product_id": article.product_id,
        "properties": None,
        "quantity": 1,
        "requires_shipping": True,
        "sku": article.sku,
        "tax_lines": [],
        "taxable": True,
        "title": article.title,
        "variant_id": article.variant_id,
        "variant_title": article.variant,
        "variant_price": money(article.price),
        "vendor": "",
        "user_id": None,
        "compare_at_price": None,
        "line_price": money(article.price),
        "price": money(article.price),
    }


def order_line(shop: ShopInfo, cart: Cart, place: int) -> Payload:
    article = cart.articles[place]
    line_id = cart.order_id * 10 + place
    return {
        "id": line_id,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line_id}",
        "current_quantity": 1,
        "fulfillable_quantity": 1,
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "gift_card": False,
        "grams": article.grams,
        "name": article.name,
        "price": money(article.price),
        "price_set": money_set(shop, article.price),
        "product_exists": True,
        "product_id": article.product_id,
        "properties": [],
        "quantity": 1,
        "requires_shipping": True,
        "sku": article.sku,
        "taxable": True,
        "title": article.title,
        "total_discount": "0.00",
        "total_discount_set": money_set(shop, Decimal(0)),
        "variant_id": article.variant_id,
        "variant_inventory_management": "shopify",
        "variant_title": article.variant,
        "vendor": "",
        "tax_lines": [],
        "duties": [],
        "discount_allocations": [],
    }
