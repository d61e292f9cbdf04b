"""Products, variants and how many there are of them."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLResolveInfo

from smsflow_plugin.integrations.simulator.shopify_api.asking import asking, number_in
from smsflow_plugin.integrations.simulator.shopify_api.pages import connection, listed
from smsflow_plugin.integrations.simulator.shopify_api.resolve_nodes import item_of
from smsflow_plugin.integrations.simulator.shopify_api.storage import Doc

Info = GraphQLResolveInfo


def location_of(shop: Doc) -> Doc:
    """The one place where a simulated shop keeps its goods."""
    return {"id": shop["location"], "name": "Shop location", "isActive": True}


def product(_source: Any, info: Info, id: str) -> Doc | None:
    return asking(info).things.get("product", number_in(id, "Product"))


def variant(_source: Any, info: Info, id: str) -> Doc | None:
    return asking(info).things.get("variant", number_in(id, "ProductVariant"))


def products(_source: Any, info: Info, **args: Any) -> Doc:
    return connection(info, "product", args)


def variants(_source: Any, info: Info, **args: Any) -> Doc:
    return connection(info, "variant", args)


def variants_of(source: Doc, info: Info, **args: Any) -> Doc:
    return connection(info, "variant", args, extra=("parent = ?", [source["id"]]))


def item(_source: Any, info: Info, id: str) -> Doc | None:
    found = asking(info).things.by_key("variant", str(number_in(id, "InventoryItem")))
    return item_of(found) if found else None


def _level(source: Doc, info: Info) -> Doc:
    location = location_of(asking(info).shop)
    return {
        "id": f"gid://shopify/InventoryLevel/{location['id']}?inventory_item_id={source['id']}",
        "isActive": True,
        "item": source,
        "location": location,
        "updatedAt": source["updatedAt"],
        "available": source["variant"]["available"],
    }


def level(source: Doc, info: Info, locationId: str, **_args: Any) -> Doc | None:
    here = _level(source, info)
    return here if number_in(locationId, "Location") == here["location"]["id"] else None


def levels(source: Doc, info: Info, **args: Any) -> Doc:
    return listed(info, [_level(source, info)], args)


def quantities(source: Doc, _info: Info, names: list[str]) -> list[Doc]:
    known = {"available": source["available"], "on_hand": source["available"]}
    return [
        {"id": f"{source['id']}&name={name}", "name": name, "quantity": known.get(name, 0), "updatedAt": None}
        for name in names
    ]


def locations(_source: Any, info: Info, **args: Any) -> Doc:
    return listed(info, [location_of(asking(info).shop)], args)


def total(source: Doc, info: Info) -> int:
    return sum(one["available"] for one in asking(info).things.children("variant", source["id"]))


RESOLVERS: dict[str, dict[str, Any]] = {
    "QueryRoot": {
        "product": product,
        "productVariant": variant,
        "products": products,
        "productVariants": variants,
        "inventoryItem": item,
        "locations": locations,
    },
    "Product": {
        "onlineStoreUrl": lambda source, info: f"https://{asking(info).shop['domain']}/products/{source['handle']}",
        "productType": lambda _source, _info: "",
        "publishedAt": lambda source, _info: source["createdAt"],
        "totalInventory": total,
        "variants": variants_of,
        "vendor": lambda _source, info: asking(info).shop["name"],
    },
    "ProductVariant": {
        "availableForSale": lambda source, _info: source["available"] > 0 or source["policy"] == "CONTINUE",
        "displayName": lambda source, _info: source["displayName"],
        "inventoryItem": lambda source, _info: item_of(source),
        "inventoryPolicy": lambda source, _info: source["policy"],
        "inventoryQuantity": lambda source, _info: source["available"],
        "product": lambda source, info: asking(info).things.get("product", source["product"]),
        "sellableOnlineQuantity": lambda source, _info: source["available"],
    },
    "InventoryItem": {
        "inventoryLevel": level,
        "inventoryLevels": levels,
        "variant": lambda source, _info: source["variant"],
        "variants": lambda source, info, **args: listed(info, [source["variant"]], args),
    },
    "InventoryLevel": {"quantities": quantities},
}
