"""The comparisons of ``audience.comparing`` and ``audience.dates`` as SQL expressions.

Each expression is true or false, never null, so that it can be negated.

PostgreSQL gets plain SQL. SQLite calls the Python functions themselves, which run in the
same process: nothing there could compare letters outside of ASCII, or numbers exactly.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.db.models import BooleanField, Expression, F, TextField
from django.db.models.expressions import Func

from smsflow_plugin.audience import comparing
from smsflow_plugin.audience.behaviour import overdue
from smsflow_plugin.audience.comparing import FOLDS, NUMBER, fold, number_of, text_of
from smsflow_plugin.audience.dates import DAY, HAS_OFFSET, MOMENT, in_span, span
from smsflow_plugin.audience.filters import has_tag

_SIGNS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}

#: ``fold`` of the text ``v``. Most texts are ASCII, for which there is a fast way.
_FOLDED = '(CASE WHEN OCTET_LENGTH(v) = LENGTH(v) THEN LOWER(v COLLATE "C") ELSE TRANSLATE(v COLLATE "C", %s, %s) END)'
_FOLDS = ("".join(map(chr, FOLDS)), "".join(FOLDS.values()))

#: The moment that the text ``v`` is; without an offset it is UTC.
_MOMENT = "CAST(CASE WHEN v ~ %s THEN v ELSE v || 'Z' END AS timestamp with time zone)"

SQL = tuple[str, tuple[Any, ...]]


class ColumnText(Func):
    """A text column; null if it is missing."""

    template = "NULLIF(%(expressions)s, '')"
    output_field = TextField()


class JSONText(Func):
    """What stands in a JSON column at a path of keys, as ``text_of`` would say it; null if it is missing."""

    output_field = TextField()

    def __init__(self, column: str, *keys: str) -> None:
        super().__init__(F(column))
        self.keys = keys

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> SQL:
        column, params = compiler.compile(self.source_expressions[0])
        # the text operator -> opens objects only, so that a list is never read by a number
        place = column + "".join(" -> %s::text" for _key in self.keys)
        at = (*params, *self.keys)
        text = f"({place} #>> '{{}}')"
        return (
            f"(CASE jsonb_typeof({place}) WHEN 'string' THEN NULLIF({text}, '')"
            f" WHEN 'number' THEN {text} WHEN 'boolean' THEN {text} END)",
            (*at, *at, *at, *at),
        )

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> SQL:
        _register(connection)
        column, params = compiler.compile(self.source_expressions[0])
        return f"smsflow_json_text({column}, %s)", (*params, json.dumps(self.keys))


class _Asked(Expression):  # type: ignore[misc]
    """Something asked about one text, which may be null."""

    conditional = True

    def __init__(self, text: Expression) -> None:
        super().__init__(output_field=BooleanField())
        self.text = text

    def get_source_expressions(self) -> list[Expression]:
        return [self.text]

    def set_source_expressions(self, expressions: list[Expression]) -> None:
        (self.text,) = expressions


class Present(_Asked):
    """The text is not missing."""

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> SQL:
        text, params = compiler.compile(self.text)
        return f"({text} IS NOT NULL)", tuple(params)

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> SQL:
        _register(connection)
        return self.as_sql(compiler, connection)


class Compares(_Asked):
    """One of ``comparing.COMPARISONS`` with a value that is not missing."""

    def __init__(self, text: Expression, operator: str, wanted: str) -> None:
        super().__init__(text)
        self.operator, self.wanted = operator, wanted

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> SQL:
        test, params = self._test()
        return _about(*compiler.compile(self.text), test, params, missing=self.operator == "ne")

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> SQL:
        _register(connection)
        text, params = compiler.compile(self.text)
        return f"smsflow_compare({text}, %s, %s)", (*params, self.operator, self.wanted)

    def _test(self) -> SQL:
        wanted, number = fold(self.wanted), number_of(self.wanted)
        if self.operator == "contains":
            return f"STRPOS({_FOLDED}, %s) > 0", (*_FOLDS, wanted)
        if self.operator == "starts":
            return f"STARTS_WITH({_FOLDED}, %s)", (*_FOLDS, wanted)
        sign = _SIGNS[self.operator]
        as_text = f'{_FOLDED} {sign} %s COLLATE "C"'
        text_params = (*_FOLDS, wanted)
        if self.operator in ("eq", "ne"):
            if number is None:
                return as_text, text_params
            return f"CASE WHEN v ~ %s THEN CAST(v AS numeric) {sign} CAST(%s AS numeric) ELSE {as_text} END", (
                NUMBER, str(number), *text_params,
            )  # fmt: skip
        # a number and a text have no order
        if number is None:
            return f"CASE WHEN v ~ %s THEN FALSE ELSE {as_text} END", (NUMBER, *text_params)
        return f"CASE WHEN v ~ %s THEN CAST(v AS numeric) {sign} CAST(%s AS numeric) END", (NUMBER, str(number))


class InSpan(_Asked):
    """One of ``dates.DATE_OPERATORS``."""

    def __init__(self, text: Expression, operator: str, value: Any, now: datetime) -> None:
        super().__init__(text)
        self.operator, self.value, self.now = operator, value, now

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> SQL:
        wanted = span(self.operator, self.value, self.now)
        days, day_params = _between("CAST(v AS date)", (), wanted.first_day, wanted.last_day, "<=")
        sign = "<=" if wanted.end_included else "<"
        moments, moment_params = _between(_MOMENT, (HAS_OFFSET,), wanted.start, wanted.end, sign)
        test = f"CASE WHEN v ~ %s THEN {days} WHEN v ~ %s THEN {moments} END"
        return _about(*compiler.compile(self.text), test, (DAY, *day_params, MOMENT, *moment_params), missing=False)

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> SQL:
        _register(connection)
        text, params = compiler.compile(self.text)
        value = json.dumps(self.value)
        return f"smsflow_in_span({text}, %s, %s, %s)", (*params, self.operator, value, self.now.isoformat())


class HasTag(_Asked):
    """Whether one of the texts in a JSON list is the one wanted, regardless of case."""

    def __init__(self, column: str, tag: str) -> None:
        super().__init__(F(column))
        self.tag = tag

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> SQL:
        column, params = compiler.compile(self.text)
        tags = f"CASE jsonb_typeof({column}) WHEN 'array' THEN {column} ELSE '[]'::jsonb END"
        return (
            f"EXISTS (SELECT 1 FROM jsonb_array_elements_text({tags}) AS tags(v) WHERE {_FOLDED} = %s)",  # noqa: S608
            (*params, *params, *_FOLDS, fold(self.tag)),
        )

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> SQL:
        _register(connection)
        column, params = compiler.compile(self.text)
        return f"smsflow_has_tag({column}, %s)", (*params, self.tag)


class Overdue(Expression):  # type: ignore[misc]
    """``behaviour.overdue`` of a contact."""

    conditional = True

    def __init__(self, now: datetime, *, percent: int, days: int) -> None:
        super().__init__(output_field=BooleanField())
        self.last, self.used_up = F("last_order_at"), F("replenish_at")
        self.now, self.percent, self.days = now, percent, days

    def get_source_expressions(self) -> list[Expression]:
        return [self.last, self.used_up]

    def set_source_expressions(self, expressions: list[Expression]) -> None:
        self.last, self.used_up = expressions

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> SQL:
        last, used_up = compiler.compile(self.last)[0], compiler.compile(self.used_up)[0]
        gone = f"EXTRACT(EPOCH FROM (%s::timestamptz - {last}))"
        return (
            f"COALESCE(CASE WHEN {used_up} > {last}"
            f" THEN {gone} * 100 >= EXTRACT(EPOCH FROM ({used_up} - {last})) * %s ELSE {gone} >= %s END, FALSE)",
            (self.now, self.percent, self.now, self.days * 86_400),
        )

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> SQL:
        _register(connection)
        last, used_up = compiler.compile(self.last)[0], compiler.compile(self.used_up)[0]
        return f"smsflow_overdue({last}, {used_up}, %s, %s, %s)", (self.now.isoformat(), self.percent, self.days)


def _about(text: str, params: Any, test: str, test_params: tuple[Any, ...], *, missing: bool) -> SQL:
    """Return ``test`` of a text, which it calls ``v``; the text itself is written only once."""
    # only our own SQL and column names stand in it: values are parameters
    answer = f"(SELECT COALESCE({test}, {missing}) FROM (SELECT {text} AS v) AS asked)"  # noqa: S608
    return answer, (*test_params, *params)


def _between(value: str, params: tuple[Any, ...], low: Any, high: Any, sign: str) -> SQL:
    tests: list[SQL] = []
    if low is not None:
        tests.append((f"{value} >= %s", (*params, low)))
    if high is not None:
        tests.append((f"{value} {sign} %s", (*params, high)))
    return " AND ".join(sql for sql, _params in tests), tuple(p for _sql, own in tests for p in own)


# SQLite ------------------------------------------------------------------------------------------


def _json_text(data: str | None, keys: str) -> str | None:
    value = json.loads(data) if data else None
    for key in json.loads(keys):
        value = value.get(key) if isinstance(value, dict) else None
    return text_of(value)


def _compare(text: str | None, operator: str, wanted: str) -> bool:
    return comparing.compare(text, operator, wanted)


def _in_span(text: str | None, operator: str, value: str, now: str) -> bool:
    return in_span(text, span(operator, json.loads(value), datetime.fromisoformat(now)))


def _has_tag(tags: str | None, wanted: str) -> bool:
    return has_tag(json.loads(tags) if tags else None, wanted)


def _overdue(last: str | None, used_up: str | None, now: str, percent: int, days: int) -> bool:
    return overdue(_stored(last), _stored(used_up), datetime.fromisoformat(now), percent=percent, days=days)


def _stored(text: str | None) -> datetime | None:
    # SQLite keeps moments as texts in UTC
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


_FUNCTIONS: tuple[tuple[str, int, Callable[..., Any]], ...] = (
    ("smsflow_json_text", 2, _json_text),
    ("smsflow_compare", 3, _compare),
    ("smsflow_in_span", 4, _in_span),
    ("smsflow_has_tag", 2, _has_tag),
    ("smsflow_overdue", 5, _overdue),
)


def _register(connection: Any) -> None:
    """Give SQLite the functions, once for each connection that Django opens."""
    connection.ensure_connection()
    raw = connection.connection
    if getattr(connection, "_smsflow_functions", None) is raw:
        return
    for name, arguments, function in _FUNCTIONS:
        raw.create_function(name, arguments, function, deterministic=True)
    connection._smsflow_functions = raw
