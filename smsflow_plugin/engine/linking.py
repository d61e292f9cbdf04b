"""Writes what runs have queued: the texts, and the short links in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from smsflow_plugin import bulk
from smsflow_plugin.engine.entering import NewEvent
from smsflow_plugin.engine.governor import Governor
from smsflow_plugin.links import making, opening
from smsflow_plugin.links.making import NewLink
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.stores.models import Store

#: What a text of a run is found by again once it is written.
_KEY = ("enrollment_id", "step", "visit")
_PLACES = tuple(Governor.COLUMNS.index(name) for name in _KEY)


def write(
    texts: Sequence[tuple[Any, ...]],
    links: Sequence[tuple[int, str, str]],
    stores: Mapping[int, Store],
    now: datetime,
) -> None:
    """Write ``texts``, in the order of ``Governor.COLUMNS``, and ``links`` as (place in texts, code, target).

    A text that had been written before is passed over with its links. One statement more if there are links.

    :raises links.making.CodeTaken: if a code exists; the batch is decided anew then.
    """
    if not links:
        bulk.insert(Message, Governor.COLUMNS, texts)
        return
    written = bulk.insert(Message, Governor.COLUMNS, texts, returning=("id", "store_id", "contact_id", *_KEY))
    found = {tuple(key): (pk, store_id, contact_id) for pk, store_id, contact_id, *key in written}
    new = []
    for place, code, target in links:
        if text := found.get(tuple(texts[place][column] for column in _PLACES)):
            pk, store_id, contact_id = text
            new.append(NewLink(store_id, contact_id, pk, code, target))
    making.write(new, stores, now)


def note_clicks(events: Iterable[NewEvent]) -> None:
    """Let links know that they were opened, of those of ``events`` that say so."""
    clicks = [event for event in events if event.kind == "link_clicked"]
    opening.note((event.store_id, str(event.data.get("link") or ""), event.occurred_at) for event in clicks)
