"""What the nodes of one page would have been as webhooks, and which of these nobody has told us.

The keys are those that the translators give: an order that a webhook brings later is the same event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, Q

from smsflow_plugin.audience import ledger
from smsflow_plugin.audience.models import Contact, Identity
from smsflow_plugin.events.facts import CannotUnderstand, PersonFact, RawDelivery, StoreInfo, Translation
from smsflow_plugin.events.inbox import fingerprint, shortened
from smsflow_plugin.events.kinds import TOO_LATE
from smsflow_plugin.events.models import Event
from smsflow_plugin.integrations.shopify.payload import parse_time
from smsflow_plugin.integrations.shopify.sync import late, mapping
from smsflow_plugin.integrations.shopify.sync.models import Resource
from smsflow_plugin.integrations.shopify.translate import translate

#: Begins the id of every delivery that was made here.
PREFIX = "sync:"

#: Happenings that say something new only together with their statement of consent.
_OF_CONSENT = frozenset({"opted_in", "opt_in_requested", "opted_out"})

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """What we know of a customer."""

    contact_id: int
    phone: str | None
    profile_at: datetime | None
    last_order_at: datetime | None
    tags: frozenset[str]


@dataclass(slots=True)
class Candidate:
    """A webhook that there should have been. ``changed_at`` is the time of what it says."""

    topic: str
    body: bytes
    label: str
    changed_at: datetime
    node: Node
    translation: Translation = field(default_factory=Translation)
    #: It is missing if any of these is.
    events: tuple[tuple[str, str], ...] = ()
    consents: tuple[str, ...] = ()
    late: late.Late | None = None

    @property
    def key(self) -> str:
        return f"{PREFIX}{fingerprint(self.topic, self.body)}"

    def headers(self, shop: str) -> dict[str, str]:
        return {
            "x-shopify-topic": self.topic,
            "x-shopify-shop-domain": shop,
            "x-shopify-triggered-at": self.changed_at.isoformat(),
        }

    def raw(self, shop: str) -> RawDelivery:
        return RawDelivery("shopify", self.topic, self.key, self.headers(shop), self.body, self.changed_at)


@dataclass(frozen=True, slots=True)
class Shop:
    """Whose nodes they are. ``since``: nothing before this was ever missed."""

    store_id: int
    account: str
    info: StoreInfo
    since: datetime


def missing(resource: str, nodes: Sequence[Node], shop: Shop, now: datetime) -> list[Candidate]:
    """Return what is new to us, with ``late`` where it is not to be told. Five statements at the most."""
    dated = [node for node in nodes if when(node, "updatedAt")]
    people = customers_known(shop.store_id, _customer_ids(resource, dated))
    found: list[Candidate] = []
    for node in dated:
        match resource:
            case Resource.CUSTOMERS:
                found.extend(_of_customer(node, people.get(_id(node)), shop))
            case Resource.ORDERS:
                found.extend(_of_order(node, shop))
            case Resource.CHECKOUTS:
                found.extend(_of_checkout(node))
    told = [one for one in found if _read(one, shop)]
    unknown = _unknown(told, shop.store_id)
    if resource == Resource.ORDERS:
        unknown = _missed_only(unknown, shop, now)
    if resource == Resource.CHECKOUTS:
        _weigh_carts(unknown, people, shop.store_id, now)
    return unknown


def customers_known(store_id: int, ids: Collection[str]) -> dict[str, Known]:
    """Return what we know of customers, by Shopify's id."""
    if not ids:
        return {}
    rows = Identity.objects.filter(store_id=store_id, kind=Identity.Kind.CUSTOMER, value__in=ids).values_list(
        "value", "contact_id", "contact__phone", "contact__profile_at", "contact__last_order_at", "contact__tags"
    )
    return {
        value: Known(pk, phone, profile_at, ordered_at, frozenset(str(tag).casefold() for tag in tags))
        for value, pk, phone, profile_at, ordered_at, tags in rows
    }


def tags_to_add(node: Node, known: Known | None) -> list[str]:
    """Return the customer's tags that we have not got. What we know from later than this is left as it is."""
    if known is not None and known.profile_at is not None and known.profile_at > moment(node, "updatedAt"):
        return []
    had = known.tags if known else frozenset()
    # of two that differ in their capitals only the first counts, as everywhere
    tags = {tag.casefold(): tag for tag in reversed(mapping.tags_of(node))}
    return [tag for folded, tag in reversed(tags.items()) if folded not in had]


def when(node: Node, name: str) -> datetime | None:
    value = node.get(name)
    return parse_time(value) if isinstance(value, str) else None


def moment(node: Node, name: str = "updatedAt") -> datetime:
    """Return a time that the node is known to have, or its last change."""
    found = when(node, name) or when(node, "updatedAt")
    assert found is not None
    return found


def _id(node: Node) -> str:
    return str(mapping.number_of(node.get("id")) or "")


def _customer_ids(resource: str, nodes: Iterable[Node]) -> set[str]:
    if resource == Resource.CUSTOMERS:
        return {_id(node) for node in nodes}
    if resource == Resource.CHECKOUTS:
        return {_id(node["customer"]) for node in nodes if isinstance(node.get("customer"), dict)}
    return set()


