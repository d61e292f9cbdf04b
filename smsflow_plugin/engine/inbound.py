"""Texts from people: what STOP, HELP and START do at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from smsflow_plugin import bulk
from smsflow_plugin.audience.consent import GRANTED, SINGLE, Proof
from smsflow_plugin.audience.keyword_replies import help_reply, start_reply, stop_reply
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.number_countries import country_of
from smsflow_plugin.audience.replies import Verdict, read_reply
from smsflow_plugin.conversations.routing import PROMPT
from smsflow_plugin.events.facts import Consent, Happening, Inbound, Person, PersonFact
from smsflow_plugin.events.inbox import shortened
from smsflow_plugin.events.kinds import Keyword
from smsflow_plugin.messaging import spending
from smsflow_plugin.messaging.choosing import Senders, choose, may_text
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.messaging.parts import count_parts, to_gsm
from smsflow_plugin.messaging.senders import senders_of
from smsflow_plugin.stores.models import Store

#: North American toll-free numbers: the network itself answers STOP there, and a second
#: answer would be one text too many.
TOLL_FREE = ("+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888")


#: What an event keeps of a verdict.
KEYWORDS: Mapping[Verdict, Keyword | None] = {
    Verdict.OPT_OUT: Keyword.STOP,
    Verdict.HELP: Keyword.HELP,
    Verdict.OPT_IN: Keyword.START,
    Verdict.DOUBTFUL: Keyword.UNCLEAR,
    Verdict.OTHER: None,
}


@dataclass(frozen=True, slots=True)
class Received:
    """A text from a person, as the facts that it means. ``because`` says what it was read by."""

    fact: PersonFact
    keyword: Keyword | None
    inbound: Inbound
    because: str = ""


def sender_of(inbound: Inbound) -> PersonFact:
    """Return who wrote, before the text is read: that takes the person's language."""
    return PersonFact(Person(phone=inbound.sender))


def read(inbound: Inbound, language: str, *others: str) -> Received:
    """Say what a text from a person means, in the words of the core. Pure.

    ``language`` is the person's, ``others`` those that they may write in as well.
    """
    reading = read_reply(inbound.body, language, *others)
    keyword = KEYWORDS[reading.verdict]
    happening = Happening(
        "message_received",
        inbound.external_id,
        inbound.at,
        data={"body": inbound.body, "keyword": keyword.value if keyword else None},
    )
    consent = _consent(keyword, inbound)
    happenings = [happening]
    if consent:
        kind = "opted_in" if consent.action == GRANTED else "opted_out"
        happenings.append(Happening(kind, consent.key, inbound.at, data={"source": consent.source}))
    fact = PersonFact(Person(phone=inbound.sender), (consent,) if consent else (), tuple(happenings))
    return Received(fact, keyword, inbound, reading.because)


def _consent(keyword: Keyword | None, inbound: Inbound) -> Consent | None:
    if keyword is Keyword.STOP:
        action, scope = "revoked", "all"
    elif keyword is Keyword.START:
        action, scope = "granted", "marketing"
    else:
        return None
    return Consent(
        action,
        scope,
        "keyword",
        inbound.at,
        key=f"inbound:{inbound.external_id}",
        wording=inbound.body,
        evidence={"inbound": inbound.external_id, "to": inbound.to},
        own_words=True,
        proof=Proof(channel="text", opt_in_level=SINGLE if action == "granted" else ""),
    )


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a keyword; ``changed`` says whether the consent really changed by it."""

    store: Store
    contact: Contact
    received: Received
    changed: bool


def queue_replies(replies: Sequence[Reply], now: datetime) -> None:
    """Put the answers into the outbox: one for each revocation, HELP at most once an hour, neither when it is late."""
    if not replies:
        return
    prompt = [reply for reply in replies if is_prompt(reply.received.inbound, now)]
    asked = [(reply, key) for reply in prompt if (key := _reply_key(reply, now))]
    if not asked:
        return
    stores = {reply.store.pk: reply.store for reply, _key in asked}.values()
    price, senders = spending.price_list(stores), senders_of(stores)
    rows = []
    for reply, key in asked:
        sender = answers_from(senders[reply.store.pk], reply.received.inbound, reply.contact)
        if _network_answers(reply, sender):
            continue
        body = to_gsm(_reply_text(reply))
        parts = count_parts(body)
        to = reply.received.inbound.sender
        rows.append(
            (
                reply.store.pk, reply.contact.pk, key, "keyword", Message.Class.REPLY.value, 0, "", 0,
                sender, to, body, [],
                parts.parts, parts.encoding, Message.State.QUEUED.value, "", 0, now, now,
                *price(reply.store.pk, to, parts.parts, reply.contact.country),
            )
        )  # fmt: skip
    zones = {store.pk: store.timezone for store in stores}
    # an answer that was given before is not given again, and costs nothing
    written = bulk.insert(Message, _COLUMNS, rows, returning=("store_id", "message_class", "cost", "parts"))
    spending.count_texts(
        [(store_id, zones[store_id], kind, cost, parts) for store_id, kind, cost, parts in written], now
    )


_COLUMNS = (
    "store_id", "contact_id", "key", "purpose", "message_class", "priority", "step", "visit",
    "sender", "to", "body", "slots",
    "parts", "encoding", "state", "reason", "attempts", "queued_at", "not_before", *spending.COLUMNS,
)  # fmt: skip


def is_prompt(inbound: Inbound, now: datetime) -> bool:
    """Return whether a text was written a moment ago, so that an answer to it comes as one.

    No hour holds these answers up: after an outage they would wake people. Who left is left alone, and who asked for
    help is in the inbox.
    """
    return now - inbound.at <= PROMPT


def _reply_key(reply: Reply, now: datetime) -> str:
    keyword = reply.received.keyword
    if keyword is Keyword.HELP:
        return f"help:{reply.contact.pk}:{now:%Y%m%d%H}"
    if keyword in (Keyword.STOP, Keyword.START) and reply.changed:
        return shortened(f"{keyword.value}:{reply.received.inbound.external_id}", 255)
    return ""


def answers_from(senders: Senders, inbound: Inbound, contact: Contact) -> str:
    """Return from which number a text is answered: from the one that it was sent to, if it is one of the store's."""
    country = country_of(inbound.sender) or contact.country
    return choose(
        senders, message_class=Message.Class.REPLY.value, country=country, sticky=contact.sender, texted=inbound.to
    ).address


def stick(received: Iterable[tuple[Contact, Inbound]], senders: Mapping[int, Senders]) -> None:
    """Let people be texted from now on from the number that they have just written to."""
    for contact, inbound in received:
        texted = senders[contact.store_id].named(inbound.to)
        if texted is None or not texted.active or texted.is_name:
            continue
        if may_text(texted, country_of(inbound.sender) or contact.country):
            contact.sender = texted.address


def _network_answers(reply: Reply, sender: str) -> bool:
    return reply.received.keyword is Keyword.STOP and sender.startswith(TOLL_FREE)


def _reply_text(reply: Reply) -> str:
    write = {Keyword.STOP: stop_reply, Keyword.HELP: help_reply, Keyword.START: start_reply}
    assert reply.received.keyword is not None
    language = reply.contact.language or reply.store.language
    return write[reply.received.keyword](reply.store.brand, reply.store.help_contact, language)
