"""What the two simulated shops sell. Made up; nothing here is looked up anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Article:
    """One thing on a shop's shelf. ``price`` is in the shop's currency, ``grams`` its weight."""

    product_id: int
    variant_id: int
    sku: str
    title: str
    variant: str
    price: Decimal
    grams: int

    @property
    def name(self) -> str:
        return f"{self.title} - {self.variant}" if self.variant else self.title


def _shelf(first_id: int, rows: list[tuple[str, str, str, str, int]]) -> tuple[Article, ...]:
    return tuple(
        Article(first_id + n, first_id + 500_000 + n, sku, title, variant, Decimal(price), grams)
        for n, (sku, title, variant, price, grams) in enumerate(rows)
    )


OUTDOOR = _shelf(
    8_210_440_000,
    [
        ("SG-RIDGE-M", "Ridgeline Rain Jacket", "M / Pine", "149.00", 410),
        ("SG-CREEK-38", "Creekside Pack 38 L", "Slate", "129.00", 1240),
        ("SG-EMBER-1", "Ember Camp Stove", "", "64.50", 290),
        ("SG-WOOL-L", "Merino Trail Socks", "L", "19.00", 80),
        ("SG-DUSK-2", "Duskfall Tent", "2 people", "289.00", 1890),
        ("SG-FLASK-1", "Granite Flask", "1 L", "34.00", 360),
    ],
)
TEA = _shelf(
    8_730_110_000,
    [
        ("NT-MORGEN-100", "Morgenlys økologisk sort te", "100 g", "89.00", 100),
        ("NT-HAVTORN-75", "Havtorn og ingefær", "75 g", "79.00", 75),
        ("NT-SENCHA-100", "Sencha fra Uji", "100 g", "139.00", 100),
        ("NT-KANDE-12", "Tekande i stentøj", "1,2 l", "349.00", 1150),
        ("NT-AFTENRO-60", "Aftenro urtete", "60 g", "69.00", 60),
        ("NT-DAASE-1", "Tedåse i birk", "", "129.00", 210),
    ],
)


def shelf(language: str) -> tuple[Article, ...]:
    """Return the goods of the shop that speaks ``language``: tea in Danish, outdoor gear otherwise."""
    return TEA if language == "da" else OUTDOOR
