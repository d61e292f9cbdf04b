"""The double opt-in that needs no flow: asks once for each request, and takes a yes while the question is open.

A live flow of the class "opt-in question" asks in its own words; whoever it takes in is not asked here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from smsflow_plugin import bulk
from smsflow_plugin.audience.consent import CONFIRMED, GRANTED, PENDING, Consent, Proof
from smsflow_plugin.audience.keyword_replies import confirmed_reply
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.opt_in_words import OPEN_FOR, ask_text, says_yes
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.engine.starting import NewEvent
from smsflow_plugin.events.facts import Happening, PersonFact
from smsflow_plugin.events.kinds import Keyword
from smsflow_plugin.messaging.gate import ANSWER
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.messaging.parts import count_parts, to_gsm
from smsflow_plugin.stores.models import Store

if TYPE_CHECKING:
    from smsflow_plugin.engine.inbound import Received
    from smsflow_plugin.engine.writing import Entry

REQUESTED = "opt_in_requested"

#: What a request's event says if nobody but us will ask.
ASK = "ask"

#: Begins the key of every question that was asked here.
KEY = "ask:"

#: A question that comes a day after the form was sent would surprise people.
IN_QUEUE = timedelta(hours=24)

_COLUMNS = (
    "store_id", "contact_id", "key", "purpose", "message_class", "priority", "step", "visit",
    "sender", "to", "body", "slots",
    "parts", "encoding", "state", "reason", "attempts", "queued_at", "not_before", "expires_at",
)  # fmt: skip


def ask(
    events: Sequence[NewEvent], contacts: Mapping[int, Contact], stores: Mapping[int, Store], now: datetime
) -> None:
    """Queue the question for new requests that no flow has taken in. Call it once flows have reacted.

    It answers what the person did a moment ago, and so goes out at once like every such answer.
    """
    requests = [event for event in events if event.kind == REQUESTED and event.data.get(ASK) is True]
    if not requests:
        return
    taken = _taken_in([event.pk for event in requests])
    bulk.insert(
        Message,
        _COLUMNS,
        [
            _question(event, contacts[event.contact_id], stores[event.store_id], now)
            for event in requests
            if event.pk not in taken and contacts[event.contact_id].phone
        ],
    )


def _taken_in(event_ids: Collection[int]) -> set[int]:
    runs = Enrollment.objects.filter(trigger_event_id__in=event_ids, flow__message_class=Message.Class.OPTIN)
    return {event_id for event_id in runs.values_list("trigger_event_id", flat=True) if event_id is not None}


def _question(event: NewEvent, contact: Contact, store: Store, now: datetime) -> tuple[object, ...]:
    language = str(event.data.get("language") or contact.language or store.language)
    body = to_gsm(ask_text(store.brand, language, str(event.data.get("terms_url") or "")))
    parts = count_parts(body)
    return (
        store.pk, contact.pk, f"{KEY}{event.pk}", ANSWER, Message.Class.OPTIN.value, 0, "", 0,
        store.sender, str(contact.phone), body, [],
        parts.parts, parts.encoding, Message.State.QUEUED.value, "", 0, now, now, now + IN_QUEUE,
    )  # fmt: skip


def take_answers(
    placed: Sequence[tuple[Entry, int]], contacts: Mapping[int, Contact], now: datetime
) -> list[tuple[Entry, int]]:
    """Return ``placed`` with every yes to one of our questions as the consent that it is.

    A yes that answers no question stays what it was: a text.
    """
    answers = {
        index: contact_id
        for index, (entry, contact_id) in enumerate(placed)
        if entry.received is not None
        and contacts[contact_id].marketing_consent == PENDING
        and entry.received.keyword in (None, Keyword.START)
        and says_yes(entry.received.inbound.body)
    }
    if not answers:
        return list(placed)
    questions = _open_questions(set(answers.values()), now)
    result = list(placed)
    for index, contact_id in answers.items():
        entry = placed[index][0]
        assert entry.received is not None
        asked = [(pk, at) for pk, at in questions.get(contact_id, ()) if at <= entry.received.inbound.at + SKEW]
        if asked:
            result[index] = (_confirmed(entry, entry.received, asked[-1][0]), contact_id)
            del questions[contact_id]  # a second yes in the same batch answers nothing any more
    return result


#: By how much the clocks of a gateway and ours may differ.
SKEW = timedelta(minutes=5)


def _open_questions(contact_ids: Collection[int], now: datetime) -> dict[int, list[tuple[int, datetime]]]:
    """Return the questions that may still be answered, oldest first, by contact. One statement."""
    rows = (
        Message.objects.filter(
            contact_id__in=contact_ids,
            message_class=Message.Class.OPTIN,
            key__startswith=KEY,
            queued_at__gt=now - OPEN_FOR,
        )
        .exclude(state=Message.State.CANCELLED)
        .order_by("queued_at", "pk")
        .values_list("contact_id", "pk", "queued_at")
    )
    found: dict[int, list[tuple[int, datetime]]] = {}
    for contact_id, pk, queued_at in rows:
        if contact_id is not None:
            found.setdefault(contact_id, []).append((pk, queued_at))
    return found


def _confirmed(entry: Entry, received: Received, question: int) -> Entry:
    inbound = received.inbound
    consent = Consent(
        GRANTED,
        "marketing",
        "double_opt_in",
        inbound.at,
        key=f"double_opt_in:{question}",
        wording=inbound.body,
        evidence={
            "inbound": inbound.external_id,
            "to": inbound.to,
            "question": question,
            "opt_in_level": CONFIRMED,
        },
        own_words=True,
        proof=Proof(channel="text", opt_in_level=CONFIRMED),
    )
    # with a keyword, the text is nobody else's answer and starts no flow for texts out of the blue
    said = [
        replace(one, data={**one.data, "keyword": Keyword.START.value})
        for one in entry.fact.happenings
        if one.kind == "message_received"
    ]
    agreed = Happening("opted_in", consent.key, inbound.at, data={"source": consent.source})
    fact = PersonFact(entry.fact.person, (consent,), (*said, agreed))
    return replace(entry, fact=fact, received=replace(received, fact=fact, keyword=None))


def thank(
    placed: Sequence[tuple[Entry, int]],
    took_effect: Collection[int],
    contacts: Mapping[int, Contact],
    stores: Mapping[int, Store],
    now: datetime,
) -> None:
    """Answer every yes that took effect, once: carriers ask for a welcome that says how to leave."""
    rows = []
    for index in sorted(took_effect):
        entry, contact_id = placed[index]
        question = next(
            (c.evidence.get("question") for c in entry.fact.consents if c.proof.opt_in_level == CONFIRMED), None
        )
        if question and entry.received:
            rows.append(_thanks(question, contacts[contact_id], stores[entry.store_id], entry.received, now))
    bulk.insert(Message, _COLUMNS, rows)


def _thanks(question: int, contact: Contact, store: Store, received: Received, now: datetime) -> tuple[object, ...]:
    body = to_gsm(confirmed_reply(store.brand, store.help_contact, contact.language or store.language))
    parts = count_parts(body)
    return (
        store.pk, contact.pk, f"confirmed:{question}", "keyword", Message.Class.REPLY.value, 0, "", 0,
        store.sender, received.inbound.sender, body, [],
        parts.parts, parts.encoding, Message.State.QUEUED.value, "", 0, now, now, None,
    )  # fmt: skip
