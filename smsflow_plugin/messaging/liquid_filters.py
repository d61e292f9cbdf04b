"""The filters that copy may use, each kept small: no filter can take much time or memory.

The library's own limits are not enough: ten chained ``replace`` make a gigabyte in
seconds, and a big exponent computes for ever. So the size of every operand and
result is bounded here, and so is the work of all filters of one rendering together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sized
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency
from django.utils.translation import gettext as _
from liquid.exceptions import FilterArgumentError
from liquid.undefined import is_undefined

from smsflow_plugin.messaging.liquid_context import SafeContext
from smsflow_plugin.messaging.parts import UCS2, count_parts, to_plain

#: Characters of a text, or items of a list.
MAX_SIZE = 4000
#: Characters that all filters of one rendering may read and write together.
MAX_WORK = 200_000
#: What a call costs even when it does nothing.
CALL_COST = 50
MAX_NUMBER = 10**12

_WORDS = {
    "append",
    "capitalize",
    "downcase",
    "escape",
    "prepend",
    "remove",
    "replace",
    "slice",
    "split",
    "squish",
    "strip",
    "truncate",
    "truncatewords",
    "upcase",
    "url_encode",
}
_NUMBERS = {"at_least", "at_most", "ceil", "divided_by", "floor", "minus", "plus", "round", "times"}
_LISTS = {"default", "first", "join", "last", "size"}
#: Of the library's filters, those that copy may use.
ALLOWED = frozenset(_WORDS | _NUMBERS | _LISTS)

_DATE_FORMAT = re.compile(r"(?:[^%]|%-?[aAbBdeHIjmMpSyY%]){1,60}")

Filter = Callable[..., Any]


class Refused(FilterArgumentError):
    """A filter of ours does not do what it was asked to. The message is a sentence for people."""


def guarded(function: Filter) -> Filter:
    """Return ``function`` with bounded operands, result and work."""
    wants_context = getattr(function, "with_context", False)
    wants_environment = getattr(function, "with_environment", False)

    def bounded(left: Any, *arguments: Any, context: SafeContext, **options: Any) -> Any:
        work = CALL_COST + sum(_size(operand) for operand in (left, *arguments, *options.values()))
        # replace and join repeat their last argument up to once for each item of the first
        work += _size(left) * max((_size(argument) for argument in arguments if isinstance(argument, str)), default=0)
        if wants_context:
            options["context"] = context
        if wants_environment:
            options["environment"] = context.env
        _spend(context, work)
        result = function(left, *arguments, **options)
        _spend(context, _size(result))
        return result

    bounded.with_context = True  # type: ignore[attr-defined]
    return bounded


def _spend(context: SafeContext, work: int) -> None:
    context.work += work
    if context.work > MAX_WORK:
        raise Refused(_("This text takes too much work to fill in."), token=None)


def _size(value: Any) -> int:
    if isinstance(value, float) or is_undefined(value):
        return 0
    if isinstance(value, int):
        if abs(value) > MAX_NUMBER:
            raise Refused(_("A number is too large."), token=None)
        return 0
    if isinstance(value, Sized):
        size = len(value)
        if size > MAX_SIZE:
            raise Refused(_("A value is too long."), token=None)
        return size
    return 0


def money(value: Any, currency: Any = None, *, context: SafeContext) -> str:
    """Format an amount the way the recipient's language writes it, with plain spaces.

    Without an argument the store's currency is used. A currency sign that would turn
    the text into UCS-2 gives way to the currency's code.
    """
    amount = _amount(value)
    code = currency or context.get(["store", "currency"], token=None, default="")
    if not isinstance(code, str) or not re.fullmatch("[A-Za-z]{3}", code):
        raise Refused(_("“money” needs a currency such as 'USD'."), token=None)
    code = code.upper()
    locale = _locale(context.language)
    text = to_plain(format_currency(amount, code, locale=locale))
    if count_parts(text).encoding == UCS2:
        text = to_plain(format_currency(amount, code, format="¤¤ #,##0.00", locale=locale))
    # CLDR wants a space between a code and digits; Babel leaves it out
    return re.sub(rf"({code})(?=\d)", r"\1 ", text)


money.with_context = True  # type: ignore[attr-defined]


def _amount(value: Any) -> Decimal:
    if is_undefined(value):
        str(value)  # says what is missing
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) > MAX_NUMBER:
        raise Refused(_("“money” needs an amount such as 129.00."), token=None)
    return amount


def _locale(language: str) -> Locale:
    for candidate in (language, language.partition("-")[0]):
        try:
            return Locale.parse(candidate, sep="-")
        except (ValueError, UnknownLocaleError, TypeError):
            continue
    return Locale("en", "US")


def format_date(value: Any, pattern: Any = "%Y-%m-%d") -> str:
    """Format an ISO date or time of the data. There is no "now" and no guessing."""
    if is_undefined(value):
        str(value)  # says what is missing
    moment = value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
    if not isinstance(moment, date):
        raise Refused(_("“date” needs a date such as 2026-03-04."), token=None)
    if not isinstance(pattern, str) or not _DATE_FORMAT.fullmatch(pattern):
        raise Refused(_("“date” needs a format such as '%d.%m.%Y'."), token=None)
    return moment.strftime(pattern)


def bounded_round(round_: Filter) -> Filter:
    """Return the library's ``round`` for a sensible number of digits: 10 to the power of a billion never ends."""

    def rounded(value: Any, digits: Any = None) -> Any:
        if digits is None:
            return round_(value)
        if not str(digits).isdigit() or int(digits) > 10:
            raise Refused(_("“round” needs a number of digits from 0 to 10."), token=None)
        return round_(value, int(digits))

    return rounded
