"""Shopify's own schema, with the stand-in's answers behind its fields."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    parse,
    validate,
)

from smsflow_plugin.integrations.simulator.shopify_api import (
    resolve_app,
    resolve_bulk,
    resolve_discounts,
    resolve_goods,
    resolve_nodes,
    resolve_orders,
    resolve_people,
)
from smsflow_plugin.integrations.simulator.shopify_api.asking import asking, problem
from smsflow_plugin.integrations.simulator.shopify_api.scopes import NEEDED
from smsflow_plugin.integrations.simulator.shopify_api.values import gid, seconds_of

FILE = Path(__file__).with_name("admin_2026_10.graphql")
_ROOMS = (
    resolve_people,
    resolve_orders,
    resolve_goods,
    resolve_nodes,
    resolve_discounts,
    resolve_app,
    resolve_bulk,
)
Resolver = Callable[..., Any]


@lru_cache(maxsize=1)
def admin_schema() -> GraphQLSchema:
    """Return the schema, ready to be executed. A resolver for what it does not have is an error."""
    schema = build_schema(FILE.read_text(encoding="utf-8"))
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            _defaults(kind)
    for room in _ROOMS:
        for name, resolvers in room.RESOLVERS.items():
            fields = _object(schema, name).fields
            for field, resolver in resolvers.items():
                fields[field].resolve = resolver
    for root in ("QueryRoot", "Mutation"):
        for name, field in _object(schema, root).fields.items():
            if field.resolve is None:
                raise LookupError(f"{root}.{name} has no resolver.")
            field.resolve = _guarded(name, field.resolve, mutation=root == "Mutation")
    for path, scope in NEEDED.items():
        kind_name, _dot, field_name = path.rpartition(".")
        if kind_name:
            one = _object(schema, kind_name).fields[field_name]
            one.resolve = _asking_for(scope, field_name, one.resolve or _by_name(field_name))
    time = schema.type_map["DateTime"]
    assert isinstance(time, GraphQLScalarType)
    time.__dict__["parse_value"] = _parse_time
    return schema


def _object(schema: GraphQLSchema, name: str) -> GraphQLObjectType:
    found = schema.type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return found


def _defaults(kind: GraphQLObjectType) -> None:
    if "id" in kind.fields:
        kind.fields["id"].resolve = lambda source, info: gid(info.parent_type.name, source["id"])
    if "legacyResourceId" in kind.fields:
        kind.fields["legacyResourceId"].resolve = lambda source, _info: str(source["id"])


def _by_name(name: str) -> Resolver:
    return lambda source, _info: source.get(name)


def _guarded(name: str, resolve: Resolver, *, mutation: bool) -> Resolver:
    """Ask for the scope first; let a mutation happen as a whole or not at all, and only if no fault was ordered."""
    scope = NEEDED.get(name)

    def answer(source: Any, info: GraphQLResolveInfo, **args: Any) -> Any:
        ask = asking(info)
        if scope is not None:
            ask.need(scope, name)
        if not mutation:
            return resolve(source, info, **args)
        if ask.forced_error:
            return {"userErrors": [problem(ask.forced_error)]}
        with ask.things.database.transaction():
            return resolve(source, info, **args)

    return answer


def _asking_for(scope: str, name: str, resolve: Resolver) -> Resolver:
    def answer(source: Any, info: GraphQLResolveInfo, **args: Any) -> Any:
        asking(info).need(scope, name)
        return resolve(source, info, **args)

    return answer


def _parse_time(value: Any) -> str:
    try:
        seconds_of(value)
    except (TypeError, ValueError):
        raise GraphQLError(f"Invalid DateTime '{value}'") from None
    return str(value)


@lru_cache(maxsize=256)
def understood(text: str) -> tuple[DocumentNode | None, tuple[GraphQLError, ...]]:
    """Parse and validate a document; return it, or what is wrong with it."""
    try:
        document = parse(text)
    except GraphQLError as error:
        return None, (error,)
    errors = validate(admin_schema(), document)
    return (None, tuple(errors)) if errors else (document, ())
