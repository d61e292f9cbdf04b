"""Bulk operations, as the Admin API shows them."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLResolveInfo

from smsflow_plugin.integrations.simulator.shopify_api.asking import asking, number_in, problem
from smsflow_plugin.integrations.simulator.shopify_api.bulk_query import BadBulkQuery, read
from smsflow_plugin.integrations.simulator.shopify_api.pages import connection
from smsflow_plugin.integrations.simulator.shopify_api.storage import Doc

Info = GraphQLResolveInfo


def operation(_source: Any, info: Info, id: str) -> Doc | None:
    ask = asking(info)
    found = ask.things.get("bulk", number_in(id, "BulkOperation"))
    return found if found and found["app"] == ask.app else None


def operations(_source: Any, info: Info, **args: Any) -> Doc:
    return connection(info, "bulk", args, extra=("json_extract(doc, '$.app') = ?", [asking(info).app]))


def current(_source: Any, info: Info, type: str | None = None) -> Doc | None:
    if type == "MUTATION":
        return None
    ask = asking(info)
    rows = ask.things.select("bulk", "json_extract(doc, '$.app') = ?", [ask.app], "id DESC", 1)
    return ask.things.get("bulk", rows[0]["id"]) if rows else None


def run(_source: Any, info: Info, query: str, groupObjects: bool) -> Doc:
    ask = asking(info)
    try:
        read(query, info.schema)
    except BadBulkQuery as error:
        return {"bulkOperation": None, "userErrors": [problem(str(error), "query", code="INVALID")]}
    running = ask.things.count("bulk", "state IN ('created', 'running') AND json_extract(doc, '$.app') = ?", [ask.app])
    if running >= ask.world.bulk_at_once:
        message = "A bulk query operation for this app and shop is already in progress."
        return {"bulkOperation": None, "userErrors": [problem(message, code="OPERATION_IN_PROGRESS")]}
    made = {
        "id": ask.things.next_id("bulk"),
        "app": ask.app,
        "status": "CREATED",
        "errorCode": None,
        "objectCount": "0",
        "rootObjectCount": "0",
        "fileSize": None,
        "url": None,
        "partialDataUrl": None,
        "query": query,
        "grouped": groupObjects,
        "type": "QUERY",
        "version": ask.version,
        "createdAt": ask.time,
        "updatedAt": ask.time,
        "completedAt": None,
    }
    ask.things.put("bulk", made)
    ask.world.bulk.begin(ask.shop["number"], made["id"])
    return {"bulkOperation": made, "userErrors": []}


def cancel(_source: Any, info: Info, id: str) -> Doc:
    ask = asking(info)
    found = operation(None, info, id)
    if found is None:
        return {"bulkOperation": None, "userErrors": [problem("Bulk operation does not exist", "id")]}
    if found["status"] not in ("CREATED", "RUNNING"):
        message = f"A bulk operation cannot be canceled when it is {found['status'].lower()}"
        return {"bulkOperation": found, "userErrors": [problem(message)]}
    found |= {"status": "CANCELING", "updatedAt": ask.time}
    ask.things.put("bulk", found)
    return {"bulkOperation": found, "userErrors": []}


RESOLVERS: dict[str, dict[str, Any]] = {
    "QueryRoot": {"bulkOperation": operation, "bulkOperations": operations, "currentBulkOperation": current},
    "Mutation": {"bulkOperationRunQuery": run, "bulkOperationCancel": cancel},
}
