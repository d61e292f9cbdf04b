"""Customers: who they are, what they allow, what they are tagged with."""

from __future__ import annotations

import re
from typing import Any

from graphql import GraphQLResolveInfo

from smsflow_plugin.integrations.simulator.shopify_api import letters
from smsflow_plugin.integrations.simulator.shopify_api.asking import (
    Asking,
    asking,
    number_in,
    problem,
    refuse_long_input,
)
from smsflow_plugin.integrations.simulator.shopify_api.pages import connection, counted
from smsflow_plugin.integrations.simulator.shopify_api.resolve_nodes import TAGGED, find
from smsflow_plugin.integrations.simulator.shopify_api.storage import Doc
from smsflow_plugin.integrations.simulator.shopify_api.values import iso, seconds_of

Info = GraphQLResolveInfo
_PHONE = re.compile(r"\+[1-9]\d{6,14}")
NO_CONSENT = {"state": "NOT_SUBSCRIBED", "level": "SINGLE_OPT_IN", "at": None, "from": None}


def new_customer(number: int, at: str, **values: Any) -> Doc:
    """A customer of whom nothing is known but ``values``."""
    return {
        "id": number,
        "firstName": None,
        "lastName": None,
        "email": None,
        "phone": None,
        "tags": [],
        "locale": "en",
        "note": None,
        "state": "DISABLED",
        "verifiedEmail": True,
        "sms": NO_CONSENT,
        "address": None,
        "numberOfOrders": 0,
        "amountSpent": "0.0",
        "createdAt": at,
        "updatedAt": at,
        **values,
    }


def customer(_source: Any, info: Info, id: str) -> Doc | None:
    return asking(info).things.get("customer", number_in(id, "Customer"))


def by_identifier(_source: Any, info: Info, identifier: Doc) -> Doc | None:
    things = asking(info).things
    if phone := identifier.get("phoneNumber"):
        return things.by_key("customer", phone)
    if email := identifier.get("emailAddress"):
        return things.by_other("customer", email.lower())
    return things.get("customer", number_in(identifier.get("id") or "", "Customer"))


def customers(_source: Any, info: Info, **args: Any) -> Doc:
    return connection(info, "customer", args)


def customers_count(_source: Any, info: Info, **args: Any) -> Doc:
    return counted(info, "customer", args)


def phone_number(source: Doc, _info: Info) -> Doc | None:
    if not source["phone"]:
        return None
    sms = source["sms"]
    return {
        "phoneNumber": source["phone"],
        "marketingState": sms["state"],
        "marketingOptInLevel": sms["level"],
        "marketingUpdatedAt": sms["at"],
        "marketingCollectedFrom": sms["from"],
        "smsMarketingConsent": {
            "state": "NEVER_SUBSCRIBED" if sms["state"] == "NOT_SUBSCRIBED" else sms["state"],
            "optInLevel": sms["level"],
            "updatedAt": sms["at"],
            "collectedFrom": sms["from"],
        },
    }


def old_consent(source: Doc, _info: Info) -> Doc | None:
    if not source["phone"]:
        return None
    sms = source["sms"]
    return {
        "marketingState": sms["state"],
        "marketingOptInLevel": sms["level"] or "UNKNOWN",
        "consentUpdatedAt": sms["at"],
        "consentCollectedFrom": sms["from"],
    }


def email_address(source: Doc, _info: Info) -> Doc | None:
    return {"emailAddress": source["email"], "marketingState": "NOT_SUBSCRIBED"} if source["email"] else None


def display_name(source: Doc, _info: Info) -> str:
    name = f"{source['firstName'] or ''} {source['lastName'] or ''}".strip()
    return name or source["email"] or source["phone"] or ""


def amount_spent(source: Doc, info: Info) -> Doc:
    return {"amount": source["amountSpent"], "currencyCode": asking(info).shop["currency"]}


