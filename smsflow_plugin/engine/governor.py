"""Answers the interpreter's question "may this text go?" for one contact: copy, then ``decide()``.

Everything is decided in memory. A text that is allowed is remembered at once, so that
the contact's next run sees the slot as taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from smsflow_plugin.audience.filters import Facts
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.places import Place
from smsflow_plugin.engine.interpreter import Ask
from smsflow_plugin.engine.people_facts import recipient_of
from smsflow_plugin.flows.context import copy_context
from smsflow_plugin.flows.program import Program
from smsflow_plugin.flows.stages import stage_of
from smsflow_plugin.governance.decide import decide, is_answer
from smsflow_plugin.governance.effective import StoreRules, own_rules
from smsflow_plugin.governance.measured import measured
from smsflow_plugin.governance.rules import (
    Decision,
    Intent,
    MessageClass,
    Planned,
    Reason,
    Recipient,
    Sent,
    Stage,
    Verdict,
)
from smsflow_plugin.messaging.copy import Composed, CopyError, MissingValue, compose
from smsflow_plugin.messaging.gate import ANSWER, TEST_ANSWER, TEST_RUN
from smsflow_plugin.stores.models import Store


class RunIds(Protocol):
    """What names the enrollment that a text belongs to."""

    @property
    def pk(self) -> int: ...
    @property
    def flow_id(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Mark:
    """Where things stood before a run, in case that it fails half-way."""

    messages: int
    recipient: Recipient


class Governor:
    """One contact's governance during one batch.

    ``sends`` are the texts that count towards caps; ``messages`` are rows for the
    outbox, in the order of ``COLUMNS``.
    """

    COLUMNS = (
        "store_id", "contact_id", "flow_id", "enrollment_id", "step", "visit", "key", "purpose", "message_class",
        "priority", "sender", "to", "body", "slots", "parts", "encoding", "state", "reason", "attempts",
        "queued_at", "not_before", "expires_at",
    )  # fmt: skip

    def __init__(
        self,
        contact: Contact,
        store: Store,
        rules: StoreRules,
        places: tuple[Place, ...],
        now: datetime,
        *,
        suppressed: str = "",
        in_flows: frozenset[int] = frozenset(),
    ) -> None:
        self.contact = contact
        self.store = store
        self.rules = rules
        self.places = places
        self.zone = places[0].zone
        self.now = now
        self.messages: list[tuple[Any, ...]] = []
        self._recipient = recipient_of(contact, places, suppressed=suppressed, in_flows=in_flows)

    @property
    def sends(self) -> tuple[Sent, ...]:
        return self._recipient.sends

    def expect(self, planned: tuple[Planned, ...]) -> None:
        """Say what the contact's other runs will want to send."""
        self._recipient = replace(self._recipient, planned=planned)

    def look_again(self) -> None:
        """Take over what a run has just changed about the contact's consent."""
        self._recipient = replace(
            self._recipient,
            marketing_consent=self.contact.marketing_consent,
            service_consent=self.contact.service_consent,
            confirmed=self.contact.opt_in_level == "confirmed",
        )

    def mark(self) -> Mark:
        """Remember where things stand, in case the run that comes next fails half-way."""
        return Mark(len(self.messages), self._recipient)

    def reset(self, mark: Mark) -> None:
        """Forget everything since ``mark``."""
        del self.messages[mark.messages :]
        self._recipient = mark.recipient

    def for_run(self, run: RunIds, program: Program, facts: Facts) -> Callable[[Ask], Decision]:
        """Return the function that answers for one enrollment.

        ``facts`` are those that the run began with; each question brings its own, newer ones.
        """
        stage = stage_of(program)
        rules = own_rules(self.rules.rules, run.flow_id, program.cap_day, program.cap_week, program.own_gap)
        about = facts.subject if stage == Stage.CART else ""
        known = Intent(
            MessageClass(program.message_class),
            flow=run.flow_id,
            priority=program.priority,
            rank=self.rules.rank(run.flow_id, program.priority, program.priority_number),
            stage=stage,
            cart=about,
            cart_at=facts.entered_at if about else None,
        )

        def answer(ask: Ask) -> Decision:
            intent = replace(
                known,
                expires_at=ask.expires_at,
                answers=ask.answers,
                when_blocked=ask.send.when_blocked or program.when_blocked,
            )
            decision = decide(intent, rules, self._recipient, self.now, self.rules.situation)
            if not decision.allowed:
                return decision
            against = measured(intent, rules, self._recipient, self.now)
            return self._compose_and_queue(ask, intent, run, program, against)

        return answer

    def _compose_and_queue(
        self, ask: Ask, intent: Intent, run: RunIds, program: Program, against: tuple[Mapping[str, Any], ...]
    ) -> Decision:
        try:
            composed = self._compose(ask, program)
        except MissingValue as missing:
            return Decision(Verdict.SKIP, Reason.MISSING_DATA, notes=({"path": missing.path},))
        except CopyError as error:
            return Decision(Verdict.SKIP, Reason.MISSING_DATA, notes=({"error": str(error)},))
        self._queue(ask, intent, run, composed)
        notes = (*against, {"copy": "fallback"}) if composed.used_fallback else against
        return Decision(Verdict.ALLOW, Reason.ALLOWED, notes=notes)

    def context(self, facts: Facts) -> dict[str, Any]:
        """Return what copy of a run may use."""
        store = {"name": self.store.name, "brand": self.store.brand, "url": self.store.website}
        return copy_context(facts.contact, store, facts.trigger, facts.run)

    @property
    def language(self) -> str:
        """The language that the person is written to in."""
        return self.contact.language or self.store.language

    def _compose(self, ask: Ask, program: Program) -> Composed:
        return compose(
            ask.send.texts,
            ask.send.fallback,
            self.language,
            self.context(ask.facts),
            brand=self.store.brand,
            message_class=program.message_class,
            add_opt_out=True,
            main_language=self.store.language,
        )

    def _queue(self, ask: Ask, intent: Intent, run: RunIds, composed: Composed) -> None:
        answered = is_answer(intent, self.now)
        purpose = _purpose(answered, getattr(run, "test_pace", None) is not None)
        self.messages.append(
            (
                self.store.pk, self.contact.pk, run.flow_id, run.pk, ask.send.step, ask.visit, "", purpose,
                intent.message_class.value, intent.rank, self.store.sender, str(self.contact.phone or ""),
                composed.text, [list(slot) for slot in composed.slots], composed.parts.parts, composed.parts.encoding,
                "queued", "", 0, self.now, self.now, ask.expires_at,
            )
        )  # fmt: skip
        # an answer to what the person wrote takes nobody's slot: it was asked for
        if intent.message_class is MessageClass.MARKETING and not answered:
            sent = Sent(self.now, intent.flow, intent.priority, intent.stage, intent.cart)
            self._recipient = replace(self._recipient, sends=(*self._recipient.sends, sent))


def _purpose(is_answer: bool, is_test: bool) -> str:
    if is_test:
        return TEST_ANSWER if is_answer else TEST_RUN
    return ANSWER if is_answer else "flow"
