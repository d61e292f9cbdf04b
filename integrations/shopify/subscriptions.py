"""Which webhooks a shop must send, for which flows, and with which rights. Pure.

People, their consent and how much they bought are followed whatever flows there are: who may be texted stands on it.
Everything else is asked for only while a flow needs it. A topic that no translator reads is never asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from smsflow_plugin.audience.filters import Condition, event_kinds
from smsflow_plugin.flows.program import Discount, Email, Program, WaitForEvent

#: The fields of a checkout that its translator reads. The whole is about ten times as large, at every keystroke.
_CHECKOUT = (
    "abandoned_checkout_url", "billing_address", "buyer_accepts_sms_marketing", "cart_token", "completed_at",
    "contact_email", "created_at", "currency", "customer", "customer_locale", "discount_codes", "email", "id",
    "line_items", "phone", "shipping_address", "sms_marketing_phone", "token", "total_price", "updated_at",
)  # fmt: skip
#: Of a product, which Shopify sends with every order of it. Without ``updated_at`` it would take two changes for one.
_PRODUCT = ("handle", "id", "published_at", "status", "title", "updated_at", "variants")

#: What carriers say of a parcel. Left out are the two that only tell of a label, which is printed long before.
_MOVED = (
    "attempted_delivery", "carrier_picked_up", "confirmed", "delayed", "delivered", "failure", "in_transit",
    "out_for_delivery", "ready_for_pickup",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Topic:
    """A kind of webhook. ``name`` as its header says it; ``scopes``: without them Shopify refuses the subscription.

    ``fields``: what of the payload is sent, empty for all of it. ``filter``: Shopify's search syntax, asked of the
    payload as it is after the event.
    """

    name: str
    scopes: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    filter: str = ""

    @property
    def enum(self) -> str:
        """What GraphQL calls it: CUSTOMER_TAGS_ADDED."""
        return self.name.replace("/", "_").replace(".", "_").upper()


_CUSTOMERS, _ORDERS, _SENT = ("read_customers",), ("read_orders",), ("read_fulfillments",)
_PRODUCTS, _STOCK = ("read_products",), ("read_inventory", "read_products")
_CONTRACTS, _PICKUP = ("read_own_subscription_contracts",), ("read_merchant_managed_fulfillment_orders",)

TOPICS: Mapping[str, Topic] = {
    topic.name: topic
    for topic in (
        Topic("app/uninstalled"),
        Topic("app/scopes_update"),
        Topic("shop/update"),
        Topic("bulk_operations/finish"),
        Topic("customers/create", _CUSTOMERS),
        Topic("customers/update", _CUSTOMERS),
        Topic("customers/merge", ("read_customer_merge", *_CUSTOMERS)),
        Topic("customers/delete", _CUSTOMERS),
        Topic("customers_marketing_consent/update", _CUSTOMERS),
        Topic("customers_email_marketing_consent/update", _CUSTOMERS),
        Topic("customer.tags_added", _CUSTOMERS),
        Topic("customer.tags_removed", _CUSTOMERS),
        Topic("carts/create", _ORDERS),
        Topic("carts/update", _ORDERS),
        Topic("checkouts/create", _ORDERS, fields=_CHECKOUT),
        Topic("checkouts/update", _ORDERS, fields=_CHECKOUT),
        Topic("checkouts/delete", _ORDERS),
        Topic("orders/create", _ORDERS),
        Topic("orders/updated", _ORDERS),
        Topic("orders/edited", _ORDERS),
        Topic("orders/paid", _ORDERS),
        Topic("orders/cancelled", _ORDERS),
        Topic("refunds/create", _ORDERS),
        Topic("fulfillments/create", _SENT),
        Topic("fulfillments/update", _SENT),
        Topic("fulfillment_events/create", _SENT, filter=" OR ".join(f"status:{status}" for status in _MOVED)),
        Topic("fulfillment_orders/line_items_prepared_for_pickup", _PICKUP),
        Topic("products/create", _PRODUCTS, fields=_PRODUCT),
        Topic("products/update", _PRODUCTS, fields=_PRODUCT),
        Topic("products/delete", _PRODUCTS),
        Topic("variants/in_stock", _PRODUCTS),
        Topic("variants/out_of_stock", _PRODUCTS),
        Topic("inventory_levels/update", _STOCK),
        Topic("inventory_items/update", _STOCK),
        Topic("subscription_contracts/create", _CONTRACTS),
        Topic("subscription_contracts/update", _CONTRACTS),
        Topic("subscription_contracts/activate", _CONTRACTS),
        Topic("subscription_contracts/pause", _CONTRACTS),
        Topic("subscription_contracts/cancel", _CONTRACTS),
        Topic("subscription_contracts/fail", _CONTRACTS),
        Topic("subscription_contracts/expire", _CONTRACTS),
    )
}

#: Whatever flows there are.
ALWAYS = (
    "app/uninstalled", "app/scopes_update", "shop/update", "bulk_operations/finish",
    "customers/create", "customers/update", "customers/merge", "customers/delete",
    "customers_marketing_consent/update", "customer.tags_added", "customer.tags_removed",
    "orders/create", "orders/cancelled",
)  # fmt: skip
#: Rights that everything stands on: people are read, and what they tell us by text is written back.
ALWAYS_SCOPES = ("read_customers", "write_customers", "read_orders")

_CHECKOUTS = ("checkouts/create", "checkouts/update", "checkouts/delete")
_VARIANTS = ("products/create", "products/update", "products/delete")
_BOUGHT = ("orders/create", "orders/updated", "orders/edited")
_PARCELS = ("fulfillments/create", "fulfillments/update")
_CONTRACT_TOPICS = tuple(name for name in TOPICS if name.startswith("subscription_contracts/"))

#: Which topics tell of an event, by its kind (``events.kinds``).
OF_KIND: Mapping[str, tuple[str, ...]] = {
    # the box in the checkout is one way to agree
    "opted_in": ("customers_marketing_consent/update", *_CHECKOUTS),
    "opt_in_requested": ("customers_marketing_consent/update",),
    "opted_out": ("customers_marketing_consent/update",),
    "customer_created": ("customers/create",),
    "customer_updated": ("customers/update",),
    "tag_added": ("customer.tags_added",),
    "tag_removed": ("customer.tags_removed",),
    # who has viewed a product is asked to come back to it only while it is there
    "product_viewed": (),
    "waitlist_joined": (*_VARIANTS, "variants/in_stock", "variants/out_of_stock", "inventory_levels/update"),
    "back_in_stock": (*_VARIANTS, "variants/in_stock", "variants/out_of_stock", "inventory_levels/update"),
    "price_dropped": _VARIANTS,
    # whose cart it is comes out when a checkout or an order names it
    "cart_updated": ("carts/create", "carts/update", *_CHECKOUTS),
    "checkout_updated": _CHECKOUTS,
    "order_created": _BOUGHT,
    "order_paid": ("orders/paid", *_BOUGHT),
    "order_cancelled": ("orders/cancelled",),
    "order_refunded": ("refunds/create", *_BOUGHT),
    "replenishment_due": _BOUGHT,
    "lapsed": _BOUGHT,
    "parcel_sent": _PARCELS,
    "parcel_moved": (*_PARCELS, "fulfillment_events/create"),
    "parcel_delivered": (*_PARCELS, "fulfillment_events/create"),
    "pickup_ready": ("fulfillment_orders/line_items_prepared_for_pickup",),
    "subscription_cancelled": _CONTRACT_TOPICS,
}
#: Rights that a kind of event needs beside its topics: a pixel in the shop's pages tells who looks at what.
SCOPES_OF_KIND: Mapping[str, tuple[str, ...]] = {"product_viewed": ("write_pixels", "read_customer_events")}


@dataclass(frozen=True, slots=True)
class Needs:
    """Topics and scopes, each with the names of the flows that need it; none of them: it is needed always."""

    topics: Mapping[str, Sequence[str]] = field(default_factory=dict)
    scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def wanted(self) -> list[Topic]:
        return [TOPICS[name] for name in sorted(self.topics)]


def kinds_of(program: Program) -> frozenset[str]:
    """Return the kinds of event that start, wake, steer or end runs of ``program``."""
    kinds = {trigger.kind for trigger in program.triggers} | set(program.exits) | set(program.own_exits)
    if program.goal:
        kinds.add(program.goal)
    for condition in (*program.conditions(), *(trigger.when for trigger in program.triggers)):
        kinds.update(event_kinds(condition))
    for instruction in program.instructions:
        if isinstance(instruction, WaitForEvent):
            kinds.update(instruction.kinds)
    return frozenset(kinds)


def needs(
    flows: Iterable[tuple[str, Program]], *, understood: Collection[str], more: Iterable[tuple[str, Condition]] = ()
) -> Needs:
    """Return what flows need, given as (name, program).

    :param understood: the topics that a translator reads.
    :param more: conditions that stand outside of programs (those of segments), by the flow's name.
    """
    topics: dict[str, list[str]] = {name: [] for name in ALWAYS if name in understood}
    scopes: dict[str, list[str]] = {scope: [] for scope in ALWAYS_SCOPES}
    always = set(topics), set(scopes) | {scope for name in topics for scope in TOPICS[name].scopes}
    asked = [*((name, kinds_of(program), _beside(program)) for name, program in flows)]
    asked += [(name, frozenset(event_kinds(condition)), (frozenset(), frozenset())) for name, condition in more]
    for name, kinds, (own_topics, own_scopes) in asked:
        wanted = {topic for kind in kinds for topic in OF_KIND.get(kind, ())} | own_topics
        for topic in sorted(wanted & set(understood) - always[0]):
            _add(topics, topic, name)
        rights = {scope for kind in kinds for scope in SCOPES_OF_KIND.get(kind, ())} | own_scopes
        rights |= {scope for topic in wanted & set(understood) for scope in TOPICS[topic].scopes}
        for scope in sorted(rights - always[1]):
            _add(scopes, scope, name)
    for scope in sorted(always[1]):
        scopes[scope] = []
    return Needs(topics, scopes)


def _beside(program: Program) -> tuple[frozenset[str], frozenset[str]]:
    """Return the topics and scopes that steps need, whatever events there are."""
    mails = any(isinstance(instruction, Email) for instruction in program.instructions)
    codes = any(isinstance(instruction, Discount) for instruction in program.instructions)
    return (
        frozenset({"customers_email_marketing_consent/update"} if mails else ()),
        frozenset({"write_discounts"} if codes else ()),
    )


def _add(names: dict[str, list[str]], key: str, flow: str) -> None:
    found = names.setdefault(key, [])
    if flow not in found:
        found.append(flow)


@dataclass(frozen=True, slots=True)
class Found:
    """A subscription as Shopify has it. ``topic`` is GraphQL's."""

    id: str
    topic: str
    uri: str
    filter: str = ""
    fields: tuple[str, ...] = ()
    format: str = "JSON"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done. ``lost`` are those of ``create`` that had been there before: Shopify took them away."""

    create: tuple[Topic, ...] = ()
    update: tuple[tuple[Found, Topic], ...] = ()
    delete: tuple[Found, ...] = ()
    lost: frozenset[str] = frozenset()


def compare(wanted: Iterable[Topic], found: Iterable[Found], *, uri: str, before: Collection[str]) -> Plan:
    """Compare what is wanted with what is there.

    Only what leads to ``uri`` is ours: the same app may serve another site, too, and that must not be touched.

    :param before: the topics that were in place after the last comparison.
    """
    by_enum = {topic.enum: topic for topic in wanted}
    ours = sorted((row for row in found if same_address(row.uri, uri)), key=lambda row: row.id)
    kept: dict[str, Found] = {}
    surplus: list[Found] = []
    for row in ours:
        if row.topic in by_enum and row.topic not in kept:
            kept[row.topic] = row
        else:
            surplus.append(row)
    create = tuple(topic for enum, topic in by_enum.items() if enum not in kept)
    return Plan(
        create=create,
        update=tuple((row, by_enum[row.topic]) for row in kept.values() if not _fits(row, by_enum[row.topic], uri)),
        delete=tuple(surplus),
        lost=frozenset(topic.name for topic in create if topic.name in before),
    )


def same_address(one: str, other: str) -> bool:
    """Return whether two addresses are one but for the slash at the end, which makes no difference to us."""
    return one.rstrip("/") == other.rstrip("/")


def _fits(row: Found, topic: Topic, uri: str) -> bool:
    same = row.uri == uri and row.format == "JSON" and (row.filter or "") == topic.filter
    return same and sorted(row.fields) == sorted(topic.fields)
