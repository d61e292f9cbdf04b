"""Answers the interpreter's question "may this text go?" for one contact: copy, then ``decide()``.

Everything is decided in memory. A text that is allowed is remembered at once, so that
the contact's next run sees the slot as taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from smsflow_plugin.audience.filters import Facts
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.places import Place
from smsflow_plugin.audience.preference_links import preference_url
from smsflow_plugin.engine import trials
from smsflow_plugin.engine.interpreter import Ask
from smsflow_plugin.engine.people_facts import recipient_of
from smsflow_plugin.engine.trials import Shown
from smsflow_plugin.flows.context import PREFERENCES, copy_context
from smsflow_plugin.flows.program import Program
from smsflow_plugin.flows.stages import stage_of
from smsflow_plugin.governance.decide import decide, is_answer, margin_of
from smsflow_plugin.governance.effective import StoreRules, own_rules
from smsflow_plugin.governance.measured import measured
from smsflow_plugin.governance.policy import PolicyRules
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
from smsflow_plugin.governance.sends import Leaving, moved
from smsflow_plugin.governance.spend import NOTHING, Till, plain, price_problem
from smsflow_plugin.messaging import spending
from smsflow_plugin.messaging.choosing import Candidate, Senders, choose, keeps
from smsflow_plugin.messaging.copy import Composed, CopyError, MissingValue, compose
from smsflow_plugin.messaging.gate import ANSWER, TEST_ANSWER, TEST_RUN
from smsflow_plugin.messaging.shortening import Shortener, shortening
from smsflow_plugin.messaging.spending import Priced
from smsflow_plugin.stores.models import Store


class RunIds(Protocol):
    """What names the enrollment that a text belongs to."""

    @property
    def pk(self) -> int: ...
    @property
    def flow_id(self) -> int: ...
    @property
    def version_id(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Mark:
    """Where things stood before a run, in case that it fails half-way."""

    messages: int
    links: int
    exposures: int
    recipient: Recipient
    taken: Decimal
    sender: str


class Governor:
    """One contact's governance during one batch.

    ``till`` is the money of the store during the batch, None where nothing limits it. ``sends`` are the
    texts that count towards caps; ``messages`` are rows for the outbox, in the order of ``COLUMNS``, and
    ``links`` the short links in them, as (place in ``messages``, code, target). ``exposures`` are the experiments that
    made a difference, with the enrollment and the flow in which they did.
    """

    COLUMNS = (
        "store_id", "contact_id", "flow_id", "enrollment_id", "step", "version_id", "variant", "visit", "key",
        "purpose", "message_class", "priority", "sender", "to", "body", "slots", "parts", "encoding", "state", "reason",
        "attempts", "queued_at", "not_before", "expires_at", "media_url", *spending.COLUMNS,
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
        till: Till | None = None,
        senders: Senders | None = None,
        shortener: Shortener | None = None,
    ) -> None:
        self.contact = contact
        self.store = store
        self.rules = rules
        self.places = places
        self.zone = places[0].zone
        self.now = now
        self.messages: list[tuple[Any, ...]] = []
        self.links: list[tuple[int, str, str]] = []
        self.exposures: list[tuple[Shown, int, int]] = []
        self.till = till
        #: The number that the person is texted from, from now on.
        self.sender = contact.sender
        self._senders = senders or Senders(Candidate(store.sender))
        self._shortener = shortener
        self._recipient = recipient_of(contact, places, now=now, suppressed=suppressed, in_flows=in_flows)

    @property
    def sends(self) -> tuple[Sent, ...]:
        return self._recipient.sends

    def wait_for(self, waiting: Sequence[Leaving]) -> None:
        """Count the texts that are on their way where they will leave, not where they were queued."""
        if waiting:
            self._recipient = replace(self._recipient, sends=moved(self._recipient.sends, waiting))

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
        taken = self.till.taken if self.till else NOTHING
        return Mark(len(self.messages), len(self.links), len(self.exposures), self._recipient, taken, self.sender)

    def reset(self, mark: Mark) -> None:
        """Forget everything since ``mark``."""
        del self.messages[mark.messages :]
        del self.links[mark.links :]
        del self.exposures[mark.exposures :]
        self._recipient = mark.recipient
        self.sender = mark.sender
        if self.till:
            self.till.taken = mark.taken

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
                reached_at=ask.reached_at,
                when_blocked=ask.send.when_blocked or program.when_blocked,
            )
            margin = margin_of(intent.message_class)
            decision = decide(intent, rules, self._recipient, self.now, self.rules.situation, margin=margin)
            if not decision.allowed:
                return decision
            against = measured(intent, rules, self._recipient, self.now)
            return self._compose_and_queue(ask, intent, run, program, rules, against)

        return answer

    def _compose_and_queue(
        self,
        ask: Ask,
        intent: Intent,
        run: RunIds,
        program: Program,
        rules: PolicyRules,
        against: tuple[Mapping[str, Any], ...],
    ) -> Decision:
        holdouts = self._holdouts(intent, run, program)
        if _is_live(run) and not (holdouts and holdouts.holds):
            # before it is written: whether somebody takes part must not depend on the words they were drawn for
            self._expose(trials.shown_copy(run.flow_id, ask.send, ask.copy.variant), run)
        links: dict[str, str] = {}
        try:
            composed = self._compose(ask, program, links)
        except MissingValue as missing:
            return Decision(Verdict.SKIP, Reason.MISSING_DATA, notes=({"path": missing.path},))
        except CopyError as error:
            return Decision(Verdict.SKIP, Reason.MISSING_DATA, notes=({"error": str(error)},))
        priced = spending.priced(
            self.rules.prices, str(self.contact.phone or ""), composed.parts.parts, country=self.contact.country
        )
        refused = self._too_dear(intent, rules, priced, composed)
        if refused is not None:
            return refused
        if holdouts is not None:
            self._expose(holdouts.shown(), run)
            if holdouts.holds:
                notes = {"rule": Reason.HOLDOUT.value, "experiment": holdouts.holds}
                return Decision(Verdict.SKIP, Reason.HOLDOUT, notes=(notes,))
        self._queue(ask, intent, run, composed, priced)
        self.links.extend((len(self.messages) - 1, code, target) for target, code in links.items())
        notes = (*against, {"copy": "fallback"}) if composed.used_fallback else against
        return Decision(Verdict.ALLOW, Reason.ALLOWED, notes=notes)

    def _holdouts(self, intent: Intent, run: RunIds, program: Program) -> trials.Holdouts | None:
        """Return where the person falls in the holdouts of the flow and the store; None if there are none.

        Only marketing is held out, and nothing that the person has asked for. Test runs are not part of it.
        """
        if intent.message_class is not MessageClass.MARKETING or is_answer(intent, self.now) or not _is_live(run):
            return None
        percent = self.rules.rules.holdout
        if not percent and not program.holdout:
            return None
        key = str(self.contact.uuid)
        of_flow, flow_name = trials.flow_holdout(run.flow_id, program.holdout, key)
        of_store, name = trials.store_holdout(self.store.pk, percent, key, self.now, self.store.timezone)
        return trials.Holdouts(of_flow, of_store, flow_name, name)

    def _expose(self, shown: Iterable[Shown], run: RunIds) -> None:
        self.exposures += [(each, run.flow_id, run.pk) for each in shown]

    def _too_dear(self, intent: Intent, rules: PolicyRules, priced: Priced, composed: Composed) -> Decision | None:
        """Return what becomes of a marketing text that costs too much: only now that it is written this is known."""
        if intent.message_class is not MessageClass.MARKETING:
            return None
        problem = price_problem(rules, priced.cost, priced.country, composed.parts.parts)
        if problem is not None:
            return Decision(Verdict.SKIP, problem.reason, notes=({"rule": problem.reason.value, **problem.values},))
        if self.till is None or priced.cost is None:
            return None
        never = self.till.budget.never(priced.cost)
        if never is not None and not is_answer(intent, self.now):
            notes = {"rule": Reason.BUDGET.value, "cost": plain(priced.cost), "budget": plain(never)}
            return Decision(Verdict.SKIP, Reason.BUDGET, notes=(notes,))
        until = self.till.broke_until(priced.cost)
        if until is not None:
            # the other rules say when it may go then
            poor = replace(self.rules.situation, broke_until=until)
            margin = margin_of(intent.message_class)
            decision = decide(intent, rules, self._recipient, self.now, poor, margin=margin)
            if not decision.allowed:
                return decision
        return None

    def context(self, facts: Facts) -> dict[str, Any]:
        """Return what copy of a run may use."""
        store = {"name": self.store.name, "brand": self.store.brand, "url": self.store.website}
        context = copy_context(facts.contact, store, facts.trigger, facts.run)
        context["contact"] = Written(context["contact"], self.contact)
        return context

    @property
    def language(self) -> str:
        """The language that the person is written to in."""
        return self.contact.language or self.store.language

    def _compose(self, ask: Ask, program: Program, links: dict[str, str]) -> Composed:
        """Return the text, and note the short links in it."""
        return compose(
            ask.copy.texts,
            ask.copy.fallback,
            self.language,
            self.context(ask.facts),
            brand=self.store.brand,
            message_class=program.message_class,
            add_opt_out=True,
            main_language=self.store.language,
            shorten=shortening(self._shortener, links),
        )

    def _queue(self, ask: Ask, intent: Intent, run: RunIds, composed: Composed, priced: Priced) -> None:
        answered = is_answer(intent, self.now)
        variant = ask.copy.variant
        if self.till is not None and priced.cost is not None and intent.message_class is MessageClass.MARKETING:
            self.till.take(priced.cost)
        kind = intent.message_class.value
        sender = choose(
            self._senders,
            message_class=kind,
            country=priced.country,
            sticky=self.sender,
            picture=bool(ask.send.media),
        )
        self.sender = keeps(self._senders, self.sender, sender.address, priced.country)
        purpose = _purpose(answered, getattr(run, "test_pace", None) is not None)
        self.messages.append(
            (
                self.store.pk, self.contact.pk, run.flow_id, run.pk, ask.send.step, run.version_id, variant, ask.visit,
                "", purpose, kind, intent.rank, sender.address, str(self.contact.phone or ""),
                composed.text, [list(slot) for slot in composed.slots], composed.parts.parts, composed.parts.encoding,
                "queued", "", 0, self.now, self.now, ask.expires_at, ask.send.media, *priced,
            )
        )  # fmt: skip
        # an answer to what the person wrote takes nobody's slot: it was asked for
        if intent.message_class is MessageClass.MARKETING and not answered:
            sent = Sent(self.now, intent.flow, intent.priority, intent.stage, intent.cart)
            self._recipient = replace(self._recipient, sends=(*self._recipient.sends, sent))


class Written(dict[str, Any]):
    """What copy may say of a contact. The link to the person's own page is signed only for copy that has it."""

    def __init__(self, values: Mapping[str, Any], contact: Contact) -> None:
        super().__init__(values)
        self._contact = contact

    def __getitem__(self, key: str) -> Any:
        return preference_url(self._contact) if key == PREFERENCES else super().__getitem__(key)


def _is_live(run: RunIds) -> bool:
    """Return whether a run is of the flow itself: previews have no pace, test runs have one of their own."""
    return getattr(run, "test_pace", 1) is None


def _purpose(is_answer: bool, is_test: bool) -> str:
    if is_test:
        return TEST_ANSWER if is_answer else TEST_RUN
    return ANSWER if is_answer else "flow"
