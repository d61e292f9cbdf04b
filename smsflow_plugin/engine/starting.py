"""Does this event start this flow? Pure, but for the values that it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from smsflow_plugin.audience.filters import Facts, PastEvent, matches
from smsflow_plugin.audience.replies import fold
from smsflow_plugin.engine.interpreter import current
from smsflow_plugin.engine.state import State
from smsflow_plugin.events.kinds import KINDS, TOO_LATE, EventKind, Keyword
from smsflow_plugin.flows.program import Listen, Program, Trigger
from smsflow_plugin.flows.settings_compiler import SERVICE_TRIGGERS
from smsflow_plugin.governance.rules import MessageClass, Priority

#: Flows that start flows that start flows: after so many in a row somebody has built a circle.
MOST_HOPS = 5

TEXT = "message_received"

#: Other words that mean START, such as JOIN, may be the keyword of a flow as well; these may not.
OF_THE_LAW = frozenset({"start", "unstop"})

#: Lets somebody into the flow that the event names, whatever else starts it.
LET_IN = frozenset({"entered_by_hand", "entered_from_flow"})

#: Made for one flow, which the event names: no other one starts.
DIRECTED = LET_IN | {"date_due", "lapsed", "replenishment_due", "scheduled", "segment_entered"}


@dataclass(frozen=True, slots=True)
class NewEvent:
    pk: int
    store_id: int
    contact_id: int
    kind: str
    key: str
    subject: str
    occurred_at: datetime
    data: dict[str, Any]

    @property
    def hops(self) -> int:
        """How many flows in a row have led to this event."""
        hops = self.data.get("hops")
        return hops if isinstance(hops, int) else 0

    @property
    def moves(self) -> bool:
        """Whether what runs are about has got another date by this."""
        return self.kind in KINDS and KINDS[self.kind].moves


def is_late(event: NewEvent, now: datetime) -> bool:
    """Return whether the event was heard of so long after it happened that it starts nothing any more."""
    kind = KINDS.get(event.kind)
    return now - event.occurred_at > (kind.fresh_for if kind else TOO_LATE)


def is_outrun(event: NewEvent, history: Sequence[PastEvent]) -> bool:
    """Return whether something newer is known that makes the event no news: the cart was bought since.

    ``history`` holds the person's events, among them those that may outrun this one.
    """
    kind = KINDS.get(event.kind)
    if kind is None or not kind.outrun_by:
        return False
    newer = (past for past in history if past.kind in kind.outrun_by and past.occurred_at >= event.occurred_at)
    return any(_outruns(past, event, kind) for past in newer)


def _outruns(past: PastEvent, event: NewEvent, kind: EventKind) -> bool:
    if KINDS[past.kind].about != kind.about:
        return True
    # of an order's two parcels one may be here, and the other still on its way
    return past.subject == event.subject and _parcel(past.data) in ("", _parcel(event.data))


def _parcel(data: Mapping[str, Any]) -> str:
    parcel = data.get("parcel")
    return str(parcel.get("fulfillment_id") or "") if isinstance(parcel, Mapping) else ""


class Call(IntEnum):
    """How loudly an event calls a flow: a text starts only those that it calls loudest."""

    NONE = 0
    ANY_TEXT = 1
    NAMED = 2


def class_of_run(flow_class: str, kind: str | None, data: Mapping[str, Any]) -> str:
    """Return the class of the texts of a run that an event of ``kind`` has started.

    What nobody's own order has led to is no service, whatever the flow says of itself: staff, or a
    flow that people came into otherwise, has let them in. Of tests one is enough to be let in.
    """
    if flow_class != MessageClass.SERVICE or kind not in LET_IN or data.get("test_pace"):
        return flow_class
    return flow_class if data.get("origin") in SERVICE_TRIGGERS else MessageClass.MARKETING.value


def goes_on(program: Program) -> bool:
    """Return whether the flow goes on while staff talks with the person: news about their own order does."""
    return program.priority == Priority.SERVICE


def call(program: Program, flow_id: int, event: NewEvent, facts: Facts, now: datetime) -> Call:
    """Return whether ``event`` is one that starts the flow. ``facts.trigger`` is the event's data."""
    if event.kind in DIRECTED and event.data.get("flow") != flow_id:
        return Call.NONE
    if event.kind in LET_IN:
        return Call.NAMED
    calls = (_call(trigger, event, facts, now) for _place, trigger in program.triggers_on(event.kind))
    return max(calls, default=Call.NONE)


def _call(trigger: Trigger, event: NewEvent, facts: Facts, now: datetime) -> Call:
    loudness = Call.NAMED
    if event.kind == TEXT:
        loudness = _text_call(trigger, str(event.data.get("body") or ""), event.data.get("keyword"))
    elif event.data.get("segment", trigger.options.get("segment")) != trigger.options.get("segment"):
        return Call.NONE
    return loudness if loudness and matches(trigger.when, facts, now) else Call.NONE


def _text_call(trigger: Trigger, body: str, keyword: str | None) -> Call:
    words, said = trigger.options.get("words"), fold(body)
    if keyword and (keyword != Keyword.START or said in OF_THE_LAW):
        return Call.NONE  # STOP, HELP and START are for the law, not for flows; what is unclear is for a person
    if not words:
        return Call.NONE if keyword else Call.ANY_TEXT
    return Call.NAMED if said and said in {fold(word) for word in words} else Call.NONE


def listens(program: Program, state: State, event: NewEvent) -> bool:
    """Return whether a waiting run stands at a question that this text answers in time."""
    if event.kind != TEXT or event.data.get("keyword") or not isinstance(current(program, state), Listen):
        return False
    if state.asked_at is None or event.occurred_at < state.asked_at:
        return False
    return state.waiting_until is None or event.occurred_at <= state.waiting_until
