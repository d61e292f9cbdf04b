"""What the Conversation API's callbacks say, in the core's words. Pure: no database, no network.

A callback has no type: which one it is, is told by the object that it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.audience.consent import REVOKED, Consent, Proof
from smsflow_plugin.events.facts import (
    CannotUnderstand,
    Happening,
    Inbound,
    Person,
    PersonFact,
    RawDelivery,
    Report,
    StoreInfo,
    Translation,
)
from smsflow_plugin.events.reports import Cause, ReportStatus
from smsflow_plugin.integrations.sinch.values import mapping, moment, number, payload_of, text

#: Channels on which a person is a phone number. Whoever writes on another one is nobody that we know.
PHONE_CHANNELS = ("SMS", "MMS", "RCS", "WHATSAPP")
#: Those of them that a working phone may lack.
INTERNET_CHANNELS = ("RCS", "WHATSAPP")

#: By status, in upper case. "Switching" means that the next channel of the list is tried.
STATUSES = {
    "QUEUED_ON_CHANNEL": ReportStatus.DISPATCHED,
    "QUEUED": ReportStatus.DISPATCHED,
    "DISPATCHED": ReportStatus.DISPATCHED,
    "SWITCHING_CHANNEL": ReportStatus.DISPATCHED,
    "DELIVERED": ReportStatus.DELIVERED,
    "READ": ReportStatus.READ,
    "FAILED": ReportStatus.FAILED,
}
#: Reasons of a failure that the SMS API has a code for. All others keep their name alone.
CODES = {
    "RECIPIENT_INVALID_CHANNEL_IDENTITY": 402,
    "INTERNAL_ERROR": 403,
    "RATE_LIMITED": 404,
    "DELIVERY_TIMED_OUT": 406,
}
#: What a reason says of the person, the text or the account; of all others nobody knows.
CAUSES = {
    "RECIPIENT_INVALID_CHANNEL_IDENTITY": Cause.UNREACHABLE,
    "RECIPIENT_NOT_REACHABLE": Cause.UNREACHABLE,
    "RATE_LIMITED": Cause.TEMPORARY,
    "INTERNAL_ERROR": Cause.TEMPORARY,
    "OUTSIDE_ALLOWED_SENDING_WINDOW": Cause.OURS,
    "CHANNEL_BAD_CONFIGURATION": Cause.OURS,
    "CHANNEL_CONFIGURATION_MISSING": Cause.OURS,
    "NO_PERMISSION": Cause.OURS,
    "BAD_REQUEST": Cause.OURS,
}
#: What the text simply did not live long enough for.
TIMED_OUT = "DELIVERY_TIMED_OUT"

#: Which object holds what happened, and the name of its webhook trigger.
TRIGGERS: Mapping[str, str] = {
    "message_delivery_report": "MESSAGE_DELIVERY",
    "message": "MESSAGE_INBOUND",
    "opt_out_notification": "OPT_OUT",
    "opt_in_notification": "OPT_IN",
    "message_submit_notification": "MESSAGE_SUBMIT",
    "message_redaction": "MESSAGE_INBOUND_SMART_CONVERSATION_REDACTION",
    "event_delivery_report": "EVENT_DELIVERY",
    "event": "EVENT_INBOUND",
    "unsupported_callback": "UNSUPPORTED",
    "capability_notification": "CAPABILITY",
    "channel_event_notification": "CHANNEL_EVENT",
    "conversation_start_notification": "CONVERSATION_START",
    "conversation_stop_notification": "CONVERSATION_STOP",
    "conversation_delete_notification": "CONVERSATION_DELETE",
    "contact_create_notification": "CONTACT_CREATE",
    "contact_delete_notification": "CONTACT_DELETE",
    "contact_merge_notification": "CONTACT_MERGE",
    "contact_update_notification": "CONTACT_UPDATE",
    "smart_conversation_notification": "SMART_CONVERSATION",
}


def trigger_of(payload: Mapping[str, Any]) -> str:
    """Return the trigger of a callback; empty if it holds nothing that has one."""
    return next((trigger for key, trigger in TRIGGERS.items() if isinstance(payload.get(key), dict)), "")


def translate(raw: RawDelivery, store: StoreInfo) -> Translation:
    """Return the report, the text or the refusal that a callback holds.

    :raises CannotUnderstand: if it is no JSON, or lacks what its kind lives on.
    """
    payload = payload_of(raw.body)
    match trigger_of(payload):
        case "MESSAGE_DELIVERY":
            return _report(mapping(payload["message_delivery_report"]), payload, raw)
        case "MESSAGE_INBOUND":
            return _inbound(mapping(payload["message"]), payload, raw)
        case "OPT_OUT":
            return _opt_out(mapping(payload["opt_out_notification"]), payload, raw)
        case "OPT_IN":
            # who asked for it, and what they read before, is not in it: no proof of consent
            return Translation(ignored=_("An opt-in that Sinch has noted is no proof of consent."))
        case "":
            return _nameless(payload)
        case trigger:
            return Translation(ignored=_("Callbacks of the type %(type)s are of no use here.") % {"type": trigger})


def _nameless(payload: Mapping[str, Any]) -> Translation:
    """A kind that is newer than this list holds one object; what holds none is no callback."""
    named = next((name for name, value in payload.items() if isinstance(value, dict)), None)
    if named is None:
        raise CannotUnderstand(_("The callback does not say what has happened."))
    return Translation(ignored=_("Callbacks of the type %(type)s are of no use here.") % {"type": text(named)[:80]})


def _report(said: Mapping[str, Any], payload: Mapping[str, Any], raw: RawDelivery) -> Translation:
    identity = mapping(said.get("channel_identity"))
    channel = text(identity.get("channel")).upper()
    if channel and channel not in PHONE_CHANNELS:
        return _elsewhere(channel)
    to = number(identity.get("identity"))
    if not to:
        raise CannotUnderstand(_("The delivery report names no phone number."))
    reference = text(payload.get("correlation_id")) or text(said.get("metadata"))
    provider_id = text(said.get("message_id"))
    if not reference and not provider_id:
        raise CannotUnderstand(_("The delivery report does not say to which call it belongs."))
    status, reason = _status(said)
    report = Report(
        to=to,
        status=status,
        at=moment(payload.get("event_time")) or moment(payload.get("accepted_time")) or raw.received_at,
        reference=reference,
        provider_id=provider_id,
        code=CODES.get(reason),
        channel=channel.lower(),
        cause=_cause(reason, channel),
    )
    return Translation((report,))


def _cause(reason: str, channel: str) -> Cause:
    """Return why it failed. Who cannot be reached on RCS or WhatsApp may well be by SMS: their number is no worse."""
    cause = CAUSES.get(reason, Cause.UNKNOWN)
    return Cause.OURS if cause is Cause.UNREACHABLE and channel in INTERNET_CHANNELS else cause


def _status(said: Mapping[str, Any]) -> tuple[ReportStatus, str]:
    """Return what became of the text, and why it failed. A new word is not guessed at."""
    word = text(said.get("status")).upper()
    status = STATUSES.get(word)
    if status is None:
        raise CannotUnderstand(_("The delivery report has the unknown status “%(status)s”.") % {"status": word[:40]})
    if status is not ReportStatus.FAILED:
        return status, ""
    reason = text(mapping(said.get("reason")).get("code")).upper()
    return (ReportStatus.EXPIRED if reason == TIMED_OUT else status), reason


def _inbound(message: Mapping[str, Any], payload: Mapping[str, Any], raw: RawDelivery) -> Translation:
    identity = mapping(message.get("channel_identity"))
    channel = text(identity.get("channel")).upper()
    if channel and channel not in PHONE_CHANNELS:
        return _elsewhere(channel)
    if message.get("injected") is True:
        return Translation(ignored=_("Nobody wrote this text: it was put in through the API."))
    if text(message.get("direction")).upper() == "TO_CONTACT":
        return Translation(ignored=_("This is a text of ours."))
    sender = number(identity.get("identity"))
    if not sender:
        raise CannotUnderstand(_("The text does not say from which phone number it comes."))
    to = text(message.get("sender_id"))
    times = (message.get("accept_time"), payload.get("event_time"), payload.get("accepted_time"))
    inbound = Inbound(
        external_id=text(message.get("id")) or raw.external_id,
        sender=sender,
        to=number(to) or to,
        body=body_of(mapping(message.get("contact_message"))),
        at=next((at for at in map(moment, times) if at), raw.received_at),
    )
    return Translation((inbound,))


def body_of(message: Mapping[str, Any]) -> str:
    """Return a person's words: what they wrote, what stands on the button they pressed, or below their picture."""
    written = (
        mapping(message.get("text_message")).get("text"),
        mapping(message.get("choice_response_message")).get("postback_data"),
        mapping(message.get("media_card_message")).get("caption"),
        mapping(message.get("media_message")).get("caption"),
        mapping(message.get("fallback_message")).get("raw_message"),
    )
    return next(filter(None, map(text, written)), "")


