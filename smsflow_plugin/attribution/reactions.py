"""Writes on texts what people did because of them: when they first clicked, answered and opted out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db.models import Q

from smsflow_plugin import bulk
from smsflow_plugin.attribution.rules import NEVER_CLASSES, NEVER_PURPOSES
from smsflow_plugin.events.kinds import Keyword
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.stores.changes import note
from smsflow_plugin.stores.models import Store

CLICKED, WRITTEN, LEFT = "link_clicked", "message_received", "opted_out"

#: For how long after a text what somebody writes is an answer to it, and leaving is because of it.
ANSWERS_FOR, LEAVES_FOR = timedelta(hours=72), timedelta(hours=24)

#: No text waits longer than this between being queued and leaving.
_LONGEST_IN_QUEUE = timedelta(hours=96)

_COLUMNS = ("clicked_at", "replied_at", "opted_out_at")


class Heard(Protocol):
    """A new event."""

    @property
    def store_id(self) -> int: ...
    @property
    def contact_id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


@dataclass(slots=True)
class _Text:
    """A text, and the earliest that anybody did about it: null where nobody did."""

    pk: int
    store_id: int
    contact_id: int | None
    queued_at: datetime
    accepted_at: datetime | None
    message_class: str
    purpose: str
    clicked_at: datetime | None
    replied_at: datetime | None
    opted_out_at: datetime | None
    changed: bool = False

    @property
    def left_at(self) -> datetime:
        return self.accepted_at or self.queued_at

    @property
    def counts(self) -> bool:
        return self.message_class not in NEVER_CLASSES and self.purpose not in NEVER_PURPOSES

    def take(self, column: str, at: datetime) -> None:
        known = getattr(self, column)
        if known is None or at < known:
            setattr(self, column, at)
            self.changed = True


def write(events: Sequence[Heard], stores: Mapping[int, Store]) -> None:
    """Write what these events say of texts. Three statements, none if they say nothing of any.

    Call it after reports are applied: whoever does that locks gateway calls, and only then their texts.
    """
    clicks = [(pk, event) for event in events if event.kind == CLICKED and (pk := number(event.data.get("message")))]
    said = [event for event in events if event.kind == LEFT or (event.kind == WRITTEN and _is_answer(event.data))]
    if not clicks and not said:
        return
    texts = _texts({pk for pk, _event in clicks}, said)
    for pk, event in clicks:
        if pk in texts and texts[pk].store_id == event.store_id:
            texts[pk].take("clicked_at", event.occurred_at)
    by_contact: dict[int | None, list[_Text]] = defaultdict(list)
    for text in sorted(texts.values(), key=lambda one: (one.left_at, one.pk)):
        if text.counts:
            by_contact[text.contact_id].append(text)
    for event in said:
        column, limit = ("opted_out_at", LEAVES_FOR) if event.kind == LEFT else ("replied_at", ANSWERS_FOR)
        last = _last_before(by_contact[event.contact_id], event.occurred_at)
        if last is not None and event.occurred_at - last.left_at <= limit:
            last.take(column, event.occurred_at)
    changed = sorted((text for text in texts.values() if text.changed), key=lambda text: text.pk)
    rows = [(text.pk, text.clicked_at, text.replied_at, text.opted_out_at) for text in changed]
    bulk.update(Message, _COLUMNS, rows, least=_COLUMNS)
    note([(text.store_id, text.queued_at) for text in changed], {pk: store.timezone for pk, store in stores.items()})


def number(value: Any) -> int | None:
    """Return the id of a text as an event names it; None for what is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63 else None


def _is_answer(data: Mapping[str, Any]) -> bool:
    """Whoever writes STOP leaves, and answers nothing."""
    return data.get("keyword") != Keyword.STOP


def _texts(clicked: set[int], said: Sequence[Heard]) -> dict[int, _Text]:
    wanted = Q(pk__in=clicked)
    if said:
        since = min(event.occurred_at for event in said) - ANSWERS_FOR
        left = Q(accepted_at__gte=since) | Q(accepted_at__isnull=True, state=Message.State.SENDING)
        people = {event.contact_id for event in said}
        wanted |= Q(left, contact_id__in=people, queued_at__gte=since - _LONGEST_IN_QUEUE)
    rows = Message.objects.filter(wanted)
    columns = ("pk", "store_id", "contact_id", "queued_at", "accepted_at", "message_class", "purpose", *_COLUMNS)
    return {row[0]: _Text(*row) for row in rows.order_by("pk").select_for_update().values_list(*columns)}


def _last_before(texts: Iterable[_Text], at: datetime) -> _Text | None:
    """Return the last of these texts, oldest first, that had left by then."""
    last = None
    for text in texts:
        if text.left_at <= at:
            last = text
    return last
