"""Reads JSON that may lack anything, or hold anything. Pure.

Of 42 published payloads 22 miss keys that their documentation calls required. So
nothing here raises over a key: what is missing, or of another type than it should
be, reads as "not there". All text comes out fit for any database.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from smsflow_plugin.events.facts import CannotUnderstand

_MONEY = re.compile(r"-?\d{1,15}(\.\d{1,6})?", re.ASCII)
#: No identity, name or address that Shopify allows is longer.
MAX_TEXT = 255
MAX_URL = 2048
#: Ids go into keys, together with other things; Shopify's have 32 characters at the most.
MAX_ID = 80
#: Times outside these years are typing errors, and break arithmetic.
YEARS = range(2000, 2100)


class Payload:
    """A JSON object. Every method takes the name of a key."""

    def __init__(self, value: object) -> None:
        self._values: Mapping[str, Any] = value if isinstance(value, dict) else {}

    def __bool__(self) -> bool:
        return bool(self._values)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def text(self, key: str, limit: int = MAX_TEXT) -> str:
        """Return a string, cut off at ``limit`` characters; "" if there is none."""
        value = self._values.get(key)
        return clean(value)[:limit] if isinstance(value, str) else ""

    def id(self, key: str) -> str:
        """Return an id as a string; of a GID ("gid://shopify/Order/1") the last part. "" if there is none."""
        value = self._values.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**64:
            return str(value)
        return self.token(key).rpartition("/")[2]

    def token(self, key: str) -> str:
        """Return an id that is no number, as it is; "" if there is none."""
        return self.text(key, MAX_ID)

    def cart(self, key: str = "cart_token") -> str:
        """Return the token of a cart, without the key that newer shops hang on to it."""
        return self.text(key).partition("?")[0][:MAX_ID]

    def word(self, key: str) -> str:
        """Return one of Shopify's own words ("out_for_delivery") in lower case; "" if there is none."""
        return self.text(key, 40).lower()

    def time(self, key: str) -> datetime | None:
        """Return a moment in UTC."""
        return parse_time(self.text(key))

    def money(self, key: str) -> str | None:
        """Return an amount as the decimal string that it is."""
        value = self._values.get(key)
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            text = str(value)
        else:
            text = self.text(key)
        return text if _MONEY.fullmatch(text) else None

    def count(self, key: str) -> int:
        """Return a number of things, 0 if there is none."""
        value = self._values.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else 0

    def number(self, key: str) -> int | None:
        """Return a whole number, which may be negative; None if there is none."""
        value = self._values.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31 else None

    def texts(self, key: str, limit: int = MAX_TEXT) -> list[str]:
        """Return the strings of a list; what is none is passed over."""
        value = self._values.get(key)
        found = [clean(item)[:limit] for item in value if isinstance(item, str)] if isinstance(value, list) else []
        return [text for text in found if text]

    def numbers(self, key: str) -> list[str]:
        """Return the ids of a list, as strings; what is none is passed over."""
        value = self._values.get(key)
        found = [Payload({"id": item}).id("id") for item in value[:1_000]] if isinstance(value, list) else []
        return [number for number in found if number]

    def url(self, key: str) -> str | None:
        """Return a web address; None for anything else, or one too long to be sent."""
        value = self.text(key, MAX_URL + 1)
        return value if value.startswith(("https://", "http://")) and len(value) <= MAX_URL else None

    def is_true(self, key: str) -> bool:
        return self._values.get(key) is True

    def object(self, key: str) -> Payload:
        """Return the object at ``key``, or an empty one."""
        return Payload(self._values.get(key))

    def objects(self, key: str) -> list[Payload]:
        """Return the objects of a list; what is not an object is passed over."""
        value = self._values.get(key)
        return [Payload(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def parse(body: bytes) -> Payload:
    """Return the JSON object in ``body``.

    :raises CannotUnderstand: if it holds none.
    """
    try:
        value = json.loads(body, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise CannotUnderstand("The body is not JSON.") from error
    if not isinstance(value, dict):
        raise CannotUnderstand("The body is not a JSON object.")
    return Payload(value)


def parse_time(text: str) -> datetime | None:
    """Return an ISO 8601 moment in UTC; one without a zone is taken for UTC."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year in YEARS else None


def clean(text: str) -> str:
    """Return ``text`` without what databases refuse: NUL and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode().strip()


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON.")