def orders_of(source: Doc, info: Info, **args: Any) -> Doc:
    return connection(info, "order", args, extra=("parent = ?", [source["id"]]))


def last_order(source: Doc, info: Info) -> Doc | None:
    orders = asking(info).things.select("order", "parent = ?", [source["id"]], "id DESC", 1)
    return asking(info).things.get("order", orders[0]["id"]) if orders else None


def set_consent(ask: Asking, person: Doc, sms: Doc) -> None:
    """Write somebody's consent, and tell the subscribers."""
    person |= {"sms": sms, "updatedAt": ask.time}
    ask.things.put("customer", person)
    ask.emit("customers_marketing_consent/update", letters.consent(ask.shop, person))


def update_consent(_source: Any, info: Info, input: Doc) -> Doc:
    ask = asking(info)
    person = ask.things.get("customer", number_in(input["customerId"], "Customer"))
    said = input["smsMarketingConsent"]

    def refused(message: str, *path: str, code: str = "INVALID") -> Doc:
        return {"customer": person, "userErrors": [problem(message, "input", *path, code=code)]}

    if person is None:
        return refused("Customer not found", "customerId")
    if not person["phone"]:
        return refused("A phone number is required to set the SMS consent state.", code="INVALID")
    state, at = said["marketingState"], said.get("consentUpdatedAt")
    if state in ("NOT_SUBSCRIBED", "REDACTED"):
        message = f"Cannot specify {state} as a marketing state input"
        return refused(message, "smsMarketingConsent", "marketingState")
    if state == "SUBSCRIBED" and said.get("marketingOptInLevel") == "UNKNOWN":
        message = "Marketing opt in level cannot be unknown"
        return refused(message, "smsMarketingConsent", "marketingOptInLevel")
    if at and seconds_of(at) > ask.now + 60:
        message = "Consent updated at must not be in the future"
        return refused(message, "smsMarketingConsent", "consentUpdatedAt")
    level = said.get("marketingOptInLevel") or person["sms"]["level"] or "SINGLE_OPT_IN"
    sms = {"state": state, "level": level, "at": iso(seconds_of(at)) if at else ask.time, "from": "OTHER"}
    set_consent(ask, person, sms)
    return {"customer": person, "userErrors": []}


def _problems(ask: Asking, person: Doc, input: Doc) -> list[Doc]:
    found = []
    if phone := input.get("phone"):
        if not _PHONE.fullmatch(phone):
            found.append(problem("Phone is invalid", "phone"))
        elif (other := ask.things.by_key("customer", phone)) and other["id"] != person["id"]:
            found.append(problem("Phone has already been taken", "phone"))
    if email := input.get("email"):
        if "@" not in email:
            found.append(problem("Email is invalid", "email"))
        elif (other := ask.things.by_other("customer", email.lower())) and other["id"] != person["id"]:
            found.append(problem("Email has already been taken", "email"))
    return found


def _changed(ask: Asking, person: Doc, input: Doc) -> Doc:
    plain = ("firstName", "lastName", "email", "phone", "locale", "note", "tags")
    person |= {name: input[name] for name in plain if name in input}
    if input.get("addresses"):
        first = input["addresses"][0]
        person["address"] = letters.address(**{name: str(value) for name, value in first.items() if value})
    return person | {"updatedAt": ask.time}


def create(_source: Any, info: Info, input: Doc) -> Doc:
    ask = asking(info)
    person = new_customer(ask.things.next_id("customer"), ask.time)
    errors = _problems(ask, person, input)
    if not any(input.get(name) for name in ("firstName", "lastName", "email", "phone")):
        errors.append(problem("A name, phone number, or email address must be present"))
    if errors:
        return {"customer": None, "userErrors": errors}
    person = _changed(ask, person, input)
    ask.things.put("customer", person)
    ask.emit("customers/create", letters.customer(ask.shop, person))
    if said := input.get("smsMarketingConsent"):
        level = said.get("marketingOptInLevel") or "SINGLE_OPT_IN"
        sms = {"state": said["marketingState"], "level": level, "at": ask.time, "from": "OTHER"}
        set_consent(ask, person, sms)
    return {"customer": person, "userErrors": []}


