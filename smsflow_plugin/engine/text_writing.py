"""Writes what has become of the texts of a batch, once flows have reacted to them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from smsflow_plugin import bulk
from smsflow_plugin.audience import outward
from smsflow_plugin.audience.consent import REVOKED
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.number_countries import country_of
from smsflow_plugin.conversations import threads
from smsflow_plugin.conversations.routing import By, Route, Why
from smsflow_plugin.conversations.standing import Heard
from smsflow_plugin.engine.entering import react
from smsflow_plugin.engine.facts import contact_values
from smsflow_plugin.engine.governor import Written
from smsflow_plugin.engine.starting import NewEvent
from smsflow_plugin.engine.texts import Texts
from smsflow_plugin.events.models import Event
from smsflow_plugin.flows.context import copy_context
from smsflow_plugin.governance.rules import MessageClass
from smsflow_plugin.messaging import spending
from smsflow_plugin.messaging.choosing import choose
from smsflow_plugin.messaging.copy import Composed, CopyError, MissingValue, compose, in_language
from smsflow_plugin.messaging.gate import ANSWER
from smsflow_plugin.messaging.models import Message

logger = logging.getLogger(__name__)

#: A text that staff has taken is nobody's answer: no run listens to it when flows go on again.
STAFF_HEARD = 0

_MESSAGE_COLUMNS = (
    "store_id", "contact_id", "key", "purpose", "message_class", "priority", "sender", "to", "body", "slots",
    "parts", "encoding", "state", "queued_at", "not_before", *spending.COLUMNS,
)  # fmt: skip


def write_texts(texts: Texts | None) -> None:
    """Write the traces, answer what is answered by itself, tag people, and tell the threads."""
    if texts is None:
        return
    _queue_answers(texts)
    routed = list(texts.routes.values())
    bulk.update(
        Event,
        ("data", "heard_by"),
        [
            (event.pk, {**event.data, "route": route.to_json()}, STAFF_HEARD if route.by is By.STAFF else None)
            for event, route in sorted(routed, key=lambda pair: pair[0].pk)
        ],
    )
    threads.heard(
        [
            (
                (event.store_id, event.contact_id),
                Heard(event.occurred_at, str(event.data.get("body") or ""), opens=route.opens),
            )
            for event, route in sorted(routed, key=lambda pair: (pair[0].occurred_at, pair[0].pk))
        ],
        texts.now,
    )
    _tag(texts)


# Answers -----------------------------------------------------------------------------------------


def _queue_answers(texts: Texts) -> None:
    answered = [(event, route) for event, route in texts.routes.values() if route.answers]
    if not answered:
        return
    price = spending.price_list(texts.stores.values())
    rows = []
    for event, route in answered:
        contact = texts.contacts[event.contact_id]
        if contact.service_consent == REVOKED or not contact.phone:
            texts.without_answer(event, Why.OPTED_OUT)
            continue
        try:
            composed = _compose(texts, event, route, contact)
        except (MissingValue, CopyError) as error:
            logger.warning("An automatic answer of store %s could not be written: %s", event.store_id, error)
            texts.without_answer(event, Why.COPY)
            continue
        store, to = texts.stores[event.store_id], str(contact.phone)
        parts = composed.parts
        rows.append(
            (
                store.pk, contact.pk, f"answer:{event.pk}", ANSWER, MessageClass.SERVICE.value, 0,
                _sender(texts, contact), to, composed.text, [list(slot) for slot in composed.slots],
                parts.parts, parts.encoding, Message.State.QUEUED.value, texts.now, texts.now,
                *price(store.pk, to, parts.parts, contact.country),
            )
        )  # fmt: skip
    written = bulk.insert(Message, _MESSAGE_COLUMNS, rows, returning=("store_id", "message_class", "cost", "parts"))
    zones = {pk: store.timezone for pk, store in texts.stores.items()}
    spending.count_texts(
        [(store_id, zones[store_id], kind, cost, parts) for store_id, kind, cost, parts in written], texts.now
    )


def _sender(texts: Texts, contact: Contact) -> str:
    """Return from which number the answer comes: whoever writes to a number is texted from it from then on."""
    country = country_of(str(contact.phone)) or contact.country
    senders = texts.senders[contact.store_id]
    return choose(
        senders, message_class=MessageClass.REPLY.value, country=country, sticky=contact.sender, texted=contact.sender
    ).address


def _compose(texts: Texts, event: NewEvent, route: Route, contact: Contact) -> Composed:
    store = texts.stores[event.store_id]
    line = texts.line_of(event, route)
    reply = line.reply if line is not None else texts.responders[event.store_id].reply
    copy = {str(key): str(text) for key, text in reply.items() if text} if isinstance(reply, Mapping) else {}
    language = next(
        (code for code in (contact.language, store.language, *copy) if code and in_language(copy, code)), ""
    )
    context: dict[str, Any] = copy_context(
        contact_values(contact), {"name": store.name, "brand": store.brand, "url": store.website}, event.data, {}
    )
    context["contact"] = Written(context["contact"], contact)
    # the brand stands in front as in all that the store sends unasked; how to leave they know, for they wrote
    dressed = MessageClass.MARKETING.value
    return compose(copy, {}, language, context, brand=store.brand, message_class=dressed, add_opt_out=False)


# Tags --------------------------------------------------------------------------------------------


def _tag(texts: Texts) -> None:
    """Give people the tags of the lines that have taken their texts; that may start flows of its own."""
    events, changes, changed = [], [], {}
    for event, route in texts.routes.values():
        line = texts.line_of(event, route)
        contact = texts.contacts[event.contact_id]
        if line is None or not line.tag or line.tag.casefold() in {str(tag).casefold() for tag in contact.tags}:
            continue
        contact.tags = [*contact.tags, line.tag]
        changed[contact.pk] = contact.tags
        changes.append(outward.TagChange(contact.store_id, contact.pk, line.tag))
        data = {"tag": line.tag, "hops": 1}
        key = f"keyword:{event.pk}:{uuid4().hex}"
        events.append(NewEvent(0, event.store_id, contact.pk, "tag_added", key, "", texts.now, data))
    if not events:
        return
    bulk.update(Contact, ("tags",), sorted(changed.items()))
    outward.tags_changed(changes, texts.now)
    written = bulk.insert(
        Event,
        ("store_id", "contact_id", "kind", "key", "subject", "occurred_at", "recorded_at", "data"),
        [(e.store_id, e.contact_id, e.kind, e.key, e.subject, e.occurred_at, texts.now, e.data) for e in events],
        returning=("id", "key"),
    )
    ids = {key: pk for pk, key in written}
    react([replace(event, pk=ids[event.key]) for event in events], texts.contacts, set(), texts.now)
