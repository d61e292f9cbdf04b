"""Sends the texts of the past once more under other rules, in memory. Pure: no Django, no clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import heapify, heappop, heappush

from smsflow_plugin.governance.decide import decide, margin_of
from smsflow_plugin.governance.policy import LONGEST, PolicyRules
from smsflow_plugin.governance.rules import (
    Decision,
    Intent,
    MessageClass,
    Planned,
    Reason,
    Recipient,
    Sent,
    Situation,
    Verdict,
)

#: So often a text is put off before it is left where it stands.
MOST_TRIES = 40

#: Names one text: its run, its step and the visit of the step.
Key = tuple[int, str, int]


@dataclass(frozen=True, slots=True)
class Text:
    """A text that a flow wanted to send at ``wanted``; its run had begun at ``entered``.

    ``intent`` has no rank yet: the order of the flows is one of the rules that change.
    """

    key: Key
    contact: int
    wanted: datetime
    entered: datetime
    intent: Intent
    store: int = 0
    #: The flow's own place within its class, and its own limits: a day, a week, a gap.
    number: int = 0
    limits: tuple[int | None, int | None, int | None] = (None, None, None)


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a person: the facts that stay, the texts before, and what came and went meanwhile.

    ``runs`` are ``(flow, from, until)``; until None goes on.
    """

    recipient: Recipient
    sends: tuple[Sent, ...] = ()
    orders: tuple[datetime, ...] = ()
    runs: tuple[tuple[int, datetime, datetime | None], ...] = ()

    def at(self, moment: datetime, sends: Iterable[Sent], planned: tuple[Planned, ...]) -> Recipient:
        """Return the person as they were at ``moment``."""
        return replace(
            self.recipient,
            sends=tuple(sends),
            planned=planned,
            last_order_at=max((at for at in self.orders if at <= moment), default=None),
            in_flows=frozenset(
                flow for flow, start, end in self.runs if start <= moment and (end is None or end > moment)
            ),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a text: when it went or would go next, or why it did not. ``reason`` is what held it up."""

    sent: bool
    at: datetime
    reason: str = ""


@dataclass
class _Person:
    """One person during a replay."""

    past: Past
    texts: Sequence[tuple[Text, int]]
    sends: list[Sent]
    waiting: dict[Key, datetime] = field(default_factory=dict)

    def planned(self, now: datetime, own: Key) -> tuple[Planned, ...]:
        """Return the marketing texts of other runs that had begun by ``now``."""
        return tuple(
            Planned(self.waiting[text.key], rank, text.intent.flow, text.intent.priority, text.intent.stage)
            for text, rank in self.texts
            if text.key in self.waiting
            and text.key[0] != own[0]
            and text.entered <= now < self.waiting[text.key]
            and text.intent.message_class is MessageClass.MARKETING
        )


def replay(
    texts: Iterable[Text],
    people: Mapping[int, Past],
    rules_for: Callable[[Text], PolicyRules],
    rank_of: Callable[[Text], int],
) -> dict[Key, Outcome]:
    """Return what becomes of each text when it is asked for anew, person by person and in the order of time."""
    by_person: dict[int, list[tuple[Text, int]]] = defaultdict(list)
    for text in texts:
        by_person[text.contact].append((text, rank_of(text)))
    found: dict[Key, Outcome] = {}
    for contact, own in by_person.items():
        past = people[contact]
        person = _Person(past, own, list(past.sends), {text.key: text.wanted for text, _rank in own})
        _replay_person(person, rules_for, found)
    return found


def _replay_person(person: _Person, rules_for: Callable[[Text], PolicyRules], found: dict[Key, Outcome]) -> None:
    # what is due together goes in the order of the ranks, and of the keys: always the same way
    queue = [(text.wanted, rank, text.key, 0, Reason.ALLOWED.value) for text, rank in person.texts]
    texts = {text.key: text for text, _rank in person.texts}
    heapify(queue)
    while queue:
        now, rank, key, tries, held_by = heappop(queue)
        text = texts[key]
        decision = _ask(text, rank, person, rules_for(text), now)
        if decision.verdict is Verdict.DEFER and decision.until and decision.until > now and tries < MOST_TRIES:
            person.waiting[key] = decision.until
            heappush(queue, (decision.until, rank, key, tries + 1, decision.reason.value))
            continue
        del person.waiting[key]
        if decision.verdict is Verdict.SKIP:
            found[key] = Outcome(False, now, decision.reason.value)
            continue
        found[key] = Outcome(True, now, held_by if tries else "")
        if text.intent.message_class is MessageClass.MARKETING:
            intent = text.intent
            person.sends.append(Sent(now, intent.flow, intent.priority, intent.stage, intent.cart))


def _ask(text: Text, rank: int, person: _Person, rules: PolicyRules, now: datetime) -> Decision:
    sends = [sent for sent in person.sends if now - LONGEST < sent.at <= now]
    recipient = person.past.at(now, sends, person.planned(now, text.key))
    return decide(
        replace(text.intent, rank=rank), rules, recipient, now, Situation(), margin=margin_of(text.intent.message_class)
    )
