"""The double opt-in that needs no flow: asks once for each request, and takes a yes while the question is open.

A live flow of the class "opt-in question" asks in its own words; whoever it takes in is not asked here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q

from smsflow_plugin import bulk
from smsflow_plugin.audience.consent import CONFIRMED, GRANTED, PENDING, Consent, Proof
from smsflow_plugin.audience.keyword_replies import confirmed_reply
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.number_countries import country_of
from smsflow_plugin.audience.opt_in_words import OPEN_FOR, ask_text, says_yes
from smsflow_plugin.conversations.routing import PROMPT
from smsflow_plugin.engine.answers import understand
from smsflow_plugin.engine.facts import Programs
from smsflow_plugin.engine.inbound import Received, answers_from, is_prompt
from smsflow_plugin.engine.interpreter import current
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.engine.starting import NewEvent
from smsflow_plugin.engine.state import State
from smsflow_plugin.events.facts import Happening, PersonFact
from smsflow_plugin.events.kinds import Keyword
from smsflow_plugin.flows.program import Listen
from smsflow_plugin.messaging.choosing import Senders, choose
from smsflow_plugin.messaging.gate import ANSWER
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.messaging.parts import count_parts, to_gsm
from smsflow_plugin.messaging.senders import senders_of
from smsflow_plugin.stores.changes import note
from smsflow_plugin.stores.models import Store

if TYPE_CHECKING:
    from smsflow_plugin.engine.writing import Entry

REQUESTED = "opt_in_requested"

#: What a request's event says if nobody but us will ask.
ASK = "ask"

#: Begins the key of every question that was asked here.
KEY = "ask:"

#: A question that comes a day after the form was sent would surprise people.
IN_QUEUE = timedelta(hours=24)

#: The purpose of a question that answers nothing any more.
LATE = "late_question"

_COLUMNS = (
    "store_id", "contact_id", "key", "purpose", "message_class", "priority", "step", "visit",
    "sender", "to", "body", "slots",
    "parts", "encoding", "state", "reason", "attempts", "queued_at", "not_before", "expires_at",
)  # fmt: skip


def ask(
    events: Sequence[NewEvent], contacts: Mapping[int, Contact], stores: Mapping[int, Store], now: datetime
) -> None:
    """Queue the question for new requests that no flow has taken in. Call it once flows have reacted.

    It answers what the person did a moment ago, and so goes out at once like every such answer. A request that is
    heard of late is no such thing: its question waits for the morning like any other.
    """
    requests = [event for event in events if event.kind == REQUESTED and event.data.get(ASK) is True]
    if not requests:
        return
    taken = _taken_in([event.pk for event in requests])
    senders = senders_of({event.store_id: stores[event.store_id] for event in requests}.values())
    bulk.insert(
        Message,
        _COLUMNS,
        [
            _question(event, contacts[event.contact_id], stores[event.store_id], senders[event.store_id], now)
            for event in requests
            if event.pk not in taken and contacts[event.contact_id].phone
        ],
    )
    note([(event.store_id, now) for event in requests], {pk: store.timezone for pk, store in stores.items()})


def _taken_in(event_ids: Collection[int]) -> set[int]:
    runs = Enrollment.objects.filter(trigger_event_id__in=event_ids, flow__message_class=Message.Class.OPTIN)
    return {event_id for event_id in runs.values_list("trigger_event_id", flat=True) if event_id is not None}


def _question(event: NewEvent, contact: Contact, store: Store, senders: Senders, now: datetime) -> tuple[object, ...]:
    language = str(event.data.get("language") or contact.language or store.language)
    body = to_gsm(ask_text(store.brand, language, str(event.data.get("terms_url") or "")))
    parts = count_parts(body)
    kind, country = Message.Class.OPTIN.value, country_of(str(contact.phone)) or contact.country
    sender = choose(senders, message_class=kind, country=country, sticky=contact.sender)
    purpose = ANSWER if now - event.occurred_at <= PROMPT else LATE
    return (
        store.pk, contact.pk, f"{KEY}{event.pk}", purpose, kind, 0, "", 0,
        sender.address, str(contact.phone), body, [],
        parts.parts, parts.encoding, Message.State.QUEUED.value, "", 0, now, now, event.occurred_at + IN_QUEUE,
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
    others = _flows_questions(questions)
    result = list(placed)
    for index, contact_id in answers.items():
        entry = placed[index][0]
        assert entry.received is not None
        asked = [(pk, at) for pk, at in questions.get(contact_id, ()) if at <= entry.received.inbound.at + SKEW]
        if asked and not _answers_a_flow(entry.received, asked[-1][1], contacts[contact_id], others):
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


def _flows_questions(contact_ids: Collection[int]) -> dict[int, list[tuple[State, Listen]]]:
    """Return the questions at which runs of these people stand, by contact. Two statements at most."""
    found: dict[int, list[tuple[State, Listen]]] = {}
    if not contact_ids:
        return found
    runs = Enrollment.objects.filter(contact_id__in=contact_ids, status=Enrollment.Status.WAITING)
    going = runs.filter(Q(flow__live=True) | Q(test_pace__isnull=False))
    rows = list(going.values_list("contact_id", "version_id", "state"))
    programs = Programs.load(version_id for _contact, version_id, _state in rows)
    for contact_id, version_id, stored in rows:
        try:
            state = State.from_json(stored)
        except (AttributeError, TypeError, ValueError):  # it fails when it is due, alone
            continue
        program = programs.get(version_id)
        question = current(program, state) if program else None
        if isinstance(question, Listen):
            found.setdefault(contact_id, []).append((state, question))
    return found


def _answers_a_flow(
    received: Received, asked_at: datetime, contact: Contact, others: Mapping[int, Sequence[tuple[State, Listen]]]
) -> bool:
    """Return whether a yes answers what a flow has asked after us: then it agrees to no texts.

    Only a question that takes a yes counts, and only words that runs listen to.
    """
    if received.keyword is not None:
        return False
    at, body = received.inbound.at, received.inbound.body
    return any(
        state.asked_at is not None
        and asked_at <= state.asked_at <= at
        and (state.waiting_until is None or at <= state.waiting_until)
        and understand(body, question.choices, contact.language) is not None
        for state, question in others.get(contact.pk, ())
    )


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
    """Answer every yes that took effect, once, unless it comes late: carriers ask for a welcome with how to leave."""
    answered = []
    for index in sorted(took_effect):
        entry, contact_id = placed[index]
        question = next(
            (c.evidence.get("question") for c in entry.fact.consents if c.proof.opt_in_level == CONFIRMED), None
        )
        if question and entry.received and is_prompt(entry.received.inbound, now):
            answered.append((question, entry, entry.received, contacts[contact_id]))
    if not answered:
        return
    senders = senders_of({entry.store_id: stores[entry.store_id] for _q, entry, _r, _c in answered}.values())
    rows = []
    for question, entry, received, contact in answered:
        sender = answers_from(senders[entry.store_id], received.inbound, contact)
        rows.append(_thanks(question, contact, stores[entry.store_id], received, sender, now))
    bulk.insert(Message, _COLUMNS, rows)
    note([(entry.store_id, now) for _q, entry, _r, _c in answered], {pk: one.timezone for pk, one in stores.items()})


def _thanks(
    question: int, contact: Contact, store: Store, received: Received, sender: str, now: datetime
) -> tuple[object, ...]:
    body = to_gsm(confirmed_reply(store.brand, store.help_contact, contact.language or store.language))
    parts = count_parts(body)
    return (
        store.pk, contact.pk, f"confirmed:{question}", "keyword", Message.Class.REPLY.value, 0, "", 0,
        sender, received.inbound.sender, body, [],
        parts.parts, parts.encoding, Message.State.QUEUED.value, "", 0, now, now, None,
    )  # fmt: skip
