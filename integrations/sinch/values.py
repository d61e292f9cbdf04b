"""What stands in Sinch's callbacks, read so that nothing in it can surprise. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.events.facts import CannotUnderstand

_NUMBER = re.compile(r"\+?([1-9]\d{6,14})")


def payload_of(body: bytes) -> Mapping[str, Any]:
    """Return the object that a callback is.

    :raises CannotUnderstand: if it is none.
    """
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise CannotUnderstand(_("The callback is not valid JSON.")) from None
    if not isinstance(payload, dict):
        raise CannotUnderstand(_("The callback is not a JSON object."))
    return payload


def number(value: object) -> str:
    """Return the number in E.164: Sinch leaves the "+" out. Empty if it is no full phone number."""
    match = _NUMBER.fullmatch(text(value).strip())
    return f"+{match[1]}" if match else ""


def moment(value: object) -> datetime | None:
    """Return an aware time in UTC; without a zone it is taken for UTC."""
    try:
        at = datetime.fromisoformat(text(value))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def text(value: object) -> str:
    """Return a string and a number as its digits; all else is empty.

    Half of a character, as it is left where a long text was cut, becomes "?": no database takes it.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def integer(value: object) -> int | None:
    """Return a whole number that a column holds, also one that comes as its digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < 2**31 else None
    return int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value) else None


def mapping(value: object) -> Mapping[str, Any]:
    """Return an object, and an empty one for all else."""
    return value if isinstance(value, dict) else {}
