"""What concerns the shop and the app: taken away, other scopes, other settings, and what the law asks for. Pure.

Only the body of a webhook is signed, and an app signs for all of its shops with one secret: what has
consequences is believed only where the body names the same shop as the header.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from smsflow_plugin.events.facts import CannotUnderstand, StoreGone, StoreWord, Translation
from smsflow_plugin.integrations.shopify.headers import SHOP, shopify_header
from smsflow_plugin.integrations.shopify.letter import Letter
from smsflow_plugin.integrations.shopify.phones import to_e164


def app_uninstalled(letter: Letter) -> Translation:
    """``app/uninstalled``. It can arrive hours late, after the shop was connected again; so it has its time."""
    _same_shop(letter, "myshopify_domain", "It says that {shop} took the app away, but its body is about {named}.")
    connected_at = letter.store.connected_at
    if connected_at is not None and connected_at > letter.triggered_at:
        return Translation(ignored="The shop took the app away, and has installed it again since.")
    return Translation(facts=(StoreGone(at=letter.triggered_at),))


def scopes_changed(letter: Letter) -> Translation:
    """``app/scopes_update``."""
    if "current" not in letter.payload:
        return Translation(ignored="It does not say what the shop grants now.")
    scopes = sorted(set(letter.payload.texts("current")))
    return Translation((StoreWord("scopes_changed", letter.time("updated_at"), {"scopes": scopes}),))


def shop_changed(letter: Letter) -> Translation:
    """``shop/update``: of all that it says, the time zone and the currency are of use."""
    _same_shop(letter, "myshopify_domain", "It comes from {shop}, but its body is about {named}.")
    payload = letter.payload
    said = {"timezone": payload.text("iana_timezone", 64), "currency": payload.text("currency", 3).upper()}
    found = {name: value for name, value in said.items() if value}
    if not found:
        return Translation(ignored="It says neither the shop's time zone nor its currency.")
    return Translation((StoreWord("shop_changed", letter.time("updated_at"), found),))


def bulk_finished(letter: Letter) -> Translation:
    """``bulk_operations/finish``. It says that a file is there, not where."""
    gid = letter.payload.text("admin_graphql_api_id")
    if not gid:
        raise CannotUnderstand("It speaks of a finished bulk operation, but does not say of which.")
    data = {"gid": gid, "status": letter.payload.word("status"), "error": letter.payload.word("error_code")}
    return Translation((StoreWord("bulk_finished", letter.time("completed_at"), data),))


def _asked_for(letter: Letter, what: str) -> Translation:
    """``customers/data_request``, ``customers/redact`` and ``shop/redact``: the law gives thirty days."""
    _same_shop(letter, "shop_domain", "It is said to be about {shop}, but its body is about {named}.")
    payload = letter.payload
    if not payload.text("shop_domain"):
        # the topic is not signed: this may be the body of any other webhook, sent again under another name
        raise CannotUnderstand("It asks for what the law gives, but does not name the shop.")
    person = payload.object("customer")
    orders = payload.numbers("orders_requested") or payload.numbers("orders_to_redact")
    request = payload.object("data_request").id("id")
    data: Mapping[str, Any] = {
        "what": what,
        "key": _key(what, request, person.id("id"), letter),
        "customer": person.id("id"),
        "phone": to_e164(person.text("phone"), letter.store.country) or "",
        "email": person.text("email", 254),
        "orders": orders,
    }
    if what != "shop" and not (data["customer"] or data["phone"] or data["email"] or orders):
        raise CannotUnderstand("It is about a customer, but does not say about whom.")
    return Translation((StoreWord("compliance", letter.triggered_at, data),))


def _key(what: str, request: str, customer: str, letter: Letter) -> str:
    """Return what tells one request from the next; the same one may come twice, under another delivery id."""
    if request:
        return f"{what}:{request}"
    return f"{what}:{customer}:{letter.triggered_at.date().isoformat()}:{letter.stamp(None)}"


def _same_shop(letter: Letter, key: str, sentence: str) -> None:
    named = letter.payload.text(key).lower()
    shop = shopify_header(letter.raw.headers, SHOP).lower()
    if named and shop and named != shop:
        raise CannotUnderstand(sentence.format(shop=shop, named=named))


data_requested = partial(_asked_for, what="export")
customer_redacted = partial(_asked_for, what="erase")
shop_redacted = partial(_asked_for, what="shop")