def _opt_out(said: Mapping[str, Any], payload: Mapping[str, Any], raw: RawDelivery) -> Translation:
    """Somebody refused all texts, or the operator says so. Whom it is about must not be guessed, nor forgotten."""
    if text(said.get("status")).upper() == "OPT_OUT_FAILED":
        return Translation(ignored=_("Sinch could not note the refusal: it says nothing about the person."))
    channel = text(said.get("channel")).upper()
    if channel and channel not in PHONE_CHANNELS:
        return _elsewhere(channel)
    phone = number(said.get("identity")) or number(mapping(said.get("channel_identity")).get("identity"))
    if not phone:
        raise CannotUnderstand(
            _("Somebody refused all texts, but Sinch does not say who. Look up the contact %(contact)s at Sinch.")
            % {"contact": text(said.get("contact_id")) or "?"}
        )
    at = moment(payload.get("event_time")) or moment(payload.get("accepted_time")) or raw.received_at
    consent = Consent(
        action=REVOKED,
        scope="all",
        source="gateway_opt_out",
        effective_at=at,
        key=f"sinch:opt_out:{text(said.get('request_id')) or raw.external_id}"[:255],
        evidence={"channel": channel, "delivery": raw.external_id},
        own_words=True,
        proof=Proof(channel=channel.lower()),
    )
    happening = Happening("opted_out", consent.key, at)
    return Translation((PersonFact(Person(phone=phone), (consent,), (happening,)),))


def _elsewhere(channel: str) -> Translation:
    return Translation(ignored=_("On the channel %(channel)s nobody has a phone number.") % {"channel": channel[:40]})
