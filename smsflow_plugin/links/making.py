"""Writes short links, in the transaction that writes the texts in which they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from smsflow_plugin import bulk
from smsflow_plugin.links.models import Link
from smsflow_plugin.stores.models import Store


class CodeTaken(Exception):
    """A code is somebody's already: these texts must be composed anew, with other codes."""


@dataclass(frozen=True, slots=True)
class NewLink:
    """A short link that is to be written."""

    store_id: int
    contact_id: int
    message_id: int
    code: str
    target: str


def write(links: Iterable[NewLink], stores: Mapping[int, Store], now: datetime) -> None:
    """Write ``links`` in one statement; none without any.

    :raises CodeTaken: if one of the codes exists. The transaction must not be committed then: the text would lead
        somebody to where another one leads.
    """
    rows = [
        (link.store_id, link.contact_id, link.message_id, link.code, link.target, now, _end(stores[link.store_id], now))
        for link in links
    ]
    columns = ("store_id", "contact_id", "message_id", "code", "target", "created_at", "expires_at")
    if bulk.insert(Link, columns, rows) < len(rows):
        raise CodeTaken


def _end(store: Store, now: datetime) -> datetime | None:
    return now + timedelta(days=store.link_days) if store.link_days else None
