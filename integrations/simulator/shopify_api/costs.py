"""What a document costs: an object one point, a connection two and its objects, a mutation ten. Pure.

These are the rules as Shopify described them first. It has since made long pages cheaper, without saying by how much;
so the stand-in is rather too strict than too kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

MUTATION = 10
_FREE = ("edges", "nodes", "pageInfo", "node")

_Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType


class Costs:
    """The price list for one document and its variables."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }

    def requested(self, operation: OperationDefinitionNode) -> int:
        """What it may cost: every page is full."""
        return self._root(operation, None)

    def actual(self, operation: OperationDefinitionNode, data: Mapping[str, Any] | None) -> int:
        """What it did cost: the objects that came."""
        return self._root(operation, data or {})

    def _root(self, operation: OperationDefinitionNode, data: Mapping[str, Any] | None) -> int:
        if operation.operation.value == "mutation":
            fields = [one for one in operation.selection_set.selections if isinstance(one, FieldNode)]
            return MUTATION * len(fields)
        root = self._schema.query_type
        assert root is not None
        return self._selection(operation.selection_set, root, data)

    def _selection(self, selected: SelectionSetNode, parent: _Composite, data: Any) -> int:
        total = 0
        for one in selected.selections:
            if isinstance(one, FieldNode):
                total += self._field(one, parent, data)
            elif isinstance(one, InlineFragmentNode):
                name = one.type_condition.name.value if one.type_condition else parent.name
                total += self._selection(one.selection_set, self._composite(name, parent), data)
            elif isinstance(one, FragmentSpreadNode):
                fragment = self._fragments[one.name.value]
                kind = self._composite(fragment.type_condition.name.value, parent)
                total += self._selection(fragment.selection_set, kind, data)
        return total

    def _composite(self, name: str, fallback: _Composite) -> _Composite:
        kind = self._schema.type_map.get(name)
        return kind if isinstance(kind, _Composite) else fallback

    def _field(self, node: FieldNode, parent: _Composite, data: Any) -> int:
        name = node.name.value
        if isinstance(parent, GraphQLUnionType) or name not in parent.fields or node.selection_set is None:
            return 0
        kind = get_named_type(parent.fields[name].type)
        if not isinstance(kind, _Composite):
            return 0
        key = node.alias.value if node.alias else name
        if data is None:
            inside = self._selection(node.selection_set, kind, None)
            if kind.name.endswith("Connection"):
                return 2 + self._page_size(node) * max(1, inside)
            return inside + (name not in _FREE)
        value = data.get(key) if isinstance(data, Mapping) else None
        if value is None:
            return 0
        if kind.name.endswith("Connection"):
            return 2 + self._selection(node.selection_set, kind, value)
        values = [one for one in value if one is not None] if isinstance(value, list) else [value]
        each = [self._selection(node.selection_set, kind, one) for one in values]
        if name in ("nodes", "edges"):
            # a page's objects count one by one, at least one point each
            return sum(max(1, one) for one in each)
        # a plain list costs no more than was said before
        return max(each, default=0) + (name not in _FREE)

    def _page_size(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                if isinstance(argument.value, IntValueNode):
                    return int(argument.value.value)
                if isinstance(argument.value, VariableNode):
                    value = self._variables.get(argument.value.name.value)
                    return value if isinstance(value, int) else 1
        return 1
