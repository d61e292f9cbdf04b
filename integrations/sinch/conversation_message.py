"""What a call to the Conversation API holds. Pure: no network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from smsflow_plugin.messaging.gateway import OutboundText

#: The channels that are tried, in this order, by the channel of the text's sender.
ORDERS: Mapping[str, tuple[str, ...]] = {
    "sms": ("SMS",),
    "mms": ("MMS", "SMS"),
    "rcs": ("RCS", "SMS"),
    "whatsapp": ("WHATSAPP",),
}
#: Where the number stands that a text comes from. RCS and WhatsApp send from what the app is registered for.
SENDERS = {"SMS": "SMS_SENDER", "MMS": "MMS_SENDER"}
MARKETING, NOTIFICATION = "CONTENT_MARKETING", "CONTENT_NOTIFICATION"
#: An SMS lives for three days at most; who wants more leaves the end to Sinch.
LONGEST_LIFE = timedelta(days=3) - timedelta(minutes=15)

_PLACEHOLDER = re.compile(r"\$\{p(0|[1-9]\d{0,3})\}")


def request_of(text: OutboundText, *, app_id: str, callback_url: str, now: datetime) -> dict[str, Any]:
    """Return the arguments of the SDK's ``messages.send`` for a text to one person.

    The reference travels twice: reports bring the correlation id back, and lists of messages the metadata.
    """
    order = order_of(text)
    (recipient,) = text.recipients
    request: dict[str, Any] = {
        "app_id": app_id,
        "message": message_of(text),
        "recipient_identities": [{"channel": channel, "identity": recipient} for channel in order],
        "channel_priority_order": list(order),
        "correlation_id": text.reference,
        "message_metadata": text.reference,
        "message_content_type": MARKETING if text.marketing else NOTIFICATION,
        "processing_strategy": "DISPATCH_ONLY",
        "event_destination_target": callback_url,
    }
    properties = {SENDERS[channel]: text.sender for channel in order if channel in SENDERS}
    if properties:
        request["channel_properties"] = properties
    ttl = ttl_of(text.expires_at, now)
    if ttl is not None:
        request["ttl"] = ttl
    return request


def order_of(text: OutboundText) -> tuple[str, ...]:
    """Return the channels to try. Without a picture there is nothing that MMS could carry better than SMS."""
    if text.channel == "mms" and not text.media_url:
        return ORDERS["sms"]
    return ORDERS.get(text.channel, ORDERS["sms"])


def message_of(text: OutboundText) -> dict[str, Any]:
    """Return the message. Where it ends up as an SMS it is the words alone, and never a link that nobody wrote."""
    words = {"text_message": {"text": words_of(text)}}
    order = order_of(text)
    if not text.media_url or order == ORDERS["sms"]:
        return words
    card = {"description": words["text_message"]["text"], "media_message": {"url": text.media_url}}
    message: dict[str, Any] = {"card_message": card}
    if "SMS" in order:
        message["explicit_channel_omni_message"] = {"SMS": words}
    return message


def words_of(text: OutboundText) -> str:
    """Return the body with the recipient's values in it. Without parameters it is literal."""
    values = text.parameters.get(text.recipients[0], ()) if text.parameters else ()

    def value(match: re.Match[str]) -> str:
        index = int(match[1])
        return values[index] if index < len(values) else match[0]

    return _PLACEHOLDER.sub(value, text.body) if values else text.body


def ttl_of(expires_at: datetime | None, now: datetime) -> int | None:
    """Return for how many seconds Sinch shall try, or None to leave that to Sinch."""
    if expires_at is None or expires_at - now >= LONGEST_LIFE:
        return None
    return max(int((expires_at - now).total_seconds()), 1)
