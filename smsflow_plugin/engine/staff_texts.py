"""May staff text this person now, and the text that they get. Called with the contact locked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from smsflow_plugin import clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.number_countries import country_of
from smsflow_plugin.audience.suppression import suppressed
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.conversations.models import Thread
from smsflow_plugin.engine.facts import places
from smsflow_plugin.engine.people_facts import recipient_of
from smsflow_plugin.events.models import Event
from smsflow_plugin.governance.decide import decide
from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.governance.rules import Decision, Intent, MessageClass, Priority, Reason, Verdict
from smsflow_plugin.messaging import spending
from smsflow_plugin.messaging.choosing import choose
from smsflow_plugin.messaging.gate import STAFF
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.messaging.parts import count_parts, to_gsm
from smsflow_plugin.messaging.senders import senders_of
from smsflow_plugin.stores.models import Connection, Store

#: Longer texts cost more than anybody expects of an answer.
MAX_LENGTH = 1000

#: Who has written within so many days may be asked how it went on.
KNOWN_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Words:
    """What staff wrote. ``key`` names it, so that a form that is sent twice is one text."""

    body: str
    key: str
    media_url: str = ""


def check_words(words: Words) -> None:
    """Raise a ``ValidationError`` for ``body`` unless this can be sent as a text."""
    if not words.body and not words.media_url:
        raise ValidationError({"body": _("Write a text.")})
    if len(words.body) > MAX_LENGTH:
        raise ValidationError({"body": _("A text is longer than %(limit)d characters.") % {"limit": MAX_LENGTH}})


def may_write(contact: Contact, heard_at: datetime | None) -> Decision:
    """Return whether a text that somebody writes by hand may go to the person now, later, or not at all.

    Neither caps nor the rules of marketing speak about it. Within 24 hours of what the person wrote it
    may go at any hour; out of the blue it keeps the hours of marketing, and waits for the morning.
    """
    store = contact.store
    rules = rules_of([store])[store.pk]
    now = clock.now()
    known = recipient_of(contact, places(contact, store), suppressed=suppressed([contact]).get(contact.pk, ""), now=now)
    intent = Intent(MessageClass.SERVICE, answers=heard_at, priority=Priority.SERVICE, by_staff=True)
    return decide(intent, rules.rules, replace(known, handed_over=False), now, rules.situation)


def check_may_write(contact: Contact, heard_at: datetime | None) -> datetime:
    """Return when a text of staff may go to the person.

    :raises ValidationError: with a sentence about why it may not.
    """
    if contact.erased_at is not None:
        raise ValidationError(_("This person was erased."))
    if not Connection.objects.filter(store=contact.store_id, kind__in=smsflow_settings.GATEWAYS).exists():
        raise ValidationError(_("Connect the store to a gateway first."))
    decision = may_write(contact, heard_at)
    if decision.allowed:
        return clock.now()
    if decision.verdict is Verdict.DEFER and decision.reason is Reason.QUIET_HOURS and decision.until:
        return decision.until
    raise ValidationError(refusal(decision.reason))


def refusal(reason: Reason) -> str:
    """Say to staff why they cannot text the person."""
    match reason:
        case Reason.OPTED_OUT:
            return _("This person has opted out. They get no more texts, also not from you.")
        case Reason.SUPPRESSED:
            return _("This number is on the suppression list of this store.")
        case Reason.NO_PHONE:
            return _("This person has no number.")
        case Reason.STORE_OFF:
            return _("Nothing is sent for this store, because it is not active.")
        case Reason.PANIC:
            return _("All texts are stopped at the moment.")
        case Reason.NEVER_OPEN:
            return _("The quiet hours of the places where this person may be leave no time for a text.")
    return _("This person cannot be texted now.")


def check_may_start(contact: Contact) -> None:
    """Raise a ``ValidationError`` unless staff may write to the person without having been asked.

    They agreed to marketing texts, or wrote to the store themselves in the last 30 days.
    """
    if contact.service_consent == Contact.Consent.REVOKED or contact.marketing_consent == Contact.Consent.REVOKED:
        raise ValidationError(refusal(Reason.OPTED_OUT))
    if not _agreed_or_wrote(contact):
        raise ValidationError(_out_of_the_blue())


def why_not_go_on(thread: Thread) -> str:
    """Say why staff may not write into a conversation that has ended long ago; empty if they may.

    It is as if they started one. Whom a flow has handed over waits for staff, whenever they wrote.
    """
    waits = thread.state != Thread.State.CLOSED and thread.needs == Thread.Needs.PERSON
    lately = thread.heard_at is not None and thread.heard_at >= clock.now() - KNOWN_FOR
    return "" if waits or lately or _agreed_or_wrote(thread.contact) else _out_of_the_blue()


def _out_of_the_blue() -> str:
    return _("This person has not agreed to texts, and has not written in the last 30 days.")


def _agreed_or_wrote(contact: Contact) -> bool:
    if contact.marketing_consent == Contact.Consent.GRANTED:
        return True
    since = clock.now() - KNOWN_FOR
    return Event.objects.filter(contact=contact, kind="message_received", occurred_at__gte=since).exists()


def already_sent(contact: Contact, words: Words) -> Message | None:
    """Return the text that the same form has sent before, if it has."""
    return Message.objects.filter(store=contact.store_id, key=_key(contact, words)).first()


def queue(contact: Contact, user: Any, words: Words, not_before: datetime) -> Message:
    """Put the text into the outbox."""
    now = clock.now()
    store: Store = contact.store
    body = to_gsm(words.body)
    parts = count_parts(body)
    price = spending.price_list([store])(store.pk, str(contact.phone), parts.parts, contact.country)
    message = Message.objects.create(
        store=store,
        contact=contact,
        key=_key(contact, words),
        purpose=STAFF,
        message_class=Message.Class.SERVICE,
        sender=_sender(store, contact, picture=bool(words.media_url)),
        to=str(contact.phone),
        body=body,
        media_url=words.media_url,
        parts=parts.parts,
        encoding=parts.encoding,
        reason=Reason.QUIET_HOURS.value if not_before > now else "",
        queued_at=now,
        not_before=not_before,
        author=user,
        **price._asdict(),
    )
    spent = (store.pk, store.timezone, message.message_class, message.cost, message.parts)
    spending.count_texts([spent], now)
    return message


def _key(contact: Contact, words: Words) -> str:
    return f"staff:{contact.pk}:{words.key}"[:255]


def _sender(store: Store, contact: Contact, *, picture: bool) -> str:
    country = country_of(str(contact.phone)) or contact.country
    senders = senders_of([store])[store.pk]
    kind = Message.Class.SERVICE.value
    return choose(senders, message_class=kind, country=country, sticky=contact.sender, picture=picture).address