def _of_customer(node: Node, known: Known | None, shop: Shop) -> Iterator[Candidate]:
    at = moment(node)
    is_new = known is None and moment(node, "createdAt") >= shop.since
    if is_new or known is None or known.profile_at is None or known.profile_at < at:
        topic = "customers/create" if is_new else "customers/update"
        yield _candidate(topic, mapping.customer(node), node)
    if consent := mapping.consent(node):
        yield _candidate("customers_marketing_consent/update", consent, node, said_at(node, consent))
    if tags := tags_to_add(node, known):
        yield _candidate("customer.tags_added", mapping.tags_added(node, tags), node)


def _of_order(node: Node, shop: Shop) -> Iterator[Candidate]:
    payload = mapping.order(node)
    cancelled_at = when(node, "cancelledAt")
    if not cancelled_at and moment(node, "createdAt") >= shop.since:
        yield _candidate("orders/create", payload, node)
    if not cancelled_at and payload["financial_status"] == "paid":
        yield _candidate("orders/paid", payload, node)
    if cancelled_at and cancelled_at >= shop.since:
        yield _candidate("orders/cancelled", payload, node)


def _of_checkout(node: Node) -> Iterator[Candidate]:
    if when(node, "completedAt") is None:
        yield _candidate("checkouts/update", mapping.checkout(node), node)


def said_at(node: Node, consent: Mapping[str, Any]) -> datetime:
    """Return when a statement without a date counts as made.

    A yes may be as old as the customer: that something else of them has changed today makes it no news to welcome.
    """
    said = consent["sms_marketing_consent"]
    undated = when(said, "consent_updated_at") is None and said["state"] in ("subscribed", "pending")
    return moment(node, "createdAt" if undated else "updatedAt")


def _candidate(topic: str, payload: Mapping[str, Any], node: Node, at: datetime | None = None) -> Candidate:
    label = str(node.get("name") or payload.get("token") or _id(node))
    return Candidate(topic, mapping.body(payload), label[:100], at or moment(node), node)


def _read(one: Candidate, shop: Shop) -> bool:
    """Let the translator read it; return whether it says anything."""
    try:
        one.translation = translate(one.raw(shop.account), shop.info)
    except CannotUnderstand:
        return False
    people = [fact for fact in one.translation.facts if isinstance(fact, PersonFact)]
    one.events = tuple(
        (happening.kind, shortened(happening.key, 255))
        for fact in people
        for happening in fact.happenings
        if happening.kind not in _OF_CONSENT
    )
    one.consents = tuple(ledger.key_of(consent) for fact in people for consent in fact.consents)
    return bool(people)


def _unknown(found: Sequence[Candidate], store_id: int) -> list[Candidate]:
    kinds = {kind for one in found for kind, _key in one.events}
    keys = {key for one in found for _kind, key in one.events}
    stored: set[tuple[str, str]] = set()
    if keys:
        rows = Event.objects.filter(store_id=store_id, kind__in=kinds, key__in=keys)
        stored = set(rows.values_list("kind", "key"))
    said = ledger.known_keys({(store_id, key) for one in found for key in one.consents})
    return [
        one
        for one in found
        # what holds neither, such as tags, was compared with the contact itself
        if not (one.events or one.consents)
        or any(event not in stored for event in one.events)
        or any((store_id, key) not in said for key in one.consents)
    ]


def _missed_only(unknown: Sequence[Candidate], shop: Shop, now: datetime) -> list[Candidate]:
    """Leave out payments that may be of long ago: Shopify says that an order is paid, and not since when.

    One was missed if the order was placed lately, while we listened, or if we heard of the order when it was
    placed. Of an order that was imported, or found long afterwards, nobody knows; it may only have been touched.
    """
    old = {_id(one.node) for one in unknown if _is_old_payment(one, shop, now)}
    if not old:
        return list(unknown)
    in_time = ~Q(delivery__external_id__startswith=PREFIX) | Q(recorded_at__lte=F("occurred_at") + TOO_LATE)
    rows = Event.objects.filter(
        in_time, store_id=shop.store_id, kind="order_created", key__in=old, delivery__isnull=False
    )
    known = set(rows.values_list("key", flat=True))
    return [one for one in unknown if not _is_old_payment(one, shop, now) or _id(one.node) in known]


def _is_old_payment(one: Candidate, shop: Shop, now: datetime) -> bool:
    return one.topic == "orders/paid" and moment(one.node, "createdAt") < max(shop.since, now - TOO_LATE)


def _weigh_carts(carts: Sequence[Candidate], people: Mapping[str, Known], store_id: int, now: datetime) -> None:
    """Say of each cart why it is too late for it, if it is."""
    by_phone = _orders_by_phone(store_id, {phone for one in carts for phone in _phones(one)})
    for one in carts:
        buyer = one.node.get("customer")
        known = people.get(_id(buyer)) if isinstance(buyer, dict) else None
        ordered = [known.last_order_at] if known else []
        ordered += [by_phone.get(phone) for phone in _phones(one)]
        one.late = late.cart(
            token=mapping.token_of(one.node),
            updated_at=one.changed_at,
            created_at=moment(one.node, "createdAt"),
            last_order_at=max((at for at in ordered if at), default=None),
            now=now,
        )


def _orders_by_phone(store_id: int, phones: Collection[str]) -> dict[str, datetime]:
    if not phones:
        return {}
    rows = Contact.objects.filter(store_id=store_id, phone__in=phones, last_order_at__isnull=False)
    return {str(phone): at for phone, at in rows.values_list("phone", "last_order_at") if at}


def _phones(one: Candidate) -> set[str]:
    return {fact.person.phone for fact in one.translation.facts if isinstance(fact, PersonFact) and fact.person.phone}
