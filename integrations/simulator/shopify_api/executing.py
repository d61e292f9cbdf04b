"""One call to ``graphql.json``: understood, paid for, executed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    execute,
)

from smsflow_plugin.integrations.simulator.shopify_api.asking import DOCUMENTATION, Asking
from smsflow_plugin.integrations.simulator.shopify_api.bucket import Bucket
from smsflow_plugin.integrations.simulator.shopify_api.costs import Costs
from smsflow_plugin.integrations.simulator.shopify_api.schema import admin_schema, understood
from smsflow_plugin.integrations.simulator.shopify_api.storage import Doc


@dataclass(frozen=True, slots=True)
class Request:
    """What was posted."""

    text: str
    variables: dict[str, Any]
    name: str | None

    @classmethod
    def read(cls, raw: bytes) -> Request:
        """:raises ValueError: if this is no GraphQL request."""
        data = json.loads(raw)
        if not isinstance(data, dict) or not isinstance(data.get("query"), str):
            raise ValueError("Required parameter missing or invalid: query")
        variables = data.get("variables") or {}
        if not isinstance(variables, dict):
            raise ValueError("Variables must be an object")
        return cls(data["query"], variables, data.get("operationName") or None)

    def names(self) -> frozenset[str]:
        """Return what a fault may call this request: its own name and those of its root fields."""
        document, _errors = understood(self.text)
        operation = document and _operation(document, self.name)
        if not operation:
            return frozenset()
        fields = [one.name.value for one in operation.selection_set.selections if isinstance(one, FieldNode)]
        return frozenset([*fields, *([operation.name.value] if operation.name else [])])


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    found = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if name is None:
        return found[0] if len(found) == 1 else None
    return next((one for one in found if one.name and one.name.value == name), None)


def answer(ask: Asking, request: Request, bucket: Bucket) -> Doc:
    """Return the body of the answer; its status is 200 whatever it says."""
    most, guard = ask.world.most_cost, ask.world.guard
    document, errors = understood(request.text)
    if document is None:
        return {"errors": [shown(error) for error in errors]}
    operation = _operation(document, request.name)
    if operation is None:
        return {"errors": [{"message": "An operation name is required"}]}
    costs = Costs(admin_schema(), document, request.variables)
    requested = costs.requested(operation)
    if requested > most:
        return {"errors": [_too_much(requested, most)]}
    with guard:
        if not bucket.take(requested, ask.now):
            return throttled(bucket, ask.now, requested)
    result = execute(
        admin_schema(), document, context_value=ask, variable_values=request.variables, operation_name=request.name
    )
    actual = costs.actual(operation, result.data)
    with guard:
        bucket.give_back(max(0, requested - actual), ask.now)
        status = bucket.status(ask.now)
    body: Doc = {}
    if result.errors:
        body["errors"] = [shown(error) for error in result.errors]
    if result.data is not None or not _never_began(result.errors):
        body["data"] = result.data
    cost = {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}
    body["extensions"] = {"cost": cost}
    if ask.warnings:
        body["extensions"]["search"] = ask.warnings
    return body


def throttled(bucket: Bucket, now: float, requested: int = 1) -> Doc:
    error = {"code": "THROTTLED", "documentation": f"{DOCUMENTATION}/rate-limits"}
    cost = {"requestedQueryCost": requested, "actualQueryCost": None, "throttleStatus": bucket.status(now)}
    return {"errors": [{"message": "Throttled", "extensions": error}], "extensions": {"cost": cost}}


def _too_much(cost: int, most: int) -> Doc:
    message = f"Query cost is {cost}, which exceeds the single query max cost limit ({most})."
    code = {"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": most, "documentation": f"{DOCUMENTATION}/rate-limits"}
    return {"message": message, "extensions": code}


def _never_began(errors: list[GraphQLError] | None) -> bool:
    """A wrong variable stops a call before it is executed: then there is no data, not even none."""
    return all(error.path is None for error in errors or ())


def shown(error: GraphQLError) -> Doc:
    """Return an error as Shopify writes it, with its code where it has one."""
    formatted: Doc = dict(error.formatted)
    if "extensions" not in formatted:
        if error.message.startswith("Cannot query field"):
            formatted["extensions"] = {"code": "undefinedField"}
        elif error.message.startswith("Variable '$"):
            formatted["extensions"] = {"code": "INVALID_VARIABLE"}
        elif error.original_error is not None:
            formatted |= {"message": "Internal error.", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
    return formatted
