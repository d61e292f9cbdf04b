"""A query that is run page after page, made into functions once.

graphql-core looks at the document anew for each object; for the hundreds of thousands of a bulk operation that takes
minutes. This calls the same resolvers with the same arguments in the same order, and leaves out what a bulk query
never has. What it does not understand (directives, a field selected twice) is graphql-core's to execute.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.execution.values import get_argument_values

Complete = Callable[[Any], Any]
Project = Callable[[Any], dict[str, Any]]


class NotUnderstood(Exception):
    """graphql-core has to execute this document."""


@dataclass(frozen=True, slots=True)
class _Path:
    names: list[str]

    def as_list(self) -> list[str]:
        return self.names


@dataclass(frozen=True, slots=True)
class _Info:
    """What the resolvers of the stand-in look at in a ``GraphQLResolveInfo``."""

    context: Any
    field_nodes: list[FieldNode]
    parent_type: GraphQLObjectType
    schema: GraphQLSchema
    path: _Path


def projection(schema: GraphQLSchema, document: DocumentNode, context: Any) -> Callable[[], dict[str, Any]]:
    """Return a function that executes the document's query and returns its data.

    The function raises the first ``GraphQLError`` that comes up.

    :raises NotUnderstood: if the document has something that is not known here.
    """
    return _Compiler(schema, document, context).whole()


class _Compiler:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, context: Any) -> None:
        self._schema = schema
        self._document = document
        self._context = context
        self._fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }

    def whole(self) -> Callable[[], dict[str, Any]]:
        operation = next(one for one in self._document.definitions if isinstance(one, OperationDefinitionNode))
        root = self._schema.query_type
        if root is None or operation.variable_definitions:
            raise NotUnderstood
        project = self._project(operation.selection_set, root)
        return lambda: project(None)

    def _fields(self, selected: SelectionSetNode, kind: GraphQLObjectType) -> dict[str, FieldNode]:
        """Return the fields that are selected of an object of this type, by their names in the answer."""
        found: dict[str, FieldNode] = {}
        for one in selected.selections:
            if one.directives:
                raise NotUnderstood
            if isinstance(one, FieldNode):
                more = {one.alias.value if one.alias else one.name.value: one}
            elif isinstance(one, InlineFragmentNode | FragmentSpreadNode):
                part = one if isinstance(one, InlineFragmentNode) else self._fragments[one.name.value]
                applies = part.type_condition is None or self._covers(part.type_condition.name.value, kind)
                more = self._fields(part.selection_set, kind) if applies else {}
            else:
                raise NotUnderstood
            if found.keys() & more.keys():
                raise NotUnderstood
            found |= more
        return found

    def _covers(self, name: str, kind: GraphQLObjectType) -> bool:
        wanted = self._schema.type_map[name]
        if isinstance(wanted, GraphQLInterfaceType | GraphQLUnionType):
            return self._schema.is_sub_type(wanted, kind)
        return wanted is kind

    def _project(self, selected: SelectionSetNode, kind: GraphQLObjectType) -> Project:
        steps = [(key, self._step(key, node, kind)) for key, node in self._fields(selected, kind).items()]
        return lambda source: {key: step(source) for key, step in steps}

    def _step(self, key: str, node: FieldNode, kind: GraphQLObjectType) -> Complete:
        name = node.name.value
        if name == "__typename":
            return lambda _source: kind.name
        field = kind.fields[name]
        complete = self._complete(field.type, node.selection_set)
        resolve = field.resolve
        if resolve is None:
            return lambda source: complete(source.get(name))
        args = get_argument_values(field, node, None)
        info: Any = _Info(self._context, [node], kind, self._schema, _Path([key]))
        return lambda source: complete(resolve(source, info, **args))

    def _complete(self, kind: Any, selected: SelectionSetNode | None) -> Complete:
        """Return what turns a resolved value into a piece of the answer."""
        if isinstance(kind, GraphQLNonNull):
            return _never_none(self._nullable(kind.of_type, selected), str(kind))
        inner = self._nullable(kind, selected)
        return lambda value: None if value is None else inner(value)

    def _nullable(self, kind: Any, selected: SelectionSetNode | None) -> Complete:
        if isinstance(kind, GraphQLList):
            each = self._complete(kind.of_type, selected)
            return lambda values: [each(value) for value in values]
        if selected is None:
            return lambda value: value
        if isinstance(kind, GraphQLObjectType):
            return self._project(selected, kind)
        return self._by_type(selected)

    def _by_type(self, selected: SelectionSetNode) -> Complete:
        known: dict[str, Project] = {}

        def project(value: Any) -> dict[str, Any]:
            name = value["__typename"]
            if name not in known:
                kind = self._schema.type_map[name]
                assert isinstance(kind, GraphQLObjectType)
                known[name] = self._project(selected, kind)
            return known[name](value)

        return project


def _never_none(inner: Complete, kind: str) -> Complete:
    def complete(value: Any) -> Any:
        if value is None:
            raise GraphQLError(f"Cannot return null for non-nullable {kind}.")
        return inner(value)

    return complete
