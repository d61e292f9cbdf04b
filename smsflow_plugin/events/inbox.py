"""The way into the inbox: what a vendor sent is stored first, and looked at later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from smsflow_plugin import bulk, clock
from smsflow_plugin.events.models import Delivery
from smsflow_plugin.nudge import nudge

#: Kept whoever calls; beyond these, only what the vendor says under its own name.
KEPT_HEADERS = ("content-type", "user-agent")

_COLUMNS = ("store_id", "source", "external_id", "topic", "headers", "body", "received_at")


def store_delivery(
    *, store_id: int, source: str, external_id: str, topic: str, headers: Mapping[str, str], body: bytes
) -> bool:
    """Store a delivery in one insert, and nudge ``ingest``. Return False if it had been stored before.

    ``external_id`` is the vendor's id of the delivery; where there is none, pass ``fingerprint``.

    :raises django.db.Error: if it could not be stored; the vendor must send it again.
    """
    if not bulk.insert(Delivery, _COLUMNS, [_row(store_id, source, external_id, topic, headers, body)]):
        return False
    nudge("ingest")
    return True


def store_deliveries(store_id: int, source: str, found: Iterable[tuple[str, str, bytes]]) -> int:
    """Store what a vendor was asked for, as (external id, topic, body); return how much of it is new. One insert."""
    written = bulk.insert(
        Delivery, _COLUMNS, [_row(store_id, source, name, topic, {}, body) for name, topic, body in found]
    )
    if written:
        nudge("ingest")
    return written


def _row(
    store_id: int, source: str, external_id: str, topic: str, headers: Mapping[str, str], body: bytes
) -> tuple[Any, ...]:
    return (
        store_id,
        source,
        shortened(_clean(external_id), 255),
        shortened(_clean(topic), 80),
        kept(headers, source),
        body,
        clock.now(),
    )


def fingerprint(topic: str, body: bytes) -> str:
    """Return an id for a delivery that came without one: the same topic and body make the same id."""
    digest = sha256(topic.encode("utf-8", "replace") + b"\0" + body)
    return f"sha256:{digest.hexdigest()}"


def kept(headers: Mapping[str, str], source: str) -> dict[str, str]:
    """Return the headers that are worth keeping, with lower-case names.

    These are the vendor's own ("x-<source>-…", "<source>-…"). Credentials, cookies and
    what proxies add are not among them.
    """
    prefixes = (f"x-{source}-", f"{source}-")
    named = ((name.lower(), value) for name, value in headers.items())
    return {name: _clean(value) for name, value in named if name in KEPT_HEADERS or name.startswith(prefixes)}


def shortened(text: str, length: int) -> str:
    """Shorten ``text`` to what its column holds; two long texts still differ."""
    if len(text) <= length:
        return text
    digest = sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
    return f"{text[: length - len(digest) - 1]}~{digest}"


def _clean(text: str) -> str:
    """Return ``text`` as every database takes it: no NUL, no half characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
