"""What people and the merchant do in a shop, so that the app hears of it."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from smsflow_plugin.integrations.simulator.shopify_api import letters
from smsflow_plugin.integrations.simulator.shopify_api.resolve_people import new_customer
from smsflow_plugin.integrations.simulator.shopify_api.storage import Doc, Things
from smsflow_plugin.integrations.simulator.shopify_api.values import iso, money

if TYPE_CHECKING:
    from smsflow_plugin.integrations.simulator.shopify_api.world import Shops

#: No two shops share an order's number, so that a mix-up shows.
NUMBERS_OF_A_SHOP = 10_000_000


class NotPossible(Exception):
    """The shop has nothing with which this could be done; the message says what is missing."""


class Doings:
    """One shop's door to the street. Every method returns what it made or changed, as the shop remembers it."""

    def __init__(self, shops: Shops, domain: str) -> None:
        self._shops = shops
        self.shop = shops.need_shop(domain)
        self.things = Things(shops.database, self.shop["number"])

    # People -------------------------------------------------------------------------------------

    def add_customer(self, **values: Any) -> Doc:
        """``firstName``, ``phone``, ``email``, ``tags``, ``address`` and the rest of what GraphQL shows."""
        with self._shops.database.transaction():
            person = new_customer(self.things.next_id("customer"), self._time, **values)
            self.things.put("customer", person)
            self._tell("customers/create", letters.customer(self.shop, person))
        return person

    def change_customer(self, customer: int, **values: Any) -> Doc:
        person = self._need("customer", customer)
        before = set(person["tags"])
        with self._shops.database.transaction():
            person |= {**values, "updatedAt": self._time}
            self.things.put("customer", person)
            self._tell("customers/update", letters.customer(self.shop, person))
            after = set(person["tags"])
            for topic, names in (("customer.tags_added", after - before), ("customer.tags_removed", before - after)):
                if names:
                    self._tell(topic, letters.tags(person, sorted(names), self._now))
        return person

    def set_consent(self, customer: int, state: str, *, level: str = "SINGLE_OPT_IN") -> Doc:
        """``state`` is SUBSCRIBED, PENDING, UNSUBSCRIBED … as GraphQL writes it."""
        person = self._need("customer", customer)
        sms = {"state": state, "level": level, "at": self._time, "from": "SHOPIFY"}
        with self._shops.database.transaction():
            person |= {"sms": sms, "updatedAt": self._time}
            self.things.put("customer", person)
            self._tell("customers_marketing_consent/update", letters.consent(self.shop, person))
        return person

    # Buying -------------------------------------------------------------------------------------

    def change_cart(self, *, token: str = "", variants: list[int] | None = None) -> Doc:
        """Somebody unknown fills a cart: ``carts/create``, or ``carts/update`` for a token that is known."""
        new = not token
        thing = self._cart(token or secrets.token_hex(12), variants)
        self._tell("carts/create" if new else "carts/update", letters.cart(self.shop, thing))
        return thing

    def abandon_checkout(
        self,
        customer: int | None = None,
        *,
        token: str = "",
        variants: list[int] | None = None,
        agrees_with: str = "",
    ) -> Doc:
        """Fill a cart, go to the checkout, and leave. ``agrees_with`` is the number in a ticked box for texts."""
        person = self._need("customer", customer) if customer is not None else None
        with self._shops.database.transaction():
            thing = {
                **self._cart(token or secrets.token_hex(12), variants),
                "id": self.things.next_id("checkout"),
                "customer": customer,
                "email": person["email"] if person else None,
                "address": person["address"] if person else None,
                "completedAt": None,
                "sms_phone": agrees_with,
            }
            thing["name"] = f"#{thing['id']}"
            self.things.put("checkout", thing)
            self._tell("checkouts/create", letters.checkout(self.shop, person, thing, with_address=False))
            self._tell("checkouts/update", letters.checkout(self.shop, person, thing))
        return thing

    def place_order(
        self,
        customer: int,
        *,
        checkout: str = "",
        variants: list[int] | None = None,
        code: str = "",
        paid: bool = True,
        test: bool = False,
        source: str = "web",
    ) -> Doc:
        """Buy what a checkout (by its token) holds, or something else. ``code`` takes off what its discount says."""
        person = self._need("customer", customer)
        with self._shops.database.transaction():
            left = self.things.by_key("checkout", checkout) if checkout else None
            basket = left or self._cart(secrets.token_hex(12), variants)
            number = self._next_number()
            lines = [{**one, "id": (letters.FIRST_ORDER + number) * 10 + n} for n, one in enumerate(basket["lines"])]
            thing = self._order(person, number, basket["token"], lines, code)
            thing |= {"financial": "PAID" if paid else "PENDING", "test": test, "sourceName": source}
            self.things.put("order", thing)
            if left is not None:
                self._complete(left)
            self._count_order(person, thing)
            self._take_from_shelf(lines)
            payload = letters.order(self.shop, person, thing)
            self._tell("orders/create", payload)
            if paid:
                self._tell("orders/paid", payload)
        return thing

    def cancel_order(self, order: int) -> Doc:
        thing = self._need("order", order) | {"cancelledAt": self._time, "cancelReason": "CUSTOMER"}
        return self._change_order(thing, "orders/cancelled", financial="REFUNDED")

    def refund_order(self, order: int) -> Doc:
        thing = self._need("order", order)
        money_back = {"id": thing["id"] * 10 + 9, "note": None, "total": thing["total"]}
        money_back |= {"createdAt": self._time, "updatedAt": self._time}
        thing |= {"refunds": [*thing["refunds"], money_back], "refunded": thing["total"]}
        self._tell("refunds/create", letters.refund(self.shop, thing, self._now))
        return self._change_order(thing, "orders/updated", financial="REFUNDED")

    def send_parcel(self, order: int) -> Doc:
        thing = self._need("order", order)
        cart, person = letters.cart_of(thing), self._person(thing)
        parcel = {
            "id": cart.fulfillment_id,
            "name": f"{thing['name']}.1",
            "status": "SUCCESS",
            "displayStatus": "IN_TRANSIT",
            "trackingInfo": [{"company": "UPS", "number": cart.tracking_number, "url": None}],
            "deliveredAt": None,
            "estimatedDeliveryAt": None,
            "createdAt": self._time,
            "updatedAt": self._time,
        }
        thing |= {"fulfillments": [*thing["fulfillments"], parcel], "fulfillment": "FULFILLED"}
        self._tell("fulfillments/create", letters.fulfillment(self.shop, person, thing, self._now))
        moved = letters.fulfillment_event(self.shop, person, thing, self._now, "in_transit")
        self._tell("fulfillment_events/create", moved)
        return self._change_order(thing, "orders/updated")

    def move_parcel(self, order: int, status: str = "delivered") -> Doc:
        """``status`` is ``in_transit``, ``out_for_delivery`` or ``delivered``."""
        thing = self._need("order", order)
        if not thing["fulfillments"]:
            raise NotPossible("The order has no parcel yet.")
        thing["fulfillments"][-1] |= {"displayStatus": status.upper(), "updatedAt": self._time}
        if status == "delivered":
            thing["fulfillments"][-1]["deliveredAt"] = self._time
        self.things.put("order", thing)
        moved = letters.fulfillment_event(self.shop, self._person(thing), thing, self._now, status)
        self._tell("fulfillment_events/create", moved)
        return thing

    # The shelf ----------------------------------------------------------------------------------

    def set_stock(self, variant: int, available: int) -> Doc:
        """Count again: ``inventory_levels/update``, and ``variants/in_stock`` or ``…/out_of_stock`` at the turn."""
        thing = self._need("variant", variant)
        before = thing["available"]
        thing |= {"available": available, "updatedAt": self._time}
        with self._shops.database.transaction():
            self.things.put("variant", thing)
            self._tell("inventory_levels/update", letters.inventory_level(self.shop, thing))
            if (before > 0) != (available > 0):
                goods = self._need("product", thing["product"])
                topic = "variants/in_stock" if available > 0 else "variants/out_of_stock"
                self._tell(topic, letters.variant_alone(self.shop, goods, thing, before=before))
        return thing

    def set_price(self, variant: int, price: str, *, compare_at: str | None = None) -> Doc:
        thing = self._need("variant", variant) | {"price": price, "compareAtPrice": compare_at}
        thing["updatedAt"] = self._time
        with self._shops.database.transaction():
            self.things.put("variant", thing)
            goods = self._need("product", thing["product"]) | {"updatedAt": self._time}
            self.things.put("product", goods)
            self._tell("products/update", letters.product(self.shop, goods, thing))
        return thing

    def variants(self) -> list[Doc]:
        return self.things.all("variant")

    # The app's duties ---------------------------------------------------------------------------

    def uninstall(self, client_id: str) -> None:
        self._shops.uninstall(self.shop["domain"], client_id)

    def request_data(self, customer: int) -> None:
        self._demand("customers/data_request", customer)

    def redact_customer(self, customer: int) -> None:
        self._demand("customers/redact", customer)

    def redact_shop(self, client_id: str) -> None:
        """Comes 48 hours after an app was uninstalled."""
        app = self._shops.tokens.app(client_id)
        if app and app["compliance_url"]:
            payload = letters.shop_redact(self.shop)
            self._shops.courier.tell_app(self.shop, client_id, app["compliance_url"], "shop/redact", payload)

    def _demand(self, topic: str, customer: int) -> None:
        person = self._need("customer", customer)
        orders = [one["id"] for one in self.things.children("order", customer)]
        payload = letters.duty(self.shop, topic, person, orders)
        for app in self._shops.installed(self.shop["number"]):
            if app["compliance_url"]:
                self._shops.courier.tell_app(self.shop, app["client_id"], app["compliance_url"], topic, payload)

    # Pieces -------------------------------------------------------------------------------------

    @property
    def _now(self) -> float:
        return self._shops.clock.now()

    @property
    def _time(self) -> str:
        return iso(self._now)

    def _tell(self, topic: str, payload: Doc) -> None:
        self._shops.courier.tell(self.shop, topic, payload)

    def _need(self, kind: str, number: int) -> Doc:
        found = self.things.get(kind, number)
        if found is None:
            raise NotPossible(f"The shop has no {kind} {number}.")
        return found

    def _person(self, thing: Doc) -> Doc:
        return self._need("customer", thing["customer"])

    def _next_number(self) -> int:
        rows = self.things.select("order", "1", [], "id DESC", 1)
        last = rows[0]["id"] - letters.FIRST_ORDER if rows else self.shop["number"] * NUMBERS_OF_A_SHOP
        return int(last) + 1

    def _cart(self, token: str, variants: list[int] | None) -> Doc:
        chosen = [self._need("variant", one) for one in variants] if variants else self.variants()[:2]
        if not chosen:
            raise NotPossible("The shop sells nothing.")
        lines = [self._line(one, place) for place, one in enumerate(chosen)]
        total = sum((Decimal(one["price"]) for one in lines), Decimal(0))
        return {
            "token": token,
            "number": self.things.count("checkout") + 1,
            "lines": lines,
            "total": money(total),
            "createdAt": self._time,
            "updatedAt": self._time,
        }

    def _line(self, variant: Doc, place: int) -> Doc:
        goods = self._need("product", variant["product"])
        return {
            "id": variant["id"] * 10 + place,
            "product": goods["id"],
            "variant": variant["id"],
            "title": goods["title"],
            "variantTitle": None if variant["title"] == "Default Title" else variant["title"],
            "sku": variant["sku"],
            "price": variant["price"],
            "quantity": 1,
            "grams": variant["grams"],
        }

    def _order(self, person: Doc, number: int, token: str, lines: list[Doc], code: str) -> Doc:
        subtotal = sum((Decimal(one["price"]) for one in lines), Decimal(0))
        off = self._taken_off(code, subtotal) if code else Decimal(0)
        return blank_order(number, self._time) | {
            "customer": person["id"],
            "email": person["email"],
            "phone": person["phone"],
            "address": person["address"],
            "lines": lines,
            "subtotal": money(subtotal),
            "discount": money(off),
            "total": money(subtotal - off),
            "discountCodes": [code] if code else [],
            "checkoutToken": token,
            "cartToken": f"cart{token}",
            "token": token[::-1],
        }

    def _taken_off(self, code: str, subtotal: Decimal) -> Decimal:
        found = self.things.by_key("code", code.upper())
        if found is None:
            raise NotPossible(f"The shop does not know the code {code}.")
        discount = self._need("discount", found["discount"])
        if discount["usageLimit"] is not None and found["usage"] >= discount["usageLimit"]:
            raise NotPossible(f"The code {code} has been used.")
        if discount["endsAt"] and discount["endsAt"] <= self._time:
            raise NotPossible(f"The code {code} is no longer valid.")
        self.things.put("code", found | {"usage": found["usage"] + 1, "updatedAt": self._time})
        value = (discount["said"].get("customerGets") or {}).get("value") or {}
        if value.get("percentage"):
            return (subtotal * Decimal(str(value["percentage"]))).quantize(Decimal("0.01"))
        return min(subtotal, Decimal(str((value.get("discountAmount") or {}).get("amount") or 0)))

    def _complete(self, checkout: Doc) -> None:
        self.things.put("checkout", checkout | {"completedAt": self._time, "updatedAt": self._time})

    def _count_order(self, person: Doc, thing: Doc) -> None:
        spent = Decimal(person["amountSpent"]) + Decimal(thing["total"])
        more = {"numberOfOrders": person["numberOfOrders"] + 1, "amountSpent": money(spent), "updatedAt": self._time}
        person |= more
        self.things.put("customer", person)

    def _take_from_shelf(self, lines: list[Doc]) -> None:
        for line in lines:
            if variant := self.things.get("variant", line["variant"]):
                self.set_stock(variant["id"], variant["available"] - line["quantity"])

    def _change_order(self, thing: Doc, topic: str, **values: Any) -> Doc:
        thing |= {**values, "updatedAt": self._time}
        self.things.put("order", thing)
        self._tell(topic, letters.order(self.shop, self._person(thing), thing))
        return thing


def blank_order(number: int, at: str) -> Doc:
    """An order of whom and what nobody knows yet."""
    return {
        "id": letters.FIRST_ORDER + number,
        "number": number,
        "name": f"#{1000 + number}",
        "customer": None,
        "email": None,
        "phone": None,
        "address": None,
        "lines": [],
        "subtotal": "0.0",
        "discount": "0.0",
        "total": "0.0",
        "refunded": "0.0",
        "discountCodes": [],
        "checkoutToken": None,
        "cartToken": None,
        "token": "",
        "financial": "PAID",
        "fulfillment": "UNFULFILLED",
        "fulfillments": [],
        "refunds": [],
        "tags": [],
        "note": None,
        "test": False,
        "sourceName": "web",
        "cancelledAt": None,
        "cancelReason": None,
        "closedAt": None,
        "processedAt": at,
        "createdAt": at,
        "updatedAt": at,
    }
