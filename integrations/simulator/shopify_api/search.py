"""Shopify's search syntax, as far as the stand-in understands it. Pure.

``created_at:>=2026-01-01 status:open`` (AND is what stands between terms), ``a:1 OR a:2``, ``-tag:vip``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_TERM = re.compile(
    r"""\s*(?:(?P<word>AND|OR)(?=\s|$)
    |(?P<not>-|NOT\s+)?(?P<field>[A-Za-z_][\w.]*):\s*(?P<operator><=|>=|<|>)?
        \s*(?P<value>"[^"]*"|'[^']*'|[^\s()]+)
    |(?P<text>[^\s]+))""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Term:
    field: str
    operator: str
    value: str
    negated: bool = False


def read(query: str) -> list[list[Term]]:
    """Return the alternatives of a query; each is a list of terms that all must hold. Empty: everything fits."""
    alternatives: list[list[Term]] = [[]]
    for found in _TERM.finditer(query.strip()):
        if found["word"] == "OR":
            alternatives.append([])
        elif found["field"]:
            value = found["value"].strip("\"'")
            alternatives[-1].append(Term(found["field"], found["operator"] or "=", value, bool(found["not"])))
        elif found["text"]:
            alternatives[-1].append(Term("", "=", found["text"].strip("\"'")))
    return [one for one in alternatives if one]


#: How a term becomes a condition: (SQL with one "?" for each value, values).
Condition = tuple[str, list[Any]]
Writer = Callable[[Term], Condition]


def to_sql(query: str, writers: dict[str, Writer]) -> tuple[Condition, list[str]]:
    """Return a condition, and the fields that nobody here knows: like Shopify they are left out, with a warning."""
    unknown: list[str] = []
    alternatives: list[str] = []
    values: list[Any] = []
    for terms in read(query):
        parts = []
        for term in terms:
            writer = writers.get(term.field)
            if writer is None:
                unknown.append(term.field)
                continue
            sql, more = writer(term)
            parts.append(f"NOT ({sql})" if term.negated else sql)
            values += more
        alternatives.append(" AND ".join(parts) or "1")
    return (" OR ".join(f"({one})" for one in alternatives) or "1", values), unknown


def fits(query: str, payload: dict[str, Any]) -> bool:
    """Return whether a webhook's ``filter`` lets a payload through: fields by their path, lists by any member."""
    alternatives = read(query)
    return not alternatives or any(all(_holds(term, payload) for term in terms) for terms in alternatives)


def _holds(term: Term, payload: dict[str, Any]) -> bool:
    found = any(_compare(value, term) for value in _at(payload, term.field.split(".")))
    return found is not term.negated


def _at(value: Any, path: list[str]) -> list[Any]:
    if isinstance(value, list):
        return [one for member in value for one in _at(member, path)]
    if not path:
        return [value]
    return _at(value.get(path[0]), path[1:]) if isinstance(value, dict) else []


def _compare(value: Any, term: Term) -> bool:
    if term.value == "*":
        return value is not None
    text = str(value).lower() if isinstance(value, bool) else str(value)
    left: Any
    right: Any
    try:
        left, right = float(text), float(term.value)
    except ValueError:
        left, right = text, term.value
    match term.operator:
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
        case ">=":
            return bool(left >= right)
    return bool(left == right)
