"""Is a callback from Sinch? HMAC over the raw body, with a window of time. Pure.

No list of used nonces is kept. Body, nonce and time are signed as one: whoever replays a
callback must replay it to the byte, and its body makes the same ``external_id`` again, so
that the inbox knows it as a duplicate, for as long as deliveries are kept. The window
ends replays of those that are not kept any more.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

HEADER = "x-sinch-webhook-signature"
#: How far Sinch's time of signing may be from ours, in both directions.
WINDOW = timedelta(minutes=5)


class BadSignature(Exception):
    """The callback is not proven to be Sinch's; the message says what is wrong, for the log."""


def signature(secret: str, body: bytes, *, nonce: str, timestamp: str) -> str:
    """Return what Sinch writes into the signature header."""
    signed = b".".join((body, nonce.encode(), timestamp.encode()))
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> None:
    """Check a callback. ``headers`` is case-insensitive or has lower-case names; ``body`` is as it came.

    :raises BadSignature: if it does not stand the check.
    """
    given = headers.get(HEADER, "")
    nonce, timestamp = headers.get(f"{HEADER}-nonce", ""), headers.get(f"{HEADER}-timestamp", "")
    if not (given and nonce and timestamp):
        raise BadSignature("it is not signed")
    expected = signature(secret, body, nonce=nonce, timestamp=timestamp)
    if not hmac.compare_digest(given.strip().encode(), expected.encode()):
        raise BadSignature("its signature is wrong")
    try:
        age = now.timestamp() - float(timestamp)
    except ValueError:
        raise BadSignature("its time is no number") from None
    if not abs(age) <= WINDOW.total_seconds():
        raise BadSignature(f"it was signed {age:.0f} seconds ago")
