"""Routes the texts of a batch, and writes what comes of it: the trace, answers, tags and threads.

``entering`` asks for each text who takes it, and starts the flows. The contacts are locked all the while, so that
what a person's run listens to stands still. The number of statements does not depend on the number of texts.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.replies import fold
from smsflow_plugin.conversations.keyword_table import as_line
from smsflow_plugin.conversations.models import Autoresponder, Keyword
from smsflow_plugin.conversations.routing import (
    AUTOMATIC,
    LOOK_BACK,
    By,
    Earlier,
    Known,
    Route,
    Text,
    Why,
    in_office,
    route,
    unanswered,
)
from smsflow_plugin.engine.starting import TEXT, NewEvent
from smsflow_plugin.events.models import Event
from smsflow_plugin.messaging.choosing import Senders
from smsflow_plugin.messaging.senders import senders_of
from smsflow_plugin.stores.models import Store

logger = logging.getLogger(__name__)

#: How far back every text is read; of those before, only what was answered by itself counts.
_ALL_SINCE = timedelta(hours=1)


@dataclass
class Texts:
    """The texts of one batch, with everything that it takes to route them in memory."""

    now: datetime
    contacts: Mapping[int, Contact]
    stores: Mapping[int, Store]
    lines: Mapping[int, Sequence[Keyword]] = field(default_factory=dict)
    responders: Mapping[int, Autoresponder] = field(default_factory=dict)
    senders: Mapping[int, Senders] = field(default_factory=dict)
    earlier: dict[int, list[Earlier]] = field(default_factory=dict)
    #: Who has taken which of the batch's texts, in the order of routing.
    routes: dict[int, tuple[NewEvent, Route]] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        events: Sequence[NewEvent],
        contacts: Mapping[int, Contact],
        stores: Mapping[int, Store],
        now: datetime,
    ) -> Texts | None:
        """Read what routing asks for, with four statements; None where there is no text."""
        texts = [event for event in events if event.kind == TEXT]
        if not texts:
            return None
        store_ids = {event.store_id for event in texts}
        lines: dict[int, list[Keyword]] = defaultdict(list)
        for line in Keyword.objects.filter(store_id__in=store_ids, active=True).order_by("position", "pk"):
            lines[line.store_id].append(line)
        responders = {one.store_id: one for one in Autoresponder.objects.filter(store_id__in=store_ids, active=True)}
        senders = senders_of(stores[pk] for pk in sorted(store_ids))
        return cls(now, contacts, stores, lines, responders, senders, _earlier(texts))

    def started_by_words(self, store_id: int) -> set[int]:
        """Return the flows that lines of the store's keyword table start."""
        return {line.flow_id for line in self.lines.get(store_id, ()) if line.flow_id}

    def route(
        self, event: NewEvent, asked: tuple[int, int] | None, named: Sequence[int], any_text: Sequence[int]
    ) -> Route:
        """Say who takes the text, if these flows are called by it."""
        contact = self.contacts[event.contact_id]
        responder = self.responders.get(event.store_id)
        known = Known(
            asked=asked,
            handed_over=contact.handed_over_at is not None,
            keywords=[as_line(line) for line in self.lines.get(event.store_id, ())],
            named=named,
            any_text=any_text,
            responds=responder is not None and bool(responder.reply),
            in_office=responder is not None and self._in_office(responder),
            own={sender.address for sender in self.senders[event.store_id].all} - {""},
            earlier=self.earlier.get(contact.pk, ()),
        )
        return route(self._text(event), known)

    def take(self, event: NewEvent, taken: Route) -> None:
        """Note who has taken the text; the person's next one knows of it."""
        self.routes[event.pk] = (event, taken)
        said = Earlier(event.occurred_at, fold(_body(event)), taken.by)
        self.earlier.setdefault(event.contact_id, []).append(said)

    def turned_away(self, event: NewEvent) -> None:
        """Note that no flow had room for the person after all, so that nothing has taken the text."""
        _event, taken = self.routes.get(event.pk, (event, None))
        if taken is not None and taken.by in (By.FLOW, By.ANY_TEXT):
            self.routes[event.pk] = (event, Route(By.INBOX, Why.NOTHING, opens=True))
        elif taken is not None and taken.by is By.KEYWORD:
            self.routes[event.pk] = (event, unanswered(taken))

    def without_answer(self, event: NewEvent, why: Why) -> None:
        """Note why the answer cannot go: somebody must look at the text."""
        _event, taken = self.routes[event.pk]
        self.routes[event.pk] = (event, replace(taken, why=why, answers=False, opens=True))

    def line_of(self, event: NewEvent, taken: Route) -> Keyword | None:
        """Return the line of the keyword table that has taken the text."""
        return next((line for line in self.lines.get(event.store_id, ()) if line.pk == taken.keyword), None)

    def _text(self, event: NewEvent) -> Text:
        phone = str(self.contacts[event.contact_id].phone or "")
        keyword = event.data.get("keyword")
        return Text(_body(event), event.occurred_at, phone, str(keyword) if keyword else None, self.now)

    def _in_office(self, responder: Autoresponder) -> bool:
        hours = responder.office_hours
        zone = ZoneInfo(self.stores[responder.store_id].timezone)
        return isinstance(hours, dict) and in_office(hours, self.now.astimezone(zone))


def _body(event: NewEvent) -> str:
    return str(event.data.get("body") or "")


def _earlier(texts: Sequence[NewEvent]) -> dict[int, list[Earlier]]:
    """Return what these people wrote before: all of the last hour, and what was answered by itself in the last day."""
    first = min(event.occurred_at for event in texts)
    known = {event.pk for event in texts}
    lately = Q(occurred_at__gt=first - _ALL_SINCE) | Q(data__route__by__in=sorted(by.value for by in AUTOMATIC))
    rows = (
        Event.objects.filter(
            lately,
            contact_id__in={event.contact_id for event in texts},
            kind=TEXT,
            occurred_at__gt=first - LOOK_BACK,
        )
        .order_by("occurred_at", "pk")
        .values_list("pk", "contact_id", "occurred_at", "data")
    )
    earlier: dict[int, list[Earlier]] = defaultdict(list)
    for pk, contact_id, at, data in rows:
        if pk not in known:
            data = data if isinstance(data, dict) else {}
            earlier[contact_id].append(Earlier(at, fold(str(data.get("body") or "")), _by(data)))
    return earlier


def _by(data: Mapping[str, Any]) -> str:
    taken = data.get("route")
    return str(taken.get("by") or "") if isinstance(taken, Mapping) else ""
