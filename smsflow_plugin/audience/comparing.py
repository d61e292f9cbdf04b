"""How a value is compared with what a person typed. Pure; ``engine.sql_values`` says the same in SQL.

Everything is compared as text or as a number:

* **Missing** is None, an empty text, a list and an object. A comparison with a missing value
  is false, except ``ne``, on either side.
* **A number** is an optional sign, 1 to 30 digits and perhaps a point with 1 to 30 more
  (``NUMBER``). No exponents, no separators, no infinity; numbers are exact, never floats.
* ``eq`` and ``ne`` compare numbers if both are numbers, else texts. ``gt``, ``ge``, ``lt`` and
  ``le`` compare numbers with numbers and texts with texts; a number and a text have no order.
* **Texts** are compared regardless of case, character by character (``fold``), in the order
  of their code points: no language's own rules, so that every database can do the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

ORDERS = ("gt", "ge", "lt", "le")
#: Operators that compare with one value.
COMPARISONS = ("eq", "ne", *ORDERS, "contains", "starts")

#: A regular expression that Python and PostgreSQL read in the same way.
NUMBER = r"^[+-]?[0-9]{1,30}(\.[0-9]{1,30})?$"
_NUMBER = re.compile(NUMBER.replace("$", r"\Z"))


#: Above this code point no letter has a case.
_LAST_CASED = 0x1E943


def _folds(character: str) -> str:
    """Return the single character as which this one is compared."""
    folded = character.casefold()
    lower = folded if len(folded) == 1 else character.lower()
    return lower if len(lower) == 1 else character


#: Code points to what they are compared as. "ß" stays one letter, as SQL cannot make it two.
FOLDS = {code: _folds(chr(code)) for code in range(_LAST_CASED + 1) if _folds(chr(code)) != chr(code)}


def fold(text: str) -> str:
    """Return ``text`` as it is compared: without case, as long as before."""
    return text.lower() if text.isascii() else text.translate(FOLDS)


def text_of(value: Any) -> str | None:
    """Return a JSON value as the text that is compared; None if it is missing.

    Numbers have no exponent and zero has no sign, true and false are words.
    """
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal) and value.is_finite():
        return format(abs(value) if value == 0 else value, "f")
    return None


def number_of(text: str) -> Decimal | None:
    """Return the number that ``text`` is, or None."""
    return Decimal(text) if _NUMBER.match(text) else None


def compare(left: Any, operator: str, right: Any) -> bool:
    """Return whether the comparison (one of ``COMPARISONS``) of two JSON values holds."""
    a, b = text_of(left), text_of(right)
    if a is None or b is None:
        return operator == "ne"
    if operator == "contains":
        return fold(b) in fold(a)
    if operator == "starts":
        return fold(a).startswith(fold(b))
    first, second = number_of(a), number_of(b)
    if first is not None and second is not None:
        return _ordered(first, operator, second)
    if operator in ORDERS and (first is None) != (second is None):
        return False
    return _ordered(fold(a), operator, fold(b))


def one_of(left: Any, wanted: Iterable[Any]) -> bool:
    """Return whether a value equals one of those wanted."""
    return any(compare(left, "eq", value) for value in wanted)


def _ordered(a: Any, operator: str, b: Any) -> bool:
    match operator:
        case "eq":
            return bool(a == b)
        case "ne":
            return bool(a != b)
        case "gt":
            return bool(a > b)
        case "ge":
            return bool(a >= b)
        case "lt":
            return bool(a < b)
    return bool(a <= b)
