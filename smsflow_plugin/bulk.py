"""Writes any number of rows in one statement: the only way that a pump writes.

PostgreSQL reads the rows from ``unnest`` of one array per column, SQLite from
``json_each`` of one JSON text. Both take a fraction of the time of Django's
``bulk_create`` and ``bulk_update``, and the statement's text stays the same
whatever the number of rows.

Columns are named by the fields' attnames ("contact_id"). Values are plain Python
values; each goes through its field on the way in, and back on the way out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, overload

from django.db import NotSupportedError, connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import format_number
from django.db.models import BinaryField, DecimalField, Field, ForeignKey, JSONField, Model
from django.db.models.expressions import Col

Row = Sequence[Any]


@overload
def insert(model: type[Model], columns: Sequence[str], rows: Sequence[Row]) -> int: ...
@overload
def insert(
    model: type[Model], columns: Sequence[str], rows: Sequence[Row], *, returning: Sequence[str]
) -> list[tuple[Any, ...]]: ...
def insert(
    model: type[Model], columns: Sequence[str], rows: Sequence[Row], *, returning: Sequence[str] = ()
) -> int | list[tuple[Any, ...]]:
    """Insert the rows whose unique keys are still free; pass over the others.

    Columns that are not named get their fields' defaults.

    :return: the ``returning`` columns of the rows that were inserted, in no
        particular order; without ``returning``, how many were inserted.
    """
    if not rows:
        return [] if returning else 0
    connection = _connection(model)
    named = [_field(model, name) for name in columns]
    constants, made = _defaults(model, named)
    if made:
        rows = [(*row, *(f.get_default() for f in made)) for row in rows]
    source = _source(connection, [*named, *made], rows)
    values = [*source.values, *(_constant(connection, f) for f, _ in constants)]
    targets = [_column(connection, f) for f in (*named, *made, *(f for f, _ in constants))]
    sql = (
        f"INSERT INTO {_quote(connection, model._meta.db_table)} ({', '.join(targets)}) "  # noqa: S608 - names only
        f"SELECT {', '.join(values)} FROM {source.table} WHERE true ON CONFLICT DO NOTHING"
    )
    parameters = [*source.value_parameters, *(value for _, value in constants), *source.table_parameters]
    return _run(connection, model, sql, parameters, returning)


@overload
def update(
    model: type[Model],
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    least: Sequence[str] = ...,
    extra_where: str = ...,
) -> int: ...
@overload
def update(
    model: type[Model],
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    least: Sequence[str] = ...,
    extra_where: str = ...,
    returning: Sequence[str],
) -> list[tuple[Any, ...]]: ...
def update(
    model: type[Model],
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    least: Sequence[str] = (),
    extra_where: str = "",
    returning: Sequence[str] = (),
) -> int | list[tuple[Any, ...]]:
    """Set ``columns`` of rows given as (primary key, value, value, …). A key may stand in one row only.

    :param least: columns that take the smaller of what they hold and the new value;
        a null on either side is passed over. So an earlier wake time is never lost.
    :param extra_where: SQL that a row must also fulfil to be changed, for example
        ``"state = 'queued'"``. Never put a value from outside into it; write ``%%`` for ``%``.
    :return: the ``returning`` columns of the rows that were changed; without
        ``returning``, how many were changed.
    """
    if not rows:
        return [] if returning else 0
    connection = _connection(model)
    key = model._meta.pk
    fields = [_field(model, name) for name in columns]
    source = _source(connection, [key, *fields], rows)
    assignments = [
        f"{_column(connection, f)} = " + (_least(connection, _column(connection, f), new) if name in least else new)
        for name, f, new in zip(columns, fields, source.values[1:], strict=True)
    ]
    table = _quote(connection, model._meta.db_table)
    sql = (
        f"UPDATE {table} SET {', '.join(assignments)} FROM {source.table} "  # noqa: S608 - names only
        f"WHERE {table}.{_column(connection, key)} = {source.values[0]}"
    )
    if extra_where:
        sql += f" AND ({extra_where})"
    return _run(connection, model, sql, [*source.value_parameters, *source.table_parameters], returning)


def add(
    model: type[Model],
    keys: Sequence[str],
    amounts: Sequence[str],
    rows: Sequence[Row],
    *,
    returning: Sequence[str] = (),
) -> list[tuple[Any, ...]]:
    """Add to ``amounts`` of the rows with these ``keys``, which a unique constraint names; insert missing ones.

    Keys may stand in one row only, and in the same order in every call: each row stays locked until the end of the
    transaction. Columns that are not named get their fields' defaults.

    :return: the ``returning`` columns as they are now.
    """
    if not rows:
        return []
    connection = _connection(model)
    named = [_field(model, name) for name in (*keys, *amounts)]
    constants, _made = _defaults(model, named)
    source = _source(connection, named, rows)
    values = [*source.values, *(_constant(connection, f) for f, _ in constants)]
    targets = [_column(connection, f) for f in (*named, *(f for f, _ in constants))]
    table = _quote(connection, model._meta.db_table)
    sums = [f"{c} = {table}.{c} + EXCLUDED.{c}" for c in (_column(connection, _field(model, name)) for name in amounts)]
    sql = (
        f"INSERT INTO {table} ({', '.join(targets)}) "  # noqa: S608 - names only
        f"SELECT {', '.join(values)} FROM {source.table} WHERE true "
        f"ON CONFLICT ({', '.join(_column(connection, _field(model, name)) for name in keys)}) "
        f"DO UPDATE SET {', '.join(sums)}"
    )
    parameters = [*source.value_parameters, *(value for _, value in constants), *source.table_parameters]
    found = _run(connection, model, sql, parameters, returning or keys)
    assert isinstance(found, list)
    return found


@dataclass(slots=True)
class _Source:
    """The rows as a table in SQL: ``values`` are the expressions of its columns."""

    table: str
    table_parameters: list[Any]
    values: list[str]
    value_parameters: list[Any] = field(default_factory=list)


def _source(connection: BaseDatabaseWrapper, fields: Sequence[Field[Any, Any]], rows: Sequence[Row]) -> _Source:
    prepared = [
        [prepare(value) for value in column]
        for prepare, column in zip((_preparer(connection, f) for f in fields), zip(*rows, strict=True), strict=True)
    ]
    if connection.vendor == "postgresql":
        return _arrays(connection, fields, prepared)
    if connection.vendor == "sqlite":
        return _json(fields, prepared)
    raise NotSupportedError(f"SMSFlow runs on PostgreSQL and SQLite, not on {connection.display_name}.")


def _arrays(connection: BaseDatabaseWrapper, fields: Sequence[Field[Any, Any]], columns: list[list[Any]]) -> _Source:
    names = [f"v{i}" for i in range(len(fields))]
    arrays = ", ".join(f"%s::{_type(connection, f)}[]" for f in fields)
    return _Source(
        table=f"unnest({arrays}) AS smsflow_rows ({', '.join(names)})",
        table_parameters=[_literal(column) for column in columns],
        values=names,
    )


def _literal(values: Iterable[Any]) -> str:
    """Return PostgreSQL's notation of an array: several times faster than to let psycopg find it for each value."""
    return "{" + ",".join("NULL" if v is None else str(v) if type(v) is int else _quoted(v) for v in values) + "}"


