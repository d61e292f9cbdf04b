"""What the Conversation API accepts as a message, and how it refuses the rest. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smsflow_plugin.integrations.simulator.network.conversation.content import KINDS, OVERRIDES
from smsflow_plugin.integrations.simulator.network.refusals import Refused

CHANNELS = (
    "WHATSAPP",
    "RCS",
    "SMS",
    "MESSENGER",
    "VIBER",
    "VIBERBM",
    "MMS",
    "INSTAGRAM",
    "TELEGRAM",
    "KAKAOTALK",
    "KAKAOTALKCHAT",
    "LINE",
    "WECHAT",
    "APPLEBC",
)
MAX_CORRELATION, MAX_METADATA, MAX_TEXT = 128, 1024, 4096
DURATION = re.compile(r"(\d+(?:\.\d+)?)s?")
CONTENT_TYPES = ("CONTENT_UNKNOWN", "CONTENT_MARKETING", "CONTENT_NOTIFICATION")


@dataclass(frozen=True, slots=True)
class SendRequest:
    """A request that is in order. It names a contact, or ``identities`` by channel."""

    app: str
    contact: str
    identities: Mapping[str, str]
    message: Mapping[str, Any]
    order: tuple[str, ...] = ()
    sender: str = ""
    #: Seconds, None if the app did not say.
    ttl: float | None = None
    callback_url: str = ""
    correlation: str = ""
    metadata: str = ""
    dispatch_only: bool = False
    content_type: str = "CONTENT_UNKNOWN"


def invalid(text: str) -> Refused:
    return Refused(400, "INVALID_ARGUMENT", text)


def read_send(data: Mapping[str, Any]) -> SendRequest:
    """Check a request as the API does. :raises Refused: with the answer that it gives."""
    recipient = _object(data, "recipient")
    contact = _string(recipient, "contact_id")
    identities = read_identities(_object(recipient, "identified_by").get("channel_identities") or [])
    if bool(contact) == bool(identities):
        raise invalid("Exactly one of recipient.contact_id and recipient.identified_by must be set.")
    strategy = _choice(data, "processing_strategy", ("DEFAULT", "DISPATCH_ONLY"))
    if strategy == "DISPATCH_ONLY" and contact:
        raise invalid("recipient.contact_id can't be used in dispatch mode.")
    order = data.get("channel_priority_order") or []
    if not isinstance(order, list) or any(channel not in CHANNELS for channel in order):
        raise invalid("channel_priority_order must name channels.")
    _choice(data, "queue", ("NORMAL_PRIORITY", "HIGH_PRIORITY"))
    return SendRequest(
        app=_string(data, "app_id"),
        contact=contact,
        identities=identities,
        message=_message(data),
        order=tuple(order),
        sender=_string(_object(data, "channel_properties"), "SMS_SENDER").removeprefix("+"),
        ttl=_duration(data.get("ttl")),
        callback_url=_string(data, "callback_url"),
        correlation=_string(data, "correlation_id", MAX_CORRELATION),
        metadata=_string(data, "message_metadata", MAX_METADATA),
        dispatch_only=strategy == "DISPATCH_ONLY",
        content_type=_choice(data, "message_content_type", CONTENT_TYPES) or "CONTENT_UNKNOWN",
    )


def read_identities(given: Any) -> dict[str, str]:
    """Return identities by channel; numbers lose their "+". :raises Refused: if they are none."""
    if not isinstance(given, list):
        raise invalid("channel_identities must be a list.")
    identities: dict[str, str] = {}
    for one in given:
        channel, identity = (one.get("channel"), one.get("identity")) if isinstance(one, Mapping) else (None, None)
        if channel not in CHANNELS or not isinstance(identity, str) or not identity:
            raise invalid("channel_identities must name a channel and an identity each.")
        identities[channel] = identity.removeprefix("+")
    return identities


def _message(data: Mapping[str, Any]) -> Mapping[str, Any]:
    message = _object(data, "message")
    kinds = [kind for kind in KINDS if message.get(kind) is not None]
    if len(kinds) > 1 or not (kinds or any(message.get(name) for name in OVERRIDES)):
        raise invalid("message must have exactly one kind of content.")
    for kind in kinds:
        _object(message, kind)
    text = _object(message, "text_message").get("text") if "text_message" in kinds else "-"
    if not isinstance(text, str) or not 1 <= len(text) <= MAX_TEXT:
        raise invalid(f"message.text_message.text must have 1 to {MAX_TEXT} characters.")
    return message


def _object(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise invalid(f"{name} must be an object.")
    return value


def _string(data: Mapping[str, Any], name: str, longest: int = 2048) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise invalid(f"{name} must be a string of at most {longest} characters.")
    return value


def _choice(data: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = _string(data, name)
    if value and value not in allowed:
        raise invalid(f"{name} must be one of {', '.join(allowed)}.")
    return value


def _duration(value: Any) -> float | None:
    if value is None:
        return None
    match = DURATION.fullmatch(str(value))
    if match is None:
        raise invalid("ttl must be a duration such as 10s.")
    return float(match[1])
