"""What parts cost, if the site says what its gateway charges."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency
from django.utils.translation import get_language

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.models import Store

#: Prices of one text are fractions of a cent: people think in sends.
PEOPLE = 1000


def cost(parts: int, store: Store | None) -> str:
    """Return what a text of so many parts costs for a thousand people, "" if the site names no price.

    ``SMSFLOW["PART_PRICE"]`` is a price of one part by currency, for example ``{"USD": "0.0083"}``.
    """
    price = smsflow_settings.PART_PRICE.get(store.currency) if store else None
    if price is None:
        return ""
    try:
        amount = Decimal(str(price)) * parts * PEOPLE
    except InvalidOperation:
        return ""
    try:
        locale = Locale.parse(get_language() or "en", sep="-")
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    return format_currency(amount, store.currency, locale=locale) if store else ""
