"""The shop, the app in it, its webhook subscriptions and its pixel."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from graphql import GraphQLResolveInfo

from smsflow_plugin.integrations.simulator.shopify_api.asking import Asking, asking, number_in, problem
from smsflow_plugin.integrations.simulator.shopify_api.pages import connection, counted
from smsflow_plugin.integrations.simulator.shopify_api.scopes import BY_TOPIC
from smsflow_plugin.integrations.simulator.shopify_api.search import Condition
from smsflow_plugin.integrations.simulator.shopify_api.storage import Doc
from smsflow_plugin.integrations.simulator.shopify_api.values import gid

Info = GraphQLResolveInfo


def shop(_source: Any, info: Info) -> Doc:
    doc = asking(info).shop
    return {
        "id": doc["number"],
        "name": doc["name"],
        "myshopifyDomain": doc["domain"],
        "ianaTimezone": doc["timezone"],
        "currencyCode": doc["currency"],
        "plan": {"publicDisplayName": doc["plan"], "partnerDevelopment": False, "shopifyPlus": doc["plan"] == "Plus"},
        "primaryDomain": {"id": doc["number"], "host": doc["domain"], "url": f"https://{doc['domain']}"},
        "url": f"https://{doc['domain']}",
        "email": f"owner@{doc['domain']}",
        "contactEmail": f"owner@{doc['domain']}",
        "shopOwnerName": "Shop Owner",
        "createdAt": doc["createdAt"],
    }


def installation(_source: Any, info: Info) -> Doc:
    ask = asking(info)
    return {
        "id": ask.app_doc["number"] * 1000 + ask.shop["number"],
        "accessScopes": [{"handle": one, "description": one.replace("_", " ").capitalize()} for one in ask.granted],
        "app": _app(ask),
    }


def _app(ask: Asking) -> Doc:
    doc = ask.app_doc
    return {"id": doc["number"], "apiKey": ask.app, "title": doc["title"], "handle": doc["title"].lower()}


def uninstall(_source: Any, info: Info) -> Doc:
    ask = asking(info)
    app = _app(ask)
    ask.world.uninstall(ask.shop["domain"], ask.app)
    return {"app": app, "userErrors": []}


def _own(info: Info) -> Condition:
    return "state = ?", [asking(info).app]


def subscription(_source: Any, info: Info, id: str) -> Doc | None:
    return _own_subscription(asking(info), id)


def _own_subscription(ask: Asking, id: str) -> Doc | None:
    found = ask.things.get("webhook", number_in(id, "WebhookSubscription"))
    return found if found and found["app"] == ask.app else None


def subscriptions(_source: Any, info: Info, **args: Any) -> Doc:
    condition, values = _own(info)
    if topics := args.get("topics"):
        condition, values = f"{condition} AND other IN ({', '.join('?' * len(topics))})", [*values, *topics]
    address = args.get("uri") or args.get("callbackUrl")
    if address:
        condition, values = f"{condition} AND json_extract(doc, '$.uri') = ?", [*values, address]
    return connection(info, "webhook", args, extra=(condition, values))


def subscriptions_count(_source: Any, info: Info, **args: Any) -> Doc:
    return counted(info, "webhook", args, extra=_own(info))


def topic_scope(topic: str) -> str | None:
    """Return the scope that a topic (as GraphQL writes it) needs."""
    fitting = [part for part in BY_TOPIC if topic.startswith(part.upper() + "_")]
    return BY_TOPIC[max(fitting, key=len)] if fitting else None


def _address_error(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.scheme in ("pubsub", "arn"):
        return ""
    if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost"):
        return ""  # Shopify would not, but here is nowhere else to go
    if parts.scheme != "https":
        return f"Address protocol {parts.scheme}:// is not supported"
    return "" if parts.hostname else "Address is invalid"


def _subscription_errors(ask: Asking, topic: str, uri: str, own_id: int | None) -> list[Doc]:
    path = ("webhookSubscription", "uri")
    if not uri:
        return [problem("Address can't be blank", *path)]
    if message := _address_error(uri):
        return [problem(message, *path)]
    taken = ask.things.by_key("webhook", f"{ask.app}|{topic}|{uri}")
    if taken is not None and taken["id"] != own_id:
        return [problem("Address for this topic has already been taken", *path)]
    scope = topic_scope(topic)
    if scope is not None and scope not in ask.scopes:
        message = "You cannot create a webhook subscription with the specified topic"
        return [problem(message, "topic")]
    return []


def subscribe(_source: Any, info: Info, topic: str, webhookSubscription: Doc) -> Doc:
    ask = asking(info)
    uri = webhookSubscription.get("uri") or webhookSubscription.get("callbackUrl") or ""
    if errors := _subscription_errors(ask, topic, uri, None):
        return {"webhookSubscription": None, "userErrors": errors}
    made = {
        "id": ask.things.next_id("webhook"),
        "app": ask.app,
        "topic": topic,
        "failures": 0,
        "createdAt": ask.time,
        "version": ask.version,
    } | _described(ask, webhookSubscription, uri)
    ask.things.put("webhook", made)
    return {"webhookSubscription": made, "userErrors": []}


def _described(ask: Asking, said: Doc, uri: str) -> Doc:
    return {
        "uri": uri,
        "filter": said.get("filter") or None,
        "includeFields": said.get("includeFields") or [],
        "metafieldNamespaces": said.get("metafieldNamespaces") or [],
        "format": said.get("format") or "JSON",
        "name": said.get("name"),
        "updatedAt": ask.time,
    }


def resubscribe(_source: Any, info: Info, id: str, webhookSubscription: Doc) -> Doc:
    ask = asking(info)
    old = _own_subscription(ask, id)
    if old is None:
        return {"webhookSubscription": None, "userErrors": [problem("Webhook subscription does not exist", "id")]}
    uri = webhookSubscription.get("uri") or webhookSubscription.get("callbackUrl") or old["uri"]
    if errors := _subscription_errors(ask, old["topic"], uri, old["id"]):
        return {"webhookSubscription": old, "userErrors": errors}
    # what is not given stays
    new = old | _described(ask, {**old, **webhookSubscription}, uri)
    ask.things.put("webhook", new)
    return {"webhookSubscription": new, "userErrors": []}


def unsubscribe(_source: Any, info: Info, id: str) -> Doc:
    ask = asking(info)
    old = _own_subscription(ask, id)
    if old is None:
        errors = [problem("Webhook subscription does not exist", "id")]
        return {"deletedWebhookSubscriptionId": None, "userErrors": errors}
    ask.things.delete("webhook", old["id"])
    return {"deletedWebhookSubscriptionId": id, "userErrors": []}


def _version(source: Doc, _info: Info) -> Doc:
    return {"handle": source["version"], "displayName": source["version"], "supported": True}


def pixel(_source: Any, info: Info, id: str | None = None) -> Doc | None:
    ask = asking(info)
    found = ask.things.by_key("pixel", ask.app)
    return found if found and (id is None or number_in(id, "WebPixel") == found["id"]) else None


def _settings(said: Doc) -> Any:
    """:raises ValueError: if the settings are no JSON object."""
    settings = said["settings"]
    settings = json.loads(settings) if isinstance(settings, str) else settings
    if not isinstance(settings, dict):
        raise ValueError(settings)
    return settings


def _write_pixel(ask: Asking, old: Doc | None, said: Doc) -> Doc:
    try:
        settings = _settings(said)
    except ValueError:
        message = "Settings are not valid JSON"
        return {"webPixel": None, "userErrors": [problem(message, "settings", code="INVALID_CONFIGURATION_JSON")]}
    number = old["id"] if old else ask.things.next_id("pixel")
    created = old["createdAt"] if old else ask.time
    made = {"id": number, "app": ask.app, "settings": settings, "createdAt": created, "updatedAt": ask.time}
    ask.things.put("pixel", made)
    return {"webPixel": made, "userErrors": []}


def create_pixel(_source: Any, info: Info, webPixel: Doc) -> Doc:
    ask = asking(info)
    if ask.things.by_key("pixel", ask.app):
        message = "Web pixel is taken."
        return {"webPixel": None, "userErrors": [problem(message, code="TAKEN")]}
    return _write_pixel(ask, None, webPixel)


def update_pixel(_source: Any, info: Info, id: str, webPixel: Doc) -> Doc:
    ask = asking(info)
    old = ask.things.by_key("pixel", ask.app)
    if old is None or old["id"] != number_in(id, "WebPixel"):
        return {"webPixel": None, "userErrors": [problem("Pixel not found", "id", code="NOT_FOUND")]}
    return _write_pixel(ask, old, webPixel)


RESOLVERS: dict[str, dict[str, Any]] = {
    "QueryRoot": {
        "shop": shop,
        "currentAppInstallation": installation,
        "webhookSubscription": subscription,
        "webhookSubscriptions": subscriptions,
        "webhookSubscriptionsCount": subscriptions_count,
        "webPixel": pixel,
    },
    "Mutation": {
        "appUninstall": uninstall,
        "webhookSubscriptionCreate": subscribe,
        "webhookSubscriptionUpdate": resubscribe,
        "webhookSubscriptionDelete": unsubscribe,
        "webPixelCreate": create_pixel,
        "webPixelUpdate": update_pixel,
    },
    "WebhookSubscription": {
        "apiVersion": _version,
        "callbackUrl": lambda source, _info: source["uri"],
    },
    # ids that stand for more than a number
    "InventoryQuantity": {"id": lambda source, _info: source["id"]},
    "InventoryLevel": {"id": lambda source, _info: source["id"]},
    "AppInstallation": {"id": lambda source, _info: gid("AppInstallation", source["id"])},
}
