"""What a text costs, and how much may still be spent. Pure: no Django, no clock, no database."""

from __future__ import annotations

import datetime as dates
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from smsflow_plugin.governance.policy import PolicyRules
from smsflow_plugin.governance.rules import Reason
from smsflow_plugin.governance.ruling import Objection

#: Money for texts is kept in so small steps: a part costs fractions of a cent.
STEP = Decimal("0.00001")

#: The key of the price for all countries that have none of their own.
ELSEWHERE = ""

Prices = Mapping[str, Decimal]

NOTHING = Decimal(0)


def read_prices(table: Any) -> dict[str, Decimal]:
    """Read a table of prices as people write it: {"US": "0.0083", "": "0.05"}.

    :raises ValueError: if a country is none, or a price.
    """
    if not isinstance(table, Mapping):
        raise ValueError(table)
    return {_country(country): _price(price) for country, price in table.items()}


def _country(code: Any) -> str:
    country = str(code).strip().upper()
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise ValueError(code)
    return country


def _price(text: Any) -> Decimal:
    try:
        price = Decimal(str(text))
    except InvalidOperation as error:
        raise ValueError(text) from error
    if not price.is_finite() or not 0 <= price < 1000:
        raise ValueError(text)
    return price


def laid_over(tables: Iterable[Prices]) -> dict[str, Decimal]:
    """Return the prices that hold when each table is laid over the one before.

    One that names a price for everywhere leaves nothing of those below it.
    """
    found: dict[str, Decimal] = {}
    for table in tables:
        found = dict(table) if ELSEWHERE in table else {**found, **table}
    return found


def price_of(prices: Prices, country: str, parts: int) -> Decimal | None:
    """Return what a text of so many parts costs, None if nobody has said."""
    price = prices.get(country)
    if price is None:
        price = prices.get(ELSEWHERE)
    return None if price is None else (price * parts).quantize(STEP, ROUND_HALF_UP)


def price_problem(rules: PolicyRules, cost: Decimal | None, country: str, parts: int) -> Objection | None:
    """Object to a text that costs more than one may. What nobody knows the price of is let through, and warned of."""
    ceiling = rules.price_ceiling
    if ceiling is None or cost is None or cost <= ceiling:
        return None
    values = {"cost": plain(cost), "ceiling": plain(ceiling), "parts": parts, "country": country}
    return Objection(Reason.PRICE, None, values)


def plain(amount: Decimal) -> str:
    """Return an amount as the notes hold it, without zeros behind it."""
    return f"{amount.normalize():f}"


@dataclass(frozen=True, slots=True)
class Day:
    """A day on the clock of a store, and when the next day and the next month begin there."""

    date: dates.date
    next_day: datetime
    next_month: datetime

    @property
    def first_of_month(self) -> dates.date:
        return self.date.replace(day=1)


def day_of(moment: datetime, zone: str) -> Day:
    """Return the day of ``moment`` on a clock in ``zone``."""
    local = ZoneInfo(zone)
    today = moment.astimezone(local).date()
    month = (today.replace(day=28) + timedelta(days=4)).replace(day=1)
    return Day(today, _midnight(today + timedelta(days=1), local), _midnight(month, local))


def _midnight(day: dates.date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a store may spend on marketing, and what of it is spent: today, and in the month with today."""

    day: Decimal | None
    month: Decimal | None
    spent_today: Decimal
    spent_this_month: Decimal
    today: Day

    @property
    def limits(self) -> bool:
        return self.day is not None or self.month is not None

    def broke_until(self, more: Decimal = NOTHING) -> datetime | None:
        """Return when there is money again for what costs ``more``, None if there is now."""
        found = None
        for limit, spent, then in self._windows():
            if limit is not None and (spent >= limit or spent + more > limit):
                found = then if found is None else max(found, then)
        return found

    def never(self, cost: Decimal) -> Decimal | None:
        """Return the budget that is smaller than the price of this one text, None if none is."""
        return next((limit for limit, _spent, _then in self._windows() if limit is not None and cost > limit), None)

    def is_over(self) -> bool:
        return any(limit is not None and spent > limit for limit, spent, _then in self._windows())

    def _windows(self) -> tuple[tuple[Decimal | None, Decimal, datetime], ...]:
        return (
            (self.month, self.spent_this_month, self.today.next_month),
            (self.day, self.spent_today, self.today.next_day),
        )

    def after(self, spent: Decimal) -> Budget:
        """Return the budget when so much more is spent."""
        return Budget(self.day, self.month, self.spent_today + spent, self.spent_this_month + spent, self.today)


@dataclass(slots=True)
class Till:
    """A store's money while one batch is decided: what it has allowed so far is gone."""

    budget: Budget
    taken: Decimal = field(default=NOTHING)

    def broke_until(self, cost: Decimal) -> datetime | None:
        """Return when a text of that price can be paid, None if it can now."""
        return self.budget.after(self.taken).broke_until(cost)

    def take(self, cost: Decimal) -> None:
        self.taken += cost
