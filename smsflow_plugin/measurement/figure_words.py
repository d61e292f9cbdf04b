"""Figures in words: counts, money, rates and changes, as the reader's language writes them."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import (
    format_compact_currency,
    format_compact_decimal,
    format_currency,
    format_decimal,
    get_currency_symbol,
)
from babel.numbers import format_percent as babel_percent
from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from smsflow_plugin.measurement.statistics import Interval

#: Stands where there is nothing to say.
NONE = "–"

MINUTE, HOUR, DAY = 60, 3600, 86400


def locale() -> Locale:
    """Return the reader's language, as Babel knows it."""
    return _locale(get_language() or "en")


@lru_cache(maxsize=50)
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def count(number: int) -> str:
    return str(number_format(number, force_grouping=True))


def signed(number: int) -> str:
    """Return a count with its sign, with a real minus."""
    return f"+{count(number)}" if number > 0 else f"−{count(-number)}" if number < 0 else count(0)


def money(amount: Decimal | None, currency: str) -> str:
    return NONE if amount is None else _spaced(format_currency(amount, currency, locale=locale()), currency)


def short_money(amount: float, currency: str) -> str:
    """Return money as short as an axis needs it: "$1.2K"."""
    if abs(amount) < 1000:
        pattern = None if amount % 1 else _whole(locale())
        words = format_currency(amount, currency, pattern, locale=locale(), currency_digits=bool(amount % 1))
    else:
        words = format_compact_currency(amount, currency, locale=locale(), fraction_digits=1)
    return _spaced(words, currency)


def short_count(number: float) -> str:
    if abs(number) < 1000:
        return str(format_decimal(number, locale=locale()))
    return str(format_compact_decimal(number, locale=locale(), fraction_digits=1))


def percent(share: float | None) -> str:
    """Return a share (0.041) as "4.1%"; below one percent it has a place more."""
    if share is None:
        return NONE
    places = {True: "##0.00", False: "##0.0"}[0 < abs(share) < 0.01] if abs(share) < 10 else "##0"
    pattern = locale().percent_formats[None].pattern.replace("##0", places, 1)
    return str(babel_percent(share, pattern, locale=locale()))


def interval(of: Interval) -> str:
    return _("%(low)s to %(high)s") % {"low": percent(of.low), "high": percent(of.high)}


def short_interval(of: Interval) -> str:
    """Return an interval as it stands in brackets behind its rate: "9.0–9.6"."""
    places = 2 if of.high < 0.01 else 1
    return f"{_fixed(100 * of.low, places)}–{_fixed(100 * of.high, places)}"


def duration(seconds: float | None) -> str:
    """Return a time as its largest unit says it."""
    if seconds is None:
        return NONE
    if seconds < MINUTE:
        return _("%(number)s s") % {"number": _fixed(seconds, 0)}
    if seconds < HOUR:
        return _("%(number)s min") % {"number": _fixed(seconds / MINUTE, 0)}
    if seconds < 2 * DAY:
        return _("%(number)s h") % {"number": _fixed(seconds / HOUR, 1)}
    return _("%(number)s days") % {"number": _fixed(seconds / DAY, 1)}


def change(now: Decimal | float | None, before: Decimal | float | None) -> str:
    """Return by how much something has changed, in percent of what it was; "" if nobody can say."""
    if now is None or not before or before < 0:
        return ""
    share = float(now) / float(before) - 1
    return f"{'−' if share < 0 else '+'}{percent(abs(share))}"


def points(now: float | None, before: float | None) -> str:
    """Return by how many points a rate has changed; "" if one of the two is unknown."""
    if now is None or before is None:
        return ""
    difference = 100 * (now - before)
    words = _fixed(abs(difference), 2 if abs(difference) < 1 else 1)
    return _("%(sign)s%(points)s points") % {"sign": "−" if difference < 0 else "+", "points": words}


def _spaced(words: str, currency: str) -> str:
    """Return money with a space between a currency's letters and its number, which Babel leaves out before it."""
    symbol = get_currency_symbol(currency, locale=locale())
    touches = words.startswith(symbol) and symbol[-1:].isalpha() and words[len(symbol) :][:1].isdigit()
    return f"{symbol}\xa0{words[len(symbol) :]}" if touches else str(words)


def _whole(of: Locale) -> str:
    pattern: str = of.currency_formats["standard"].pattern
    return pattern.replace("0.00", "0")


def _fixed(number: float, places: int) -> str:
    # Django cuts places off, and does not round
    return str(number_format(round(number, places), places))
