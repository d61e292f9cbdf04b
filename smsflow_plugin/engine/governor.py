"""Answers the interpreter's question "may this text go?" for one contact: copy, then ``decide()``.

Everything is decided in memory. A text that is allowed is remembered at once, so that
the contact's next run sees the slot as taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from smsflow_plugin.audience.filters import Facts
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine.interpreter import Ask
from smsflow_plugin.flows.context import copy_context
from smsflow_plugin.flows.program import Program
from smsflow_plugin.governance.decide import decide, is_answer
from smsflow_plugin.governance.rules import (
    Decision,
    Intent,
    MessageClass,
    PolicyRules,
    Priority,
    Reason,
    Recipient,
    Verdict,
)
from smsflow_plugin.messaging.copy import Composed, CopyError, MissingValue, compose
from smsflow_plugin.messaging.gate import ANSWER, TEST_ANSWER, TEST_RUN
from smsflow_plugin.stores.models import Store

#: Ranks leave room for replies (0) in front and for an order within each class.
RANK_WIDTH = 1000


class RunIds(Protocol):
    """What names the enrollment that a text belongs to."""

    @property
    def pk(self) -> int: ...
    @property
    def flow_id(self) -> int: ...


class Governor:
    """One contact's governance during one batch.

    ``recent`` are the Unix times of the texts that count towards caps; ``messages``
    are rows for the outbox, in the order of ``COLUMNS``.
    """

    COLUMNS = (
        "store_id", "contact_id", "flow_id", "enrollment_id", "step", "visit", "key", "purpose", "message_class",
        "priority", "sender", "to", "body", "slots", "parts", "encoding", "state", "reason", "attempts",
        "queued_at", "not_before", "expires_at",
    )  # fmt: skip

    def __init__(
        self, contact: Contact, store: Store, rules: PolicyRules, zones: tuple[str, ...], now: datetime
    ) -> None:
        self.contact = contact
        self.store = store
        self.rules = rules
        self.zone = zones[0]
        self.now = now
        self.recent: list[float] = list(contact.recent_sends)
        self.messages: list[tuple[Any, ...]] = []
        self._phone = str(contact.phone) if contact.phone else ""
        self._recipient = Recipient(
            has_phone=bool(self._phone),
            marketing_consent=contact.marketing_consent,
            service_consent=contact.service_consent,
            zones=zones,
            recent_sends=tuple(datetime.fromtimestamp(moment, UTC) for moment in self.recent),
            store_active=store.status == Store.Status.ACTIVE,
            handed_over=contact.handed_over_at is not None,
        )

    def look_again(self) -> None:
        """Take over what a run has just changed about the contact's consent."""
        self._recipient = replace(
            self._recipient,
            marketing_consent=self.contact.marketing_consent,
            service_consent=self.contact.service_consent,
        )

    def mark(self) -> tuple[int, int, Recipient]:
        """Remember where things stand, in case the run that comes next fails half-way."""
        return len(self.recent), len(self.messages), self._recipient

    def reset(self, mark: tuple[int, int, Recipient]) -> None:
        """Forget everything since ``mark``."""
        del self.recent[mark[0] :]
        del self.messages[mark[1] :]
        self._recipient = mark[2]

    def for_run(self, run: RunIds, program: Program, facts: Facts) -> Callable[[Ask], Decision]:
        """Return the function that answers for one enrollment.

        ``facts`` are those that the run began with; each question brings its own, newer ones.
        """

        def answer(ask: Ask) -> Decision:
            return self._answer(ask, run, program)

        return answer

    def _answer(self, ask: Ask, run: RunIds, program: Program) -> Decision:
        intent = Intent(MessageClass(program.message_class), ask.expires_at, ask.answers)
        decision = decide(intent, self.rules, self._recipient, self.now)
        if not decision.allowed:
            return decision
        try:
            composed = self._compose(ask, program)
        except MissingValue as missing:
            return Decision(Verdict.SKIP, Reason.MISSING_DATA, notes=({"path": missing.path},))
        except CopyError as error:
            return Decision(Verdict.SKIP, Reason.MISSING_DATA, notes=({"error": str(error)},))
        self._queue(ask, run, program, composed, is_answer(intent, self.now))
        if composed.used_fallback:
            decision = replace(decision, notes=(*decision.notes, {"copy": "fallback"}))
        return decision

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

    def _queue(self, ask: Ask, run: RunIds, program: Program, composed: Composed, is_answer: bool) -> None:
        purpose = _purpose(is_answer, getattr(run, "test_pace", None) is not None)
        priority = 1 + Priority(program.priority).rank * RANK_WIDTH + min(program.priority_number, RANK_WIDTH - 1)
        self.messages.append(
            (
                self.store.pk, self.contact.pk, run.flow_id, run.pk, ask.send.step, ask.visit, "", purpose,
                program.message_class, priority, self.store.sender, self._phone, composed.text,
                [list(slot) for slot in composed.slots], composed.parts.parts, composed.parts.encoding, "queued", "", 0,
                self.now, self.now, ask.expires_at,
            )
        )  # fmt: skip
        # an answer to what the person wrote takes nobody's slot: it was asked for
        if program.message_class == MessageClass.MARKETING and not is_answer:
            self.recent.append(self.now.timestamp())
            self._recipient = replace(self._recipient, recent_sends=(*self._recipient.recent_sends, self.now))


def _purpose(is_answer: bool, is_test: bool) -> str:
    if is_test:
        return TEST_ANSWER if is_answer else TEST_RUN
    return ANSWER if is_answer else "flow"
