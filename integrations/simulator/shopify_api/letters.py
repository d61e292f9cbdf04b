"""What the stand-in Shopify writes in its webhooks, from what it remembers. REST shapes; the time is given. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from smsflow_plugin.integrations.simulator import payloads, product_payloads
from smsflow_plugin.integrations.simulator.goods import Article
from smsflow_plugin.integrations.simulator.payload_parts import (
    Cart,
    Customer,
    Payload,
    ShopInfo,
    checkout_line,
    customer_of,
    money_set,
)
from smsflow_plugin.integrations.simulator.shopify_api.values import gid, seconds_of

Doc = dict[str, Any]

#: An order's number is its id without this; see ``payload_parts.Cart``.
FIRST_ORDER = 5_610_000_000_000


def moment(text: str) -> datetime:
    return datetime.fromtimestamp(seconds_of(text), UTC)


def info(shop: Doc) -> ShopInfo:
    return ShopInfo(
        domain=shop["domain"],
        name=shop["name"],
        currency=shop["currency"],
        country=shop["country"],
        timezone=shop["timezone"],
        language=shop["language"],
    )


def address(
    *,
    address1: str = "1 Simulated Street",
    city: str = "Sampletown",
    zip: str = "",
    provinceCode: str = "",
    countryCode: str = "US",
    timeZone: str | None = None,
    **more: str,
) -> Doc:
    """An address as GraphQL shows it."""
    return {
        "address1": address1,
        "city": city,
        "country": more.get("country", countryCode),
        "countryCodeV2": countryCode,
        "province": provinceCode or None,
        "provinceCode": provinceCode or None,
        "zip": zip or None,
        "timeZone": timeZone,
        "phone": more.get("phone"),
    }


def someone(person: Doc) -> Customer:
    place = person["address"] or {}
    return Customer(
        id=person["id"],
        first_name=person["firstName"] or "",
        last_name=person["lastName"] or "",
        email=person["email"] or "",
        phone=person["phone"] or "",
        country=place.get("countryCodeV2") or "US",
        province=place.get("provinceCode") or "",
        postcode=place.get("zip") or "",
    )


def article(line: Doc) -> Article:
    return Article(
        product_id=line["product"],
        variant_id=line["variant"],
        sku=line["sku"] or "",
        title=line["title"],
        variant=line["variantTitle"] or "",
        price=Decimal(line["price"]),
        grams=line.get("grams", 100),
    )


def cart_of(thing: Doc) -> Cart:
    """The cart behind a checkout or an order."""
    return Cart(
        token=thing.get("checkoutToken") or thing["token"],
        number=thing["number"],
        articles=tuple(article(line) for line in thing["lines"]),
        started_at=moment(thing["createdAt"]),
        code=thing.get("discountCodes", [""])[0] if thing.get("discountCodes") else "",
        discount=Decimal(thing.get("discount", "0")),
    )


def customer(shop: Doc, person: Doc) -> Payload:
    """``customers/create`` and ``customers/update``."""
    there = info(shop)
    payload = customer_of(there, someone(person))
    payload |= {"phone": person["phone"], "note": person["note"], "addresses": []}
    if not person["address"]:
        payload["default_address"] = None
    return payload | {
        "created_at": there.time(moment(person["createdAt"])),
        "updated_at": there.time(moment(person["updatedAt"])),
    }


def consent(shop: Doc, person: Doc) -> Payload:
    """``customers_marketing_consent/update``."""
    sms = person["sms"]
    at = moment(sms["at"] or person["updatedAt"])
    payload = payloads.consent_updated(info(shop), someone(person), at, state=sms["state"].lower())
    payload["phone"] = person["phone"]
    payload["sms_marketing_consent"] |= {
        "opt_in_level": (sms["level"] or "unknown").lower(),
        "consent_collected_from": sms["from"],
    }
    return payload


def tags(person: Doc, names: list[str], now: float) -> Payload:
    return product_payloads.tags(someone(person), names, datetime.fromtimestamp(now, UTC))


def cart(shop: Doc, thing: Doc) -> Payload:
    """``carts/create`` and ``carts/update``: nobody knows whose it is."""
    there, bought = info(shop), cart_of(thing)
    lines = [
        {
            "id": one.variant_id,
            "quantity": 1,
            "variant_id": one.variant_id,
            "key": f"{one.variant_id}:{bought.token}",
            "product_id": one.product_id,
            "sku": one.sku,
            "title": one.name,
            "grams": one.grams,
            "price": f"{one.price:.2f}",
            "line_price": f"{one.price:.2f}",
            "price_set": money_set(there, one.price),
            "properties": None,
            "vendor": shop["name"],
        }
        for one in bought.articles
    ]
    token = f"cart{bought.token}"
    return {
        "id": token,
        "token": token,
        "line_items": lines,
        "note": None,
        "updated_at": there.time(moment(thing["updatedAt"])),
        "created_at": there.time(bought.started_at),
    }


def checkout(shop: Doc, person: Doc | None, thing: Doc, *, with_address: bool = True) -> Payload:
    there = info(shop)
    who = someone(person) if person else Customer(0, "", "", "", "", shop["country"])
    payload = payloads.checkout(
        there, who, cart_of(thing), moment(thing["updatedAt"]), with_address=with_address and person is not None
    )
    if person is None:
        payload |= {"customer": None, "email": None}
    payload["line_items"] = [checkout_line(article(line)) for line in thing["lines"]]
    if thing.get("sms_phone"):
        payload |= {"buyer_accepts_sms_marketing": True, "sms_marketing_phone": thing["sms_phone"]}
    if thing["completedAt"]:
        payload["completed_at"] = there.time(moment(thing["completedAt"]))
    return payload


def order(shop: Doc, person: Doc, thing: Doc) -> Payload:
    payload = payloads.order(
        info(shop),
        someone(person),
        cart_of(thing),
        moment(thing["createdAt"]),
        moment(thing["updatedAt"]),
        paid=thing["financial"] != "PENDING",
        cancelled=thing["cancelledAt"] is not None,
    )
    return payload | {
        "test": thing["test"],
        "source_name": thing["sourceName"],
        "tags": ", ".join(thing["tags"]),
        "financial_status": thing["financial"].lower(),
        "fulfillment_status": "fulfilled" if thing["fulfillment"] == "FULFILLED" else None,
    }


def fulfillment(shop: Doc, person: Doc, thing: Doc, now: float) -> Payload:
    return payloads.fulfillment(info(shop), someone(person), cart_of(thing), datetime.fromtimestamp(now, UTC))


def fulfillment_event(shop: Doc, person: Doc, thing: Doc, now: float, status: str) -> Payload:
    at = datetime.fromtimestamp(now, UTC)
    return payloads.fulfillment_event(info(shop), someone(person), cart_of(thing), at, status=status)


def refund(shop: Doc, thing: Doc, now: float) -> Payload:
    return product_payloads.refund(info(shop), cart_of(thing), datetime.fromtimestamp(now, UTC))


def product(shop: Doc, goods: Doc, variant: Doc) -> Payload:
    """``products/update``."""
    sold = Article(
        goods["id"],
        variant["id"],
        variant["sku"] or "",
        goods["title"],
        "" if variant["title"] == "Default Title" else variant["title"],
        Decimal(variant["price"]),
        variant["grams"],
    )
    price = Decimal(variant["price"])
    at = moment(variant["updatedAt"])
    payload = product_payloads.product(info(shop), sold, at, price=price, available=variant["available"])
    payload["handle"] = goods["handle"]
    payload["variant_gids"] = [
        {"admin_graphql_api_id": gid("ProductVariant", variant["id"]), "updated_at": info(shop).time(at)}
    ]
    payload["variants"][0] |= {"inventory_item_id": variant["item"], "compare_at_price": variant["compareAtPrice"]}
    return payload


def variant_alone(shop: Doc, goods: Doc, variant: Doc, *, before: int) -> Payload:
    """``variants/in_stock`` and ``variants/out_of_stock``: the variant does not name its inventory item here."""
    payload: Payload = product(shop, goods, variant)["variants"][0]
    del payload["inventory_item_id"]
    return payload | {"old_inventory_quantity": before}


def inventory_level(shop: Doc, variant: Doc) -> Payload:
    location, item = shop["location"], variant["item"]
    return {
        "inventory_item_id": item,
        "location_id": location,
        "available": variant["available"],
        "updated_at": info(shop).time(moment(variant["updatedAt"])),
        "admin_graphql_api_id": f"gid://shopify/InventoryLevel/{location}?inventory_item_id={item}",
    }


def bulk_finished(shop: Doc, operation: Doc) -> Payload:
    there = info(shop)
    return {
        "admin_graphql_api_id": gid("BulkOperation", operation["id"]),
        "completed_at": there.time(moment(operation["completedAt"])) if operation["completedAt"] else None,
        "created_at": there.time(moment(operation["createdAt"])),
        "error_code": operation["errorCode"].lower() if operation["errorCode"] else None,
        "status": operation["status"].lower(),
        "type": "query",
    }


def shop(shop: Doc) -> Payload:
    """``app/uninstalled`` and ``shop/update``."""
    return {
        "id": shop["number"],
        "name": shop["name"],
        "email": f"owner@{shop['domain']}",
        "domain": shop["domain"],
        "myshopify_domain": shop["domain"],
        "country": shop["country"],
        "country_code": shop["country"],
        "currency": shop["currency"],
        "iana_timezone": shop["timezone"],
        "plan_display_name": shop["plan"],
        "primary_locale": shop["language"],
        "shop_owner": "Shop Owner",
        "created_at": shop["createdAt"],
    }


def scopes(shop: Doc, app: Doc, now: float, before: list[str], after: list[str]) -> Payload:
    """``app/scopes_update``."""
    return {
        "id": app["number"],
        "previous": before,
        "current": after,
        "shop_id": gid("Shop", shop["number"]),
        "updated_at": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def shop_redact(shop: Doc) -> Payload:
    """``shop/redact``, and the beginning of the other two duties."""
    return {"shop_id": shop["number"], "shop_domain": shop["domain"]}


def duty(shop: Doc, topic: str, person: Doc, orders: list[int]) -> Payload:
    """``customers/data_request`` and ``customers/redact``."""
    who = {"id": person["id"], "email": person["email"], "phone": person["phone"]}
    payload = {**shop_redact(shop), "customer": who}
    if topic == "customers/redact":
        return payload | {"orders_to_redact": orders}
    return payload | {"orders_requested": orders, "data_request": {"id": person["id"] + 1}}


def selected(payload: Payload, fields: list[str]) -> Payload:
    """Return what ``includeFields`` leaves of a payload: by name, or by path with dots."""
    if not fields:
        return payload
    left: Payload = {}
    for path in fields:
        _copy(payload, left, path.split("."))
    return left


def _copy(source: Payload, target: Payload, path: list[str]) -> None:
    name, rest = path[0], path[1:]
    if name not in source:
        return
    value = source[name]
    if rest and isinstance(value, dict):
        _copy(value, target.setdefault(name, {}), rest)
    elif rest and isinstance(value, list):
        pieces = target.setdefault(name, [{} for _one in value])
        for one, piece in zip(value, pieces, strict=True):
            if isinstance(one, dict):
                _copy(one, piece, rest)
    else:
        target[name] = value
