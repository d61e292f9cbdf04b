"""What holds for every flow: drawn as a form, compiled, and run against whatever may happen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from smsflow_plugin.audience.filters import Facts, PastEvent
from smsflow_plugin.engine import doings
from smsflow_plugin.engine.interpreter import Ask, Outcome, State, Status, interpret, wakes_on
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.flows.program import Program, targets
from smsflow_plugin.flows.trigger_blocks import event_trigger
from smsflow_plugin.governance.rules import Decision, Reason, Verdict
from tests.engine.raw_flows import OTHER_FLOW, Known, flows

pytestmark = [
    pytest.mark.django_db,
    # it spells strategies out to name them; these are large
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning"),
]

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
TRIGGER = {"appointment": {"title": "Fitting", "starts_at": "2026-03-12T14:30:00+01:00"}}
ZONES = ["America/New_York", "Europe/Copenhagen", "Australia/Lord_Howe", "UTC"]
PATIENCE = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.fixture(autouse=True)
def other_flow(db: Any, store: Any) -> None:
    Flow.objects.create(pk=OTHER_FLOW, store=store, name="Other")


def compiled(steps: list[Any], **values: Any) -> Program:
    flow = Flow(triggers=[event_trigger("appointment_booked")], steps=steps, **values)
    try:
        return compile_flow(flow, lookups=Known())
    except CannotCompile as refusal:
        # a flow that only waits is no flow; anything else is a mistake here, or in the compiler
        assert all("does something" in problem.message for problem in refusal.problems), refusal
        assume(False)
        raise


@dataclass
class World:
    """What happens around one run, all of it decided by the draw: events, answers, verdicts, results, crashes."""

    program: Program
    events: list[PastEvent]
    seed: str
    zone: str
    crashes: list[bool] = field(default_factory=list)
    early: list[int] = field(default_factory=list)
    stored: bool = True
    now: datetime = NOW
    state: State = field(default_factory=State)
    results: dict[str, Any] = field(default_factory=dict)
    texts: list[tuple[str, str, int]] = field(default_factory=list)
    deeds: list[Any] = field(default_factory=list)

    def chance(self, *about: object) -> int:
        return hashlib.sha256(repr((self.seed, *about)).encode()).digest()[0]

    def ask(self, ask: Ask) -> Decision:
        drawn = self.chance(ask.send.step, ask.send.part, ask.visit, self.now)
        if drawn < 50 and self.now < NOW + timedelta(days=20):
            return Decision(Verdict.DEFER, Reason.QUIET_HOURS, self.now + timedelta(hours=1 + drawn % 9))
        return Decision(Verdict.SKIP if drawn < 80 else Verdict.ALLOW, Reason.ALLOWED)

    def run(self) -> Outcome:
        past = tuple(event for event in self.events if event.occurred_at <= self.now)
        contact = {"orders_count": 2, "tags": ["new"], "fields": {"birthday": "1996-02-29"}}
        facts = Facts(contact, NOW, TRIGGER, past, key="7", results=dict(self.results), best_hour=18)
        state = State.from_json(json.loads(json.dumps(self.state.to_json()))) if self.stored else self.state
        return interpret(self.program, state, facts, self.now, zone=self.zone, ask=self.ask)

    def to_the_end(self) -> Outcome:
        for _turn in range(600):
            outcome = self.run()
            if self.crashes and self.crashes.pop():
                # all that it did is rolled back, and it is run again
                assert self.run() == outcome
                continue
            self.commit(outcome)
            if outcome.status is not Status.WAITING:
                return outcome
            self.move_on(outcome)
        raise AssertionError(f"It never ends: {self.state}.")

    def commit(self, outcome: Outcome) -> None:
        self.state = outcome.state
        self.texts += [
            (answer.ask.send.step, answer.ask.send.part, answer.ask.visit)
            for answer in outcome.answers
            if answer.decision.verdict is not Verdict.DEFER
        ]
        self.deeds += outcome.doings
        for doing in outcome.doings:
            if isinstance(doing, doings.Requesting) and doing.waits:
                drawn = self.chance("result", doing.step, doing.visit)
                if drawn < 200:
                    result = {"error": "no"} if drawn < 80 else {"value": "CODE"}
                    self.results[f"{doing.step}:{doing.visit}"] = result

    def move_on(self, outcome: Outcome) -> None:
        assert outcome.wake_at is not None and outcome.wake_at >= self.now
        ahead = [
            event.occurred_at
            for event in self.events
            if event.occurred_at > self.now and event.kind in wakes_on(self.program, self.state)
        ]
        wake = min([outcome.wake_at, *ahead])
        if self.early and not ahead:
            self.now = min(wake, self.now + timedelta(minutes=self.early.pop()))
        else:
            self.now = wake


kinds = st.sampled_from(["order_created", "order_paid", "link_clicked", "appointment_cancelled"])
bodies = st.sampled_from(["A", "b!", "yes please", "7", "nine", "11", "what?", "  ", "7 or 8", "NOPE"])


@st.composite
def happenings(draw: st.DrawFn) -> list[PastEvent]:
    """Events in any order, some of them at the same moment, some long after."""
    drawn = draw(
        st.lists(
            st.tuples(
                st.integers(0, 60 * 24 * 40),
                st.one_of(
                    st.tuples(kinds, st.just({})),
                    st.tuples(st.just("message_received"), bodies.map(lambda body: {"body": body, "keyword": None})),
                    st.just(("message_received", {"body": "STOP", "keyword": "stop"})),
                ),
            ),
            max_size=8,
        )
    )
    moments = sorted(drawn, key=lambda one: one[0])
    return [
        PastEvent(kind, NOW + timedelta(minutes=minutes), data=data, id=number)
        for number, (minutes, (kind, data)) in enumerate(moments, start=1)
    ]


worlds = {
    "events": happenings(),
    "seed": st.text(max_size=3),
    "zone": st.sampled_from(ZONES),
    "crashes": st.lists(st.booleans(), max_size=10),
    "early": st.lists(st.integers(1, 600), max_size=10),
}


@PATIENCE
@given(flows)
def test_every_program_goes_forwards_only_and_names_each_instruction_once(steps: list[Any]) -> None:
    program = compiled(steps)
    names = [(instruction.step, instruction.part) for instruction in program.instructions]
    assert len(names) == len(set(names))
    for at, instruction in enumerate(program.instructions):
        assert all(at < target <= len(names) for target in targets(instruction)), (at, instruction)
    assert Program.from_json(json.loads(json.dumps(program.to_json()))) == program


@PATIENCE
@given(flows, st.fixed_dictionaries(worlds), st.sampled_from([(), ("order_paid",)]))
def test_every_run_ends_and_sends_each_text_at_most_once(
    steps: list[Any], around: dict[str, Any], exits: tuple[str, ...]
) -> None:
    """Whatever happens in whatever order, wherever it crashes, and however often it is looked at too early."""
    world = World(compiled(steps, exits=list(exits)), **around)
    outcome = world.to_the_end()
    assert outcome.wake_at is None and outcome.status in (Status.FINISHED, Status.EXITED)
    named = [(step, visit) for step, _part, visit in world.texts]
    assert len(named) == len(set(named))
    requests = [(deed.step, deed.visit) for deed in world.deeds if isinstance(deed, doings.Requesting)]
    assert len(requests) == len(set(requests)) and not set(requests) & set(named)
    heard = [deed.reply for deed in world.deeds if isinstance(deed, doings.Hearing)]
    assert len(heard) == len(set(heard))
    stops = {event.id for event in world.events if event.data.get("keyword")}
    assert not stops & set(heard)


@PATIENCE
@given(flows, st.fixed_dictionaries(worlds))
def test_going_through_storage_at_every_step_changes_nothing(steps: list[Any], around: dict[str, Any]) -> None:
    program = compiled(steps)
    crashes = around.pop("crashes")
    in_one_go = World(program, **around, stored=False)
    again = World(Program.from_json(program.to_json()), **around, crashes=crashes)
    in_one_go.early, again.early = [], []
    assert in_one_go.to_the_end() == again.to_the_end()
    assert (in_one_go.texts, in_one_go.deeds, in_one_go.now) == (again.texts, again.deeds, again.now)


@PATIENCE
@given(flows, st.fixed_dictionaries(worlds), st.integers(1, 600))
def test_looking_at_a_waiting_run_when_nothing_has_happened_does_nothing(
    steps: list[Any], around: dict[str, Any], minutes: int
) -> None:
    world = World(compiled(steps), **{**around, "crashes": [], "early": []})
    for _turn in range(600):
        outcome = world.run()
        world.commit(outcome)
        if outcome.status is not Status.WAITING:
            return
        before = world.now
        world.move_on(outcome)
        then, idle_at = world.now, before + timedelta(minutes=minutes)
        if idle_at < then and not world.results:
            world.now = idle_at
            idle = world.run()
            assert (idle.state, idle.status, idle.doings, idle.answers) == (world.state, Status.WAITING, (), ())
            world.now = then


@settings(PATIENCE, max_examples=40)
@given(flows)
def test_equal_forms_compile_to_equal_programs(steps: list[Any]) -> None:
    copied = json.loads(json.dumps(steps))
    assert compiled(steps).content_hash == compiled(copied).content_hash


# Garbage -------------------------------------------------------------------------------------

KEYS = [
    "text", "fallback", "translations", "options", "words", "ranges", "low", "high", "lowest", "highest", "save_as",
    "again", "other", "amount", "unit", "silence", "steps", "reply", "time", "weekdays", "source", "custom",
    "direction", "if_past", "events", "since", "happened", "timed_out", "replied", "condition", "yes", "no", "ways",
    "weight", "otherwise", "action", "tag", "name", "value", "kind", "minimum", "valid_days", "prefix", "failed",
    "to", "subject", "body", "url", "flow", "leave", "reason", "at", "repeat", "rules", "field", "segment", "days",
    "within", "percent", "by", "within_hours", "hold_amount", "language", "type", "id", "points", "score_as",
]  # fmt: skip
STEPS = [
    "send", "ask_choice", "ask_yes_no", "ask_number", "ask_text", "wait", "wait_until_time", "wait_until_date",
    "wait_best_time",
    "wait_for_event", "wait_for_reply", "if_else", "switch", "split", "tag", "set_field", "agree", "hand_over",
    "discount", "email", "notify", "webhook", "go_to", "goal", "exit", "pigeon",
]  # fmt: skip
TRIGGERS = [
    "event", "custom", "keyword", "any_text", "tag", "field", "segment", "manual", "date", "lapsed", "replenishment",
    "schedule", "pigeon",
]  # fmt: skip
RULES = [
    "compare", "tag", "happened", "date", "known", "segment", "in_flow", "handed_over", "engaged", "overdue", "vip",
    "any_of", "none_of",
]  # fmt: skip
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.integers(), st.floats(allow_nan=False), st.text(max_size=8),
    st.sampled_from(["days", "{{ x", "{% render 'bye' %}", "2026-13-40", "25:00", "order_created", "entry", "💥"]),
)  # fmt: skip


def garbage(types: list[str]) -> st.SearchStrategy[Any]:
    def blocks(inner: Any) -> Any:
        values = st.one_of(inner, st.dictionaries(st.sampled_from(KEYS), inner, max_size=8))
        made = st.fixed_dictionaries(
            {"type": st.sampled_from([*types, *RULES, "item"]), "value": values, "id": scalars}
        )
        return st.one_of(st.lists(made, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4))

    inside = st.recursive(scalars, blocks, max_leaves=12)
    values = st.dictionaries(st.sampled_from(KEYS), inside, max_size=10)
    return st.lists(
        st.fixed_dictionaries({"type": st.sampled_from(types), "value": st.one_of(values, values, inside)}), max_size=4
    )


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(garbage(STEPS), garbage(TRIGGERS), garbage(RULES))
def test_no_garbage_breaks_the_compiler(steps: list[Any], triggers: list[Any], audience: list[Any]) -> None:
    try:
        program = compile_flow(Flow(steps=steps, triggers=triggers, audience=audience), lookups=Known())
    except CannotCompile as refusal:
        assert refusal.problems and all(problem.message for problem in refusal.problems)
    else:
        json.dumps(program.to_json())