def update(_source: Any, info: Info, input: Doc) -> Doc:
    ask = asking(info)
    person = ask.things.get("customer", number_in(input.get("id") or "", "Customer"))
    if person is None:
        return {"customer": None, "userErrors": [problem("Customer does not exist", "id")]}
    if input.get("smsMarketingConsent") is not None:
        message = "To update smsMarketingConsent, please use the customerSmsMarketingConsentUpdate Mutation instead"
        return {"customer": person, "userErrors": [problem(message, "smsMarketingConsent")]}
    if errors := _problems(ask, person, input):
        return {"customer": person, "userErrors": errors}
    before = set(person["tags"])
    person = _changed(ask, person, input)
    ask.things.put("customer", person)
    ask.emit("customers/update", letters.customer(ask.shop, person))
    tell_tags(ask, person, before)
    return {"customer": person, "userErrors": []}


def tell_tags(ask: Asking, person: Doc, before: set[str]) -> None:
    """Tell which tags somebody got and lost since ``before``."""
    after = set(person["tags"])
    for topic, names in (("customer.tags_added", after - before), ("customer.tags_removed", before - after)):
        if names:
            ask.emit(topic, letters.tags(person, sorted(names), ask.now))


def _tagged(info: Info, id: str, tags: list[str], *, add: bool) -> Doc:
    ask = asking(info)
    refuse_long_input(tags)
    node = find(ask, id, "write")
    kind = node["_kind"] if node else ""
    if node is None or kind not in TAGGED:
        return {"node": None, "userErrors": [problem(f"{id} does not exist or cannot be tagged", "id")]}
    names = [one.strip() for given in tags for one in given.split(",") if one.strip()]
    if any(len(one) > 255 for one in names):
        return {"node": node, "userErrors": [problem("Tag is too long (maximum is 255 characters)", "tags")]}
    before = list(node["tags"])
    folded = {one.lower() for one in names}
    rest = [one for one in before if one.lower() not in folded]
    # the first spelling of a tag is the one that stays
    new = {one.lower(): one for one in reversed(names)}
    for one in before:
        new.pop(one.lower(), None)
    node["tags"] = before + list(reversed(new.values())) if add else rest
    if node["tags"] != before:
        node["updatedAt"] = ask.time
        ask.things.put(kind, node)
        if kind == "customer":
            ask.emit("customers/update", letters.customer(ask.shop, node))
            tell_tags(ask, node, set(before))
    return {"node": node, "userErrors": []}


def tags_add(_source: Any, info: Info, id: str, tags: list[str]) -> Doc:
    return _tagged(info, id, tags, add=True)


def tags_remove(_source: Any, info: Info, id: str, tags: list[str]) -> Doc:
    return _tagged(info, id, tags, add=False)


RESOLVERS: dict[str, dict[str, Any]] = {
    "QueryRoot": {
        "customer": customer,
        "customerByIdentifier": by_identifier,
        "customers": customers,
        "customersCount": customers_count,
    },
    "Mutation": {
        "customerSmsMarketingConsentUpdate": update_consent,
        "customerCreate": create,
        "customerUpdate": update,
        "tagsAdd": tags_add,
        "tagsRemove": tags_remove,
    },
    "Customer": {
        "amountSpent": amount_spent,
        "defaultAddress": lambda source, _info: source["address"] and {**source["address"], "id": source["id"]},
        "defaultEmailAddress": email_address,
        "defaultPhoneNumber": phone_number,
        "displayName": display_name,
        "lastOrder": last_order,
        "numberOfOrders": lambda source, _info: str(source["numberOfOrders"]),
        "orders": orders_of,
        "smsMarketingConsent": old_consent,
    },
}
