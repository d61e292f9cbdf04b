"""Relay connections over the things of a shop, and over short lists."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from smsflow_plugin.integrations.simulator.shopify_api.asking import Asking, asking
from smsflow_plugin.integrations.simulator.shopify_api.search import Condition, Term, Writer, to_sql
from smsflow_plugin.integrations.simulator.shopify_api.storage import Doc
from smsflow_plugin.integrations.simulator.shopify_api.values import NotAnId, read_gid, seconds_of

LARGEST_PAGE = 250
_SORTED_BY = {"UPDATED_AT": "updated_at", "CREATED_AT": "created_at", "PROCESSED_AT": "created_at"}


def _bad(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_REQUEST"})


def page_size(args: dict[str, Any]) -> int:
    """:raises GraphQLError: where Shopify refuses a page."""
    first, last = args.get("first"), args.get("last")
    if first is None and last is None:
        raise _bad("you must provide one of first or last")
    if first is not None and last is not None:
        raise _bad("providing both first and last is not supported")
    size = int(first if first is not None else last or 0)
    if not 0 <= size <= LARGEST_PAGE:
        raise _bad(f"The page size must be between 0 and {LARGEST_PAGE}, not {size}.")
    return size


def _write_cursor(value: Any, number: int) -> str:
    return base64.b64encode(json.dumps([value, number]).encode()).decode()


def _read_cursor(text: str) -> tuple[Any, int]:
    try:
        value, number = json.loads(base64.b64decode(text, validate=True))
        return value, int(number)
    except (ValueError, TypeError):
        raise _bad("Invalid cursor for current pagination sort.") from None


def connection(
    info: GraphQLResolveInfo,
    kind: str,
    args: dict[str, Any],
    *,
    extra: Condition = ("1", []),
    shape: Callable[[Doc], Doc] = lambda doc: doc,
) -> Doc:
    """Return a page of things: filtered by ``query``, sorted by ``sortKey``, after a cursor."""
    ask = asking(info)
    bulk = ask.bulk if ask.bulk is not None and not ask.bulk.started else None
    if bulk is not None:
        bulk.started = True
        # in a bulk operation the page is ours to choose
        args = {**args, "first": bulk.size, "after": bulk.after, "last": None, "before": None}
    elif ask.bulk is not None:
        args = {**args, "first": -1, "after": None, "last": None, "before": None}
    size = args["first"] if ask.bulk is not None else page_size(args)
    backwards = args.get("last") is not None
    column = _SORTED_BY.get(args.get("sortKey") or "", "id")
    descending = bool(args.get("reverse")) is not backwards
    (condition, values), order = _where(ask, info, kind, args, extra), "DESC" if descending else "ASC"
    start = args.get("before") if backwards else args.get("after")
    if start:
        value, number = _read_cursor(start)
        sign = "<" if descending else ">"
        # by id alone where that is the order, or SQLite reads everything before it
        place, more_values = ("id", [number]) if column == "id" else (f"({column}, id)", [value, number])
        marks = ", ".join("?" * len(more_values))
        condition, values = f"({condition}) AND {place} {sign} ({marks})", [*values, *more_values]
    rows = ask.things.select(kind, condition, values, f"{column} {order}, id {order}", size + 1 if size >= 0 else -1)
    more, rows = 0 <= size < len(rows), rows[:size] if size >= 0 else rows
    if backwards:
        rows.reverse()
    # the rows of a bulk operation have no cursors: only where the next page begins is needed
    whole = ask.bulk is not None
    edges = [
        {
            "cursor": "" if whole else _write_cursor(row[column], row["id"]),
            "node": shape({**json.loads(row["doc"]), "_kind": kind}),
        }
        for row in rows
    ]
    if bulk is not None:
        bulk.next = _write_cursor(rows[-1][column], rows[-1]["id"]) if more else None
    return _shape(edges, before=more if backwards else bool(start), after=bool(start) if backwards else more)


def listed(info: GraphQLResolveInfo, nodes: Iterable[Doc], args: dict[str, Any]) -> Doc:
    """Return a page of a list that is at hand."""
    everything = list(nodes)
    if asking(info).bulk is not None:
        size, start = len(everything), 0
    else:
        size = page_size(args)
        start = _read_cursor(args["after"])[1] + 1 if args.get("after") else 0
        if args.get("last") is not None:
            start = max(0, len(everything) - size)
    if args.get("reverse"):
        everything.reverse()
    whole = asking(info).bulk is not None
    edges = [
        {"cursor": "" if whole else _write_cursor(None, place), "node": node}
        for place, node in enumerate(everything[start : start + size], start)
    ]
    return _shape(edges, before=start > 0, after=start + size < len(everything))


def _shape(edges: list[Doc], *, before: bool, after: bool) -> Doc:
    return {
        "edges": edges,
        "nodes": [edge["node"] for edge in edges],
        "pageInfo": {
            "hasNextPage": after,
            "hasPreviousPage": before,
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
        },
    }


def counted(info: GraphQLResolveInfo, kind: str, args: dict[str, Any], extra: Condition = ("1", [])) -> Doc:
    limit = args.get("limit") or 10_000
    found = asking(info).things.count(kind, *_where(asking(info), info, kind, args, extra))
    return {"count": min(found, limit), "precision": "AT_LEAST" if found > limit else "EXACT"}


def _where(ask: Asking, info: GraphQLResolveInfo, kind: str, args: dict[str, Any], extra: Condition) -> Condition:
    query = args.get("query") or ""
    if not query:
        return extra
    (sql, values), unknown = to_sql(query, WRITERS | BY_KIND.get(kind, {}))
    if unknown:
        warnings = [{"field": one, "message": "Invalid search field for this query."} for one in unknown]
        ask.warnings.append({"path": info.path.as_list(), "query": query, "warnings": warnings})
    return f"({sql}) AND ({extra[0]})", [*values, *extra[1]]


def _time(column: str) -> Writer:
    def write(term: Term) -> Condition:
        try:
            moment = seconds_of(term.value)
        except ValueError:
            raise _bad(f"Invalid timestamp for query filter `{term.field}`: {term.value}") from None
        if term.operator == "=" and "T" not in term.value:
            return f"{column} >= ? AND {column} < ?", [moment, moment + 86_400]
        return f"{column} {term.operator} ?", [moment]

    return write


def _id(term: Term) -> Condition:
    try:
        number = int(term.value) if term.value.isdigit() else read_gid(term.value)[1]
    except NotAnId:
        return "0", []
    return f"id {term.operator} ?", [number]


def _same(column: str, fold: Callable[[str], str] = str) -> Writer:
    return lambda term: (f"{column} = ?", [fold(term.value)])


def _state(term: Term) -> Condition:
    value = term.value.lower()
    return ("1", []) if value in ("any", "*") else ("state = ?", [value])


def _in_doc(path: str, fold: Callable[[str], str] = str) -> Writer:
    return lambda term: (f"json_extract(doc, '$.{path}') = ?", [fold(term.value)])


def _tag(term: Term) -> Condition:
    return "EXISTS (SELECT 1 FROM json_each(doc, '$.tags') WHERE LOWER(value) = ?)", [term.value.lower()]


WRITERS: dict[str, Writer] = {
    "id": _id,
    "created_at": _time("created_at"),
    "updated_at": _time("updated_at"),
    "status": _state,
    "tag": _tag,
}
BY_KIND: dict[str, dict[str, Writer]] = {
    "customer": {
        "phone": _same("key"),
        "email": _same("other", str.lower),
        "state": _state,
        "first_name": _in_doc("firstName"),
        "last_name": _in_doc("lastName"),
    },
    "order": {
        "name": _same("key"),
        "email": _same("other"),
        "customer_id": lambda term: ("parent = ?", [int(term.value) if term.value.isdigit() else -1]),
        "processed_at": _time("created_at"),
        "financial_status": _in_doc("financial", str.upper),
        "fulfillment_status": _in_doc("fulfillment", str.upper),
        "test": lambda term: ("json_extract(doc, '$.test') = ?", [term.value.lower() == "true"]),
        "source_name": _in_doc("sourceName"),
    },
    "product": {"handle": _same("key"), "title": _in_doc("title")},
    "variant": {
        "sku": _same("other"),
        "product_id": lambda term: ("parent = ?", [int(term.value) if term.value.isdigit() else -1]),
        "inventory_item_id": _same("key"),
    },
}