def _quoted(value: Any) -> str:
    # members of a StrEnum are strings too, and their own str() may be anything
    text = f"\\x{value.hex()}" if isinstance(value, bytes) else _text(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(value: Any) -> str:
    return str.__str__(value) if isinstance(value, str) else str(value)


def _json(fields: Sequence[Field[Any, Any]], columns: list[list[Any]]) -> _Source:
    source = _Source(table="json_each(%s) AS smsflow_rows", table_parameters=[], values=[])
    for i, (f, column) in enumerate(zip(fields, columns, strict=True)):
        place = f"json_extract(smsflow_rows.value, '$[{i}]"
        if isinstance(f, BinaryField):
            # JSON holds no bytes: all of the column's bytes travel as one blob, the rows say which of them are theirs
            source.values.append(f"substr(%s, {place}[0]'), {place}[1]'))")
            # (never an empty one: SQLite answers NULL to any part of it)
            source.value_parameters.append(b"\0" + b"".join(value or b"" for value in column))
            columns[i] = _places(column)
        else:
            source.values.append(f"{place}')")
    source.table_parameters.append(json.dumps(list(zip(*columns, strict=True)), ensure_ascii=False))
    return source


def _places(column: Iterable[bytes | None]) -> list[list[int] | None]:
    """Return the position (SQL's, behind one byte that is nobody's) and the length of each value."""
    places: list[list[int] | None] = []
    position = 2
    for value in column:
        places.append(None if value is None else [position, len(value)])
        position += len(value or b"")
    return places


def _preparer(connection: BaseDatabaseWrapper, f: Field[Any, Any]) -> Callable[[Any], Any]:
    """Return what turns a Python value into a value for the driver."""
    if isinstance(f, JSONField):
        encoder = f.encoder
        return lambda value: None if value is None else json.dumps(value, cls=encoder)
    if isinstance(f, BinaryField):
        return lambda value: None if value is None else bytes(value)
    if isinstance(f, DecimalField):
        # JSON knows no decimals; the column makes a number of the text
        return lambda value: format_number(f.to_python(value), f.max_digits, f.decimal_places)

    kind = f.target_field.get_internal_type() if isinstance(f, ForeignKey) else f.get_internal_type()
    ready = _READY.get(kind) if type(f).__module__.startswith("django.db.models") else None

    def prepare(value: Any) -> Any:
        # nine values in ten are what the field would make of them, and asking it is half of the work
        if value is None or type(value) is ready:
            return value
        return f.get_db_prep_save(value, connection)

    return prepare


#: Which types of value, by kind of field, both databases take as they are.
_READY: dict[str, type] = {
    "CharField": str,
    "TextField": str,
    "AutoField": int,
    "BigAutoField": int,
    "BigIntegerField": int,
    "IntegerField": int,
    "PositiveIntegerField": int,
    "PositiveSmallIntegerField": int,
    "BooleanField": bool,
}


def _defaults(
    model: type[Model], given: Sequence[Field[Any, Any]]
) -> tuple[list[tuple[Field[Any, Any], Any]], list[Field[Any, Any]]]:
    """Return the constants for fields that are not given, and the fields whose defaults are made for each row."""
    constants: list[tuple[Field[Any, Any], Any]] = []
    made: list[Field[Any, Any]] = []
    connection = _connection(model)
    for f in model._meta.concrete_fields:
        if f in given or f.primary_key:
            continue
        if f.has_default() and callable(f.default):
            made.append(f)
        elif (value := f.get_default()) is not None:
            constants.append((f, _preparer(connection, f)(value)))
    return constants, made


def _constant(connection: BaseDatabaseWrapper, f: Field[Any, Any]) -> str:
    return f"%s::{_type(connection, f)}" if connection.vendor == "postgresql" else "%s"


def _type(connection: BaseDatabaseWrapper, f: Field[Any, Any]) -> str:
    # without "(20)": a cast would cut longer values off silently, the column itself refuses them
    return (f.db_type(connection) or "").partition("(")[0]


def _least(connection: BaseDatabaseWrapper, old: str, new: str) -> str:
    if connection.vendor == "postgresql":
        return f"LEAST({old}, {new})"
    return f"min(coalesce({old}, {new}), coalesce({new}, {old}))"


def _run(
    connection: BaseDatabaseWrapper, model: type[Model], sql: str, parameters: list[Any], returning: Sequence[str]
) -> int | list[tuple[Any, ...]]:
    table = _quote(connection, model._meta.db_table)
    fields = [_field(model, name) for name in returning]
    if fields:
        sql += " RETURNING " + ", ".join(f"{table}.{_column(connection, f)}" for f in fields)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        if not fields:
            return int(cursor.rowcount)
        converters = [_converters(connection, f) for f in fields]
        return [
            tuple(_converted(value, chain) for value, chain in zip(row, converters, strict=True))
            for row in cursor.fetchall()
        ]


def _converters(connection: BaseDatabaseWrapper, f: Field[Any, Any]) -> list[Callable[[Any], Any]]:
    column = Col(f.model._meta.db_table, f)
    chain = [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]
    return [partial(_convert, convert, column, connection) for convert in chain]


def _convert(convert: Callable[..., Any], column: Col, connection: BaseDatabaseWrapper, value: Any) -> Any:
    return convert(value, column, connection)


def _converted(value: Any, chain: Iterable[Callable[[Any], Any]]) -> Any:
    for convert in chain:
        value = convert(value)
    return value


def _field(model: type[Model], name: str) -> Field[Any, Any]:
    f = model._meta.get_field(name)
    assert isinstance(f, Field), f"{name} is no column of {model.__name__}"
    return f


def _connection(model: type[Model]) -> BaseDatabaseWrapper:
    return connections[router.db_for_write(model)]


def _column(connection: BaseDatabaseWrapper, f: Field[Any, Any]) -> str:
    return _quote(connection, str(f.column))


def _quote(connection: BaseDatabaseWrapper, name: str) -> str:
    return connection.ops.quote_name(name)
