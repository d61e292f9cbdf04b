"""``node`` and ``nodes``: anything by its id; and the metafields that hang on it."""

from __future__ import annotations

import hashlib
from typing import Any

from graphql import GraphQLResolveInfo

from smsflow_plugin.integrations.simulator.shopify_api.asking import (
    Asking,
    asking,
    number_in,
    problem,
    refuse_long_input,
)
from smsflow_plugin.integrations.simulator.shopify_api.scopes import BY_KIND
from smsflow_plugin.integrations.simulator.shopify_api.storage import Doc
from smsflow_plugin.integrations.simulator.shopify_api.values import read_gid

Info = GraphQLResolveInfo

#: Where the things of a GraphQL type are kept.
KINDS = {
    "Customer": "customer",
    "Order": "order",
    "AbandonedCheckout": "checkout",
    "Product": "product",
    "ProductVariant": "variant",
    "InventoryItem": "variant",
    "DiscountCodeNode": "discount",
    "DiscountRedeemCodeBulkCreation": "code_batch",
    "WebhookSubscription": "webhook",
    "BulkOperation": "bulk",
    "WebPixel": "pixel",
}
TAGGED = ("customer", "order", "product")
MOST_METAFIELDS = 25


def item_of(variant: Doc) -> Doc:
    """The inventory item behind a variant."""
    return {
        "id": variant["item"],
        "variant": variant,
        "sku": variant["sku"],
        "tracked": True,
        "requiresShipping": True,
        "createdAt": variant["createdAt"],
        "updatedAt": variant["updatedAt"],
    }


def find(ask: Asking, identifier: str, verb: str = "read") -> Doc | None:
    """Return the thing behind an id, if the app may see it.

    :raises GraphQLError: for what is no id, or not the app's to see.
    """
    number_in(identifier)
    kind, number = read_gid(identifier)
    if kind not in KINDS:
        return None
    if group := BY_KIND.get(kind):
        ask.need(f"{verb}_{group}", "node")
    if kind == "InventoryItem":
        variant = ask.things.by_key("variant", str(number))
        return {**item_of(variant), "_kind": "item", "__typename": kind} if variant else None
    found = ask.things.get(KINDS[kind], number)
    if found is None or found.get("app", ask.app) != ask.app:
        return None
    return {**found, "_kind": KINDS[kind], "__typename": kind}


def node(_source: Any, info: Info, id: str) -> Doc | None:
    return find(asking(info), id)


def nodes(_source: Any, info: Info, ids: list[str]) -> list[Doc | None]:
    refuse_long_input(ids)
    return [find(asking(info), one) for one in ids]


def _full_namespace(ask: Asking, namespace: str) -> str:
    """``$app`` is the app's own corner."""
    return namespace.replace("$app", f"app--{ask.app_doc['number']}", 1).replace(":", "--", 1)


def metafields_set(_source: Any, info: Info, metafields: list[Doc]) -> Doc:
    ask = asking(info)
    if len(metafields) > MOST_METAFIELDS:
        message = f"Exceeded the maximum metafields input limit of {MOST_METAFIELDS}."
        return {"metafields": [], "userErrors": [problem(message, "metafields", code="LESS_THAN_OR_EQUAL_TO")]}
    errors, written = [], []
    for place, given in enumerate(metafields):
        owner = find(ask, given["ownerId"], "write")
        namespace = _full_namespace(ask, given.get("namespace") or "$app")
        if owner is None:
            path = ("metafields", str(place), "ownerId")
            errors.append(problem("Owner does not exist.", *path, code="INVALID", elementIndex=place))
            continue
        old = ask.things.by_key("metafield", f"{given['ownerId']}|{namespace}|{given['key']}")
        if "compareDigest" in given and given["compareDigest"] != (old["compareDigest"] if old else None):
            path = ("metafields", str(place), "compareDigest")
            message = (
                "The resource has been updated since it was loaded. Try again with an updated `compareDigest` value."
            )
            errors.append(problem(message, *path, code="STALE_OBJECT", elementIndex=place))
            continue
        written.append(
            {
                "id": old["id"] if old else ask.things.next_id("metafield") + len(written),
                "owner": given["ownerId"],
                "namespace": namespace,
                "key": given["key"],
                "type": given.get("type") or (old["type"] if old else "single_line_text_field"),
                "value": given["value"],
                "compareDigest": hashlib.sha256(given["value"].encode()).hexdigest(),
                "createdAt": old["createdAt"] if old else ask.time,
                "updatedAt": ask.time,
            }
        )
    if errors:  # all or none
        return {"metafields": [], "userErrors": errors}
    ask.things.put_all("metafield", written)
    return {"metafields": written, "userErrors": []}


def metafield(source: Doc, info: Info, key: str, namespace: str | None = None) -> Doc | None:
    ask = asking(info)
    owner = f"gid://shopify/{info.parent_type.name}/{source['id']}"
    return ask.things.by_key("metafield", f"{owner}|{_full_namespace(ask, namespace or '$app')}|{key}")


RESOLVERS: dict[str, dict[str, Any]] = {
    "QueryRoot": {"node": node, "nodes": nodes},
    "Mutation": {"metafieldsSet": metafields_set},
    "Customer": {"metafield": metafield},
}
