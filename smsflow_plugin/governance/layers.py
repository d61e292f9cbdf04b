"""Reads the columns of a policy into plain values, and writes plain values as JSON. Pure but for its errors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import time
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.governance.hours import Window
from smsflow_plugin.governance.law.row import LawRow, read_row
from smsflow_plugin.governance.policy import SETTINGS, WINDOWS, Cap, PolicyRules, Scope
from smsflow_plugin.governance.spend import read_prices

DAYS = 7


def layer_values(policy: Any) -> dict[str, Any]:
    """Return what a policy sets, by the name of the setting; what is empty is left out."""
    values = {}
    for name in SETTINGS:
        column = getattr(policy, name, None)
        if column is None or column == "" or (name in _EMPTY_IS_UNSET and not column):
            continue
        read = _READERS.get(name)
        values[name] = read(column) if read else column
    return values


def rows_problem(policy: Any) -> None:
    """Check the columns that hold rows.

    :raises ValidationError: with a message for each column that cannot be read.
    """
    problems = {}
    for name, read in _READERS.items():
        column = getattr(policy, name, None)
        if column in (None, "", [], {}):
            continue
        try:
            read(column)
        except (TypeError, ValueError, KeyError, AttributeError):
            problems[name] = ValidationError(_MESSAGES.get(name) or _("This cannot be read."))
    if problems:
        raise ValidationError(problems)


def _week(days: Any) -> tuple[Window | None, ...]:
    week = tuple(None if day is None else _window(*day) for day in days)
    if len(week) != DAYS:
        raise ValueError(days)
    return week


def _window(opens: str, closes: str) -> Window:
    window = time.fromisoformat(opens), time.fromisoformat(closes)
    if window[0] == window[1]:
        raise ValueError(window)
    return window


def _caps(rows: Any) -> tuple[Cap, ...]:
    return tuple(_cap(**row) for row in rows)


def _cap(limit: Any, window: str, scope: str = Scope.ALL, of: Any = "") -> Cap:
    if window not in WINDOWS or int(limit) < 0 or bool(of) == (Scope(scope) is Scope.ALL):
        raise ValueError(window)
    return Cap(int(limit), window, str(Scope(scope)), str(of))


def _codes(codes: Any) -> frozenset[str]:
    found = frozenset(str(code).upper() for code in codes)
    if any(len(code) != 2 or not code.isalpha() for code in found):
        raise ValueError(codes)
    return found


def _ids(ids: Any) -> frozenset[int]:
    return frozenset(int(pk) for pk in ids)


def _law_rows(rows: Any) -> tuple[LawRow, ...]:
    return tuple(read_row(row) for row in rows)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "week": _week,
    "caps": _caps,
    "stricter_law": _law_rows,
    "exclusive_flows": _ids,
    "cart_countries": _codes,
    "double_opt_in_countries": _codes,
    "blocked_countries": _codes,
    "prices": read_prices,
}
_EMPTY_IS_UNSET = frozenset({"caps", "stricter_law", "exclusive_flows"})
_MESSAGES: Mapping[str, Any] = {
    "prices": gettext_lazy("A price stands beside a country of two letters, or beside none for all others."),
}


def to_json(rules: PolicyRules) -> dict[str, Any]:
    """Return the rules as plain JSON, the same for equal rules."""
    data = {item.name: _plain(getattr(rules, item.name)) for item in fields(rules) if item.name != "version"}
    plain: dict[str, Any] = json.loads(json.dumps(data, sort_keys=True))
    return plain


def digest(data: Mapping[str, Any]) -> str:
    """Return 64 hexadecimal digits that name this JSON."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return str(value.normalize())
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, LawRow):
        return value.as_data()
    if hasattr(value, "__dataclass_fields__"):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    return value
