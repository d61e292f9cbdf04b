"""Orders and abandoned checkouts."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from graphql import FieldNode, GraphQLResolveInfo

from smsflow_plugin.integrations.simulator.shopify_api.asking import asking, number_in
from smsflow_plugin.integrations.simulator.shopify_api.pages import connection, counted, listed
from smsflow_plugin.integrations.simulator.shopify_api.search import Condition
from smsflow_plugin.integrations.simulator.shopify_api.storage import Doc
from smsflow_plugin.integrations.simulator.shopify_api.values import money

Info = GraphQLResolveInfo

#: Older orders are seen with ``read_all_orders`` only.
RECENT = 60 * 86_400


def _seen(info: Info) -> Condition:
    ask = asking(info)
    return ("1", []) if "read_all_orders" in ask.scopes else ("created_at >= ?", [ask.now - RECENT])


def order(_source: Any, info: Info, id: str) -> Doc | None:
    number = number_in(id, "Order")
    condition, values = _seen(info)
    seen = asking(info).things.count("order", f"id = ? AND {condition}", [number, *values])
    return asking(info).things.get("order", number) if seen else None


def orders(_source: Any, info: Info, **args: Any) -> Doc:
    return connection(info, "order", args, extra=_seen(info))


def orders_count(_source: Any, info: Info, **args: Any) -> Doc:
    return counted(info, "order", args, extra=_seen(info))


def checkouts(_source: Any, info: Info, **args: Any) -> Doc:
    return connection(info, "checkout", args)


def person(source: Doc, info: Info) -> Doc | None:
    number = source["customer"]
    if number is not None and _only_id(info):
        return {"id": number}  # most ask for no more, and an import asks it a hundred thousand times
    return asking(info).things.get("customer", number)


def _money(name: str) -> Callable[[Doc, Info], Doc]:
    return lambda source, info: bag(info, source[name])


def bag(info: Info, amount: str | Decimal) -> Doc:
    one = {"amount": money(Decimal(amount)), "currencyCode": asking(info).shop["currency"]}
    return {"shopMoney": one, "presentmentMoney": one}


def _line_total(source: Doc, info: Info) -> Doc:
    return bag(info, Decimal(source["price"]) * source["quantity"])


def lines(source: Doc, info: Info, **args: Any) -> Doc:
    return listed(info, source["lines"], args)


def _of_line(kind: str) -> Callable[[Doc, Info], Doc | None]:
    def resolve(source: Doc, info: Info) -> Doc | None:
        return {"id": source[kind]} if _only_id(info) else asking(info).things.get(kind, source[kind])

    return resolve


def _only_id(info: Info) -> bool:
    sets = [node.selection_set for node in info.field_nodes if node.selection_set]
    selected = [one for part in sets for one in part.selections]
    return all(isinstance(one, FieldNode) and one.name.value == "id" for one in selected)


def fulfillments(source: Doc, _info: Info, first: int | None = None) -> list[Doc]:
    found: list[Doc] = source["fulfillments"]
    return found[:first]


def refunds(source: Doc, _info: Info, first: int | None = None) -> list[Doc]:
    found: list[Doc] = source["refunds"]
    return found[:first]


_LINE: dict[str, Any] = {
    "product": _of_line("product"),
    "variant": _of_line("variant"),
    "originalUnitPriceSet": _money("price"),
    "discountedUnitPriceSet": _money("price"),
    "originalTotalSet": _line_total,
    "discountedTotalSet": _line_total,
    "currentQuantity": lambda source, _info: source["quantity"],
    "name": lambda source, _info: " - ".join(one for one in (source["title"], source["variantTitle"]) if one),
    "vendor": lambda _source, info: asking(info).shop["name"],
}

RESOLVERS: dict[str, dict[str, Any]] = {
    "QueryRoot": {
        "order": order,
        "orders": orders,
        "ordersCount": orders_count,
        "abandonedCheckouts": checkouts,
    },
    "Order": {
        "billingAddress": lambda source, _info: source["address"] and {**source["address"], "id": source["id"]},
        "shippingAddress": lambda source, _info: source["address"] and {**source["address"], "id": source["id"]},
        "closed": lambda source, _info: source["closedAt"] is not None,
        "confirmed": lambda _source, _info: True,
        "currencyCode": lambda _source, info: asking(info).shop["currency"],
        "currentTotalPriceSet": _money("total"),
        "customer": person,
        "customerLocale": lambda _source, info: asking(info).shop["language"],
        "discountCode": lambda source, _info: source["discountCodes"][0] if source["discountCodes"] else None,
        "displayFinancialStatus": lambda source, _info: source["financial"],
        "displayFulfillmentStatus": lambda source, _info: source["fulfillment"],
        "fulfillments": fulfillments,
        "fullyPaid": lambda source, _info: source["financial"] == "PAID",
        "unpaid": lambda source, _info: source["financial"] == "PENDING",
        "lineItems": lines,
        "refunds": refunds,
        "statusPageUrl": lambda source, info, **_args: (
            f"https://{asking(info).shop['domain']}/orders/{source['token']}/authenticate?key=simulated"
        ),
        "subtotalPriceSet": _money("subtotal"),
        "totalDiscountsSet": _money("discount"),
        "totalPriceSet": _money("total"),
        "totalRefundedSet": _money("refunded"),
        "totalShippingPriceSet": lambda _source, info: bag(info, "0"),
    },
    "LineItem": _LINE,
    "Refund": {"totalRefundedSet": _money("total")},
    "AbandonedCheckout": {
        "abandonedCheckoutUrl": lambda source, info: (
            f"https://{asking(info).shop['domain']}/checkouts/{source['token']}/recover?key=simulated"
        ),
        "customer": person,
        "defaultCursor": lambda source, _info: str(source["id"]),
        "discountCodes": lambda _source, _info: [],
        "lineItems": lines,
        "note": lambda _source, _info: "",
        "shippingAddress": lambda source, _info: source["address"] and {**source["address"], "id": source["id"]},
        "subtotalPriceSet": _money("total"),
        "totalDiscountSet": lambda _source, info: bag(info, "0"),
        "totalLineItemsPriceSet": _money("total"),
        "totalPriceSet": _money("total"),
    },
    "AbandonedCheckoutLineItem": {name: _LINE[name] for name in ("product", "variant", "originalUnitPriceSet")},
}
