"""What a bulk operation may ask, and how its answer becomes lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    parse,
    validate,
)

MOST_CONNECTIONS, DEEPEST = 5, 2


class BadBulkQuery(ValueError):
    """The message says what is wrong with the query."""


class BulkQuery:
    """A checked query: where its connections are."""

    def __init__(self, document: DocumentNode, schema: GraphQLSchema) -> None:
        self.document = document
        self.schema = schema
        self._fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }
        operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
        if len(operations) != 1 or operations[0].operation is not OperationType.QUERY:
            raise BadBulkQuery("The document must contain exactly one query.")
        root = schema.query_type
        assert root is not None
        self.connections: list[tuple[str, int]] = []
        tops = list(self._fields(operations[0].selection_set))
        self._walk(operations[0].selection_set, root, 0)
        if not self.connections:
            raise BadBulkQuery("Bulk queries must contain at least one connection.")
        if len(self.connections) > MOST_CONNECTIONS:
            raise BadBulkQuery("Bulk queries cannot contain more than 5 connections.")
        if max(depth for _name, depth in self.connections) > DEEPEST:
            raise BadBulkQuery("Bulk queries cannot contain connections with a nesting depth greater than 2.")
        if len(tops) != 1:
            raise BadBulkQuery("Bulk queries support only a single top-level field.")
        self.top = tops[0].alias.value if tops[0].alias else tops[0].name.value

    def _fields(self, selected: SelectionSetNode) -> Iterator[FieldNode]:
        for one in selected.selections:
            if isinstance(one, FieldNode):
                yield one
            elif isinstance(one, InlineFragmentNode):
                yield from self._fields(one.selection_set)
            elif isinstance(one, FragmentSpreadNode):
                yield from self._fields(self._fragments[one.name.value].selection_set)

    def _walk(self, selected: SelectionSetNode, parent: Any, depth: int) -> None:
        """Find the connections, at whatever depth."""
        for one in selected.selections:
            if isinstance(one, InlineFragmentNode | FragmentSpreadNode):
                part = one if isinstance(one, InlineFragmentNode) else self._fragments[one.name.value]
                condition = part.type_condition
                kind = self.schema.type_map[condition.name.value] if condition else parent
                self._walk(part.selection_set, kind, depth)
            elif isinstance(one, FieldNode) and one.selection_set is not None:
                kind = get_named_type(parent.fields[one.name.value].type)
                deeper = depth + kind.name.endswith("Connection")
                if deeper > depth:
                    self.connections.append((one.name.value, deeper))
                    self._need_id(one, deeper)
                self._walk(one.selection_set, kind, deeper)

    def _need_id(self, node: FieldNode, depth: int) -> None:
        """Lines find their parents by id, so whatever has connections inside must tell its own."""
        assert node.selection_set is not None
        for part in self._fields(node.selection_set):
            if part.name.value not in ("edges", "nodes") or part.selection_set is None:
                continue
            inner = list(self._fields(part.selection_set))
            if part.name.value == "edges":
                inner = [
                    field
                    for one in inner
                    if one.name.value == "node" and one.selection_set
                    for field in self._fields(one.selection_set)
                ]
            nested = any(one.selection_set and self._is_connection(one) for one in inner)
            if nested and not any(one.name.value == "id" for one in inner):
                raise BadBulkQuery(
                    "The parent 'node' field for a nested connection must select the 'id' field"
                    " without an alias and must be of 'ID' return type."
                )

    def _is_connection(self, node: FieldNode) -> bool:
        assert node.selection_set is not None
        return any(one.name.value in ("edges", "nodes") for one in self._fields(node.selection_set))


def read(text: str, schema: GraphQLSchema) -> BulkQuery:
    """:raises BadBulkQuery: if Shopify would not run it."""
    try:
        document = parse(text)
    except GraphQLError as error:
        raise BadBulkQuery(f"Invalid bulk query: {error.message}") from None
    if errors := validate(schema, document):
        raise BadBulkQuery(f"Invalid bulk query: {errors[0].message}")
    return BulkQuery(document, schema)


def lines(page: dict[str, Any], *, grouped: bool) -> Iterator[dict[str, Any]]:
    """Return the lines of one page of the outermost connection: parents, and children that name them.

    Ungrouped, all parents of a page come before all of their children, as they may at Shopify.
    """
    later: list[dict[str, Any]] = []
    for node in nodes_of(page):
        children: list[dict[str, Any]] = []
        yield _split(node, None, children)
        if grouped:
            yield from children
        else:
            later += children
    yield from later


def nodes_of(connection: dict[str, Any]) -> list[dict[str, Any]]:
    if "nodes" in connection:
        return list(connection["nodes"])
    return [edge["node"] for edge in connection.get("edges", ())]


def _split(node: dict[str, Any], parent: str | None, children: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a node without its connections; their nodes are appended to ``children``."""
    line: dict[str, Any] = {}
    for name, value in node.items():
        if isinstance(value, dict) and ("edges" in value or "nodes" in value):
            for child in nodes_of(value):
                own: list[dict[str, Any]] = []
                children.append(_split(child, node.get("id"), own))
                children += own
        else:
            line[name] = value
    return line if parent is None else line | {"__parentId": parent}
