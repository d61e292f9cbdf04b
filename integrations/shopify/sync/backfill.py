"""Writes one chunk of a shop's history: who somebody is, what they agreed to, and what they bought.

It goes the way of every other fact (translator, ``engine.writing``), without a delivery for each line, and without a
flow that hears of it. What happened since we listen is left to webhooks and to ``comparing``: written here first, the
webhook of a new order would start nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from smsflow_plugin import bulk
from smsflow_plugin.audience import ledger
from smsflow_plugin.engine import dated, lists
from smsflow_plugin.engine.starting import TOO_LATE, NewEvent
from smsflow_plugin.engine.writing import Entry, Written, write_people
from smsflow_plugin.events.facts import CannotUnderstand, Happening, PersonFact, RawDelivery, StoreInfo
from smsflow_plugin.events.models import Event
from smsflow_plugin.integrations.shopify.goods import MAX_LINES
from smsflow_plugin.integrations.shopify.payload import Payload
from smsflow_plugin.integrations.shopify.phones import why_unusable
from smsflow_plugin.integrations.shopify.sync import candidates, mapping
from smsflow_plugin.integrations.shopify.sync.gathering import Chunk, Node
from smsflow_plugin.integrations.shopify.sync.models import Resource
from smsflow_plugin.integrations.shopify.translate import translate
from smsflow_plugin.models import Identity, Store


@dataclass(frozen=True, slots=True)
class History:
    """Whose history it is. ``since``: what happened from then on is not written. ``began_at``: of the import."""

    store: Store
    since: datetime
    began_at: datetime
    start_flows: bool = False

    @property
    def info(self) -> StoreInfo:
        return StoreInfo(self.store.country, self.store.timezone, self.store.language, self.store.currency)


def write(resource: str, chunk: Chunk, history: History, now: datetime) -> Counter[str]:
    """Write a chunk, and return what came of it, counted. Must run in a transaction."""
    report: Counter[str] = Counter()
    if chunk.broken:
        report["broken"] += chunk.broken
    if resource == Resource.CUSTOMERS:
        entries = _customers(chunk.nodes, history, report)
    else:
        entries = _orders(chunk, history, report)
    _write(entries, history, report, now)
    if chunk.stragglers:
        _append_lines(chunk.stragglers, history)
    return report


# Customers ---------------------------------------------------------------------------------------


def _customers(nodes: Sequence[Node], history: History, report: Counter[str]) -> list[Entry]:
    dated_nodes = [node for node in nodes if candidates.when(node, "updatedAt") and mapping.number_of(node.get("id"))]
    report["unreadable"] += len(nodes) - len(dated_nodes)
    ids = {str(mapping.number_of(node["id"])) for node in dated_nodes}
    known = candidates.customers_known(history.store.pk, ids)
    removed = _tags_removed(known, min((candidates.moment(node) for node in dated_nodes), default=None))
    entries = []
    for node in dated_nodes:
        report["customers"] += 1
        own = known.get(str(mapping.number_of(node["id"])))
        entries += _profile(node, own, history, report, removed)
        entries += _consent(node, history, report)
    return entries


def _profile(
    node: Node,
    known: candidates.Known | None,
    history: History,
    report: Counter[str],
    removed: Mapping[tuple[int, str], datetime],
) -> list[Entry]:
    fact = _fact("customers/create", mapping.customer(node), candidates.moment(node), history)
    if fact is None:
        report["unreadable"] += 1
        return []
    _count_number(fact, report)
    if known is not None and known.profile_at is not None and known.profile_at > candidates.moment(node):
        report["newer_here"] += 1
    tags = candidates.tags_to_add(node, known)
    if known is not None:
        updated_at = candidates.moment(node)
        tags = [tag for tag in tags if not _taken_away(removed, known.contact_id, tag, updated_at)]
    language = Payload(node).text("locale")[:2].lower()
    person = replace(fact.person, tags_added=tuple(tags), language=language or None)
    happenings = tuple(one for one in fact.happenings if _is_history(one, history, report, "customers_recent"))
    return [Entry(None, history.store.pk, PersonFact(person, (), happenings))]


def _consent(node: Node, history: History, report: Counter[str]) -> list[Entry]:
    payload = mapping.consent(node)
    if payload is None:
        report["never_asked"] += 1
        return []
    at = candidates.when(payload["sms_marketing_consent"], "consent_updated_at")
    if at is not None and at >= history.since:
        report["consents_recent"] += 1
        return []
    fact = _fact("customers_marketing_consent/update", payload, candidates.said_at(node, payload), history)
    if fact is None:
        report["consent_without_number"] += 1
        return []
    return [Entry(None, history.store.pk, fact)]


def _count_number(fact: PersonFact, report: Counter[str]) -> None:
    if fact.person.phone:
        report["with_number"] += 1
        return
    written = next((str(one.data["unusable_phone"]) for one in fact.happenings if "unusable_phone" in one.data), "")
    report[f"number:{why_unusable(written)}" if written else "without_number"] += 1


def _tags_removed(known: Mapping[str, candidates.Known], since: datetime | None) -> dict[tuple[int, str], datetime]:
    """Return when tags were last taken away here, by contact and tag."""
    if not known or since is None:
        return {}
    rows = Event.objects.filter(
        contact_id__in={one.contact_id for one in known.values()}, kind="tag_removed", occurred_at__gte=since
    ).values_list("contact_id", "data", "occurred_at")
    found: dict[tuple[int, str], datetime] = {}
    for contact_id, data, at in rows:
        key = contact_id, str(data.get("tag", "")).casefold()
        found[key] = max(at, found.get(key, at))
    return found


def _taken_away(removed: Mapping[tuple[int, str], datetime], contact_id: int, tag: str, updated_at: datetime) -> bool:
    at = removed.get((contact_id, tag.casefold()))
    return at is not None and at >= updated_at


# Orders ------------------------------------------------------------------------------------------


def _orders(chunk: Chunk, history: History, report: Counter[str]) -> list[Entry]:
    entries = []
    for node in chunk.nodes:
        report["orders"] += 1
        children = chunk.children.get(str(node.get("id")), ())
        entry = _order(node, [child for child in children if mapping.number_of(child.get("id"))], history, report)
        if entry:
            entries.append(entry)
    return entries


def _order(node: Node, lines: Sequence[Node], history: History, report: Counter[str]) -> Entry | None:
    if candidates.when(node, "updatedAt") is None:
        report["unreadable"] += 1
        return None
    payload = mapping.order(node, lines)
    if payload["customer"] is None and not payload["phone"]:
        report["orders_of_nobody"] += 1  # from the till, mostly: nobody is known by it, and nobody ever will be
        return None
    fact = _fact("orders/create", payload, candidates.moment(node), history)
    if fact is None or not fact.happenings:
        report["orders_test" if node.get("test") is True else "orders_cancelled"] += 1
        return None
    created_at = candidates.moment(node, "createdAt")
    if created_at >= history.since:
        report["orders_recent"] += 1
        return None
    return Entry(None, history.store.pk, fact)


def _append_lines(stragglers: Mapping[str, Sequence[Node]], history: History) -> None:
    """Add items to orders of this import that are written already. Orders that were here before have theirs."""
    by_key = {str(mapping.number_of(parent) or ""): nodes for parent, nodes in stragglers.items()}
    rows = []
    events = Event.objects.filter(
        store_id=history.store.pk,
        kind="order_created",
        key__in=by_key,
        delivery=None,
        recorded_at__gte=history.began_at,
    )
    for pk, key, data in events.values_list("pk", "key", "data"):
        order = data.get("order")
        if not isinstance(order, dict):
            continue
        # through the translator, so that a line looks as all lines do
        extra = _fact(
            "orders/create",
            {"id": 1, "line_items": [mapping.line(node) for node in by_key[key]]},
            history.began_at,
            history,
        )
        more = extra.happenings[0].data["order"] if extra and extra.happenings else {"lines": [], "item_count": 0}
        order["lines"] = [*order.get("lines", ()), *more["lines"]][:MAX_LINES]
        order["item_count"] = order.get("item_count", 0) + more["item_count"]
        order["first_item"] = order.get("first_item") or more["first_item"]
        rows.append((pk, data))
    bulk.update(Event, ("data",), rows)


# Both --------------------------------------------------------------------------------------------


def _fact(topic: str, payload: Mapping[str, Any], at: datetime, history: History) -> PersonFact | None:
    """Return what a webhook with this payload would say."""
    headers = {"x-shopify-triggered-at": at.isoformat()}
    raw = RawDelivery("shopify", topic, "history", headers, mapping.body(payload), at)
    try:
        facts = translate(raw, history.info).facts
    except CannotUnderstand:
        return None
    return next((fact for fact in facts if isinstance(fact, PersonFact)), None)


def _is_history(one: Happening, history: History, report: Counter[str], otherwise: str) -> bool:
    if one.occurred_at < history.since:
        return True
    report[otherwise] += 1
    return False


def _write(entries: Sequence[Entry], history: History, report: Counter[str], now: datetime) -> None:
    if not entries:
        return
    store_id = history.store.pk
    keys = {(store_id, ledger.key_of(consent)) for entry in entries for consent in entry.fact.consents}
    said = ledger.known_keys(keys)
    for entry in entries:
        for consent in entry.fact.consents:
            if (store_id, ledger.key_of(consent)) in said:
                report["consents_known"] += 1
            else:
                level = f":{consent.proof.opt_in_level}" if consent.proof.opt_in_level else ""
                report[f"consent:{consent.action}{level}"] += 1
                report["consents_undated"] += not consent.dated
    written = write_people(entries, {store_id: history.store}, now, heard=_heard(history, now))
    _count(written, report)
    people = _contacts(entries, written, store_id)
    if people:
        lists.take_note_of(store_id, people, now)
        dated.take_note_of(store_id, people, now)


def _heard(history: History, now: datetime) -> Callable[[NewEvent], bool]:
    def heard(event: NewEvent) -> bool:
        return history.start_flows and now - event.occurred_at <= TOO_LATE

    return heard


def _count(written: Written, report: Counter[str]) -> None:
    report["created"] += written.created
    report["updated"] += max(written.changed - written.created, 0)
    report["codes"] += written.redeemed
    report["orders_new"] += sum(1 for event in written.events if event.kind == "order_created")


def _contacts(entries: Iterable[Entry], written: Written, store_id: int) -> set[int]:
    """Return whom the chunk was about."""
    ids = {value for entry in entries for kind, value in entry.fact.person.identities if kind == "customer"}
    people = {event.contact_id for event in written.events}
    rows = Identity.objects.filter(store_id=store_id, kind=Identity.Kind.CUSTOMER, value__in=ids)
    return people | set(rows.values_list("contact_id", flat=True))
