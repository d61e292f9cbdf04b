"""Other delays of a wait, tried inside its step: in the form, in runs, on the pages, and taken over into a draft."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.admin_panels.flows.copy_hints import flow_hints
from smsflow_plugin.admin_panels.flows.telling_walk import lines
from smsflow_plugin.audience.filters import Facts
from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.interpreter import after, interpret
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.engine.state import State
from smsflow_plugin.engine.transfer import Passage
from smsflow_plugin.engine.trials import delay_experiment, experiment_of, shown_ways, wait_of
from smsflow_plugin.flows.changes import Change, changes
from smsflow_plugin.flows.chart import summary
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.outline import outline
from smsflow_plugin.flows.portable import export_flow, import_flow
from smsflow_plugin.flows.program import Delay, Program, Send, Trigger, Wait
from smsflow_plugin.flows.trying import meeting
from smsflow_plugin.governance.effective import StoreRules
from smsflow_plugin.governance.policy import PolicyRules
from smsflow_plugin.governance.rules import Decision, Reason, Verdict
from smsflow_plugin.measurement.applying import ApplyWinner
from smsflow_plugin.measurement.entry import Kind
from smsflow_plugin.measurement.statistics import sample_ratio
from smsflow_plugin.measurement.timeline import timeline
from smsflow_plugin.models import Contact, Exposure, Flow, Message, Store
from smsflow_plugin.simulation.people import edge_case
from smsflow_plugin.simulation.script import read_script
from smsflow_plugin.simulation.walk import walk
from tests.admin.people import client_of, make_user
from tests.conftest import NOON, TestClock
from tests.engine.helpers import make_flow as run_flow
from tests.engine.helpers import pump
from tests.experiments.test_running import enter, exposures, people
from tests.factories import make_contact
from tests.flows.people import send as form_send
from tests.flows.steps import flow as form
from tests.flows.steps import instructions, items, refused, said, step
from tests.words.people import make_flow, send

HELLO = Send("s1", {"": "Hello"})
TRIED = Wait("w", 1, "hours", variants=(Delay("B", 30, 4, "hours"), Delay("C", 20, 1, "days")))
PEOPLE = [f"person-{number}" for number in range(20_000)]


def delays(*others: tuple[Any, Any, str], amount: int = 1, unit: str = "hours") -> dict[str, Any]:
    return step(
        "wait",
        amount=amount,
        unit=unit,
        variants=items(*({"weight": weight, "amount": length, "unit": of} for weight, length, of in others)),
    )


# The form -----------------------------------------------------------------------------------------


def test_other_delays_of_the_form_are_delays_of_the_program() -> None:
    wait, _text = instructions(delays((30, 4, "hours"), (20, 1, "days")), form_send())
    assert wait == Wait("s1", 1, "hours", variants=(Delay("B", 30, 4, "hours"), Delay("C", 20, 1, "days")))
    assert isinstance(wait, Wait)
    assert wait.weights == (50, 30, 20)


SAME = "This is as long as another one. There is nothing to compare."
MANY = "The shares of all other delays together must leave something for the step's own."


@pytest.mark.parametrize(
    ("others", "place", "message"),
    [
        ([(0, 4, "hours")], (0, "weight"), "Give a number of at least 1."),
        ([(None, 4, "hours")], (0, "weight"), "Give a number of at least 1."),
        ([(100, 4, "hours")], (0, "weight"), MANY),
        ([(60, 4, "hours"), (40, 5, "hours")], (1, "weight"), MANY),
        ([(50, 0, "hours")], (0, "amount"), "Wait at least one minute."),
        ([(50, None, "hours")], (0, "amount"), "Wait at least one minute."),
        ([(50, 2, "years")], (0, "unit"), "Choose a unit."),
        ([(50, 5000, "days")], (0, "amount"), "Wait ten years at most."),
        ([(50, 1, "hours")], (0, "amount"), SAME),
        ([(50, 60, "minutes")], (0, "amount"), SAME),
        ([(30, 7, "days"), (30, 1, "weeks")], (1, "amount"), SAME),
    ],
)
def test_what_is_wrong_with_a_delay_stands_beside_it(others: Any, place: Any, message: str) -> None:
    assert said(refused(delays(*others), form_send())) == [(("steps", 0, "variants", *place), message)]


def test_a_day_of_24_hours_is_not_the_same_time_tomorrow() -> None:
    wait, _text = instructions(delays((50, 1, "days"), amount=24), form_send())
    assert isinstance(wait, Wait)
    assert wait.variants


def test_more_than_three_others_are_too_many() -> None:
    problems = said(refused(delays(*((10, number, "hours") for number in (2, 3, 4, 5))), form_send()))
    assert problems == [(("steps", 0, "variants", 3), "There are too many variants.")]


def test_a_wait_that_tries_nothing_is_written_as_before() -> None:
    plain = Program((Trigger("opted_in"),), (Wait("w", 1, "days"), HELLO))
    assert "variants" not in plain.to_json()["instructions"][0]
    stored = {"op": "wait", "step": "w", "amount": 1, "unit": "days", "part": ""}
    assert Program.from_json({**plain.to_json(), "instructions": [stored]}).instructions == (Wait("w", 1, "days"),)
    tried = Program((Trigger("opted_in"),), (TRIED, HELLO))
    assert Program.from_json(tried.to_json()) == tried


def test_the_diagram_and_the_comparison_say_what_is_tried() -> None:
    assert summary(TRIED) == "A: 1 hour / B: 4 hours (30 %) / C: 1 day (20 %)"
    [wait, _text] = outline(form(delays((30, 4, "hours")), form_send()).steps)
    assert wait.summary == "A: 1 hour / B: 4 hours (30 %)"
    old = Program((Trigger("opted_in"),), (Wait("w", 1, "hours"), HELLO))
    [change, _same] = changes(old, Program(old.triggers, (TRIED, HELLO)))
    assert change.changes == {Change.DELAY}


def test_two_waits_that_try_something_meet() -> None:
    other = Wait("v", 1, "days", variants=(Delay("B", 50, 2, "days"),))
    assert meeting(Program((Trigger("opted_in"),), (TRIED, HELLO, other))) == [("w", "v")]


@pytest.mark.django_db
def test_who_publishes_a_second_experiment_is_told_at_the_wait(store: Store) -> None:
    found = [each for each in flow_hints(trying(store, second=True)) if each.hint.code == "experiments"]
    assert [(each.step, each.where) for each in found] == [("w2", "Step 3, Wait")]


@pytest.mark.django_db
def test_delays_are_taken_to_another_store_with_their_flow(store: Store) -> None:
    imported = import_flow(export_flow(trying(store)), store)
    assert imported.problems == []
    assert compile_flow(imported.flow).instructions == compile_flow(trying(store)).instructions


# Who waits how long -------------------------------------------------------------------------------


def test_everybody_waits_by_the_shares() -> None:
    counts = Counter(arm_and_deadline(TRIED, key)[0] for key in PEOPLE[:4000])
    assert sample_ratio([counts[0], counts[1], counts[2]], [50, 30, 20]) > 0.001


def arm_and_deadline(wait: Wait, key: str, zone: str = "UTC") -> tuple[int, datetime | None]:
    facts = Facts({"tags": ()}, NOON, {}, (), key=key)
    outcome = interpret(program(wait), State(), facts, NOON, zone=zone, ask=allow)
    return outcome.state.gathered["ways"]["w"], outcome.wake_at


def program(*before: Wait) -> Program:
    return Program((Trigger("opted_in"),), (*before, HELLO))


def allow(_ask: Any) -> Decision:
    return Decision(Verdict.ALLOW, Reason.ALLOWED)


weights = st.lists(st.integers(1, 33), min_size=1, max_size=3)
times = st.lists(
    st.tuples(st.integers(1, 500), st.sampled_from(["minutes", "hours", "days", "weeks"])), min_size=4, max_size=4
)


@given(st.uuids().map(str), weights, times, st.sampled_from(["UTC", "Europe/Copenhagen", "America/New_York"]))
def test_the_deadline_is_that_of_the_arm(key: str, shares: list[int], lengths: list[Any], zone: str) -> None:
    others = tuple(
        Delay(name, weight, *length) for name, weight, length in zip("BCD", shares, lengths[1:], strict=False)
    )
    wait = Wait("w", *lengths[0], variants=others)
    assert sum(wait.weights) == 100
    assert all(weight > 0 for weight in wait.weights)
    place, deadline = arm_and_deadline(wait, key, zone)
    assert deadline == after(NOON, *lengths[place], zone)
    assert arm_and_deadline(wait, key, zone) == (place, deadline)
    own = wait_of(wait, place)
    assert (own.amount, own.unit) == lengths[place]


@given(st.integers(-3, 9))
def test_an_arm_that_is_gone_is_the_steps_own(place: int) -> None:
    assert wait_of(Wait("w", 2, "days"), place) == Wait("w", 2, "days")


def test_other_times_and_other_shares_are_another_experiment() -> None:
    name = delay_experiment(12, TRIED)
    assert name.startswith("flow:12:w@")
    assert experiment_of(12, TRIED) == name
    for other in (
        Wait("w", 2, "hours", variants=TRIED.variants),
        Wait("w", 1, "hours", variants=TRIED.variants[:1]),
        Wait("w", 1, "hours", variants=(Delay("B", 31, 4, "hours"), TRIED.variants[1])),
    ):
        assert delay_experiment(12, other) != name
    assert experiment_of(12, Wait("w", 1, "hours")) == ""


# Runs ---------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_each_person_waits_as_long_as_their_arm_says_and_is_exposed_at_the_wait(store: Store, still: TestClock) -> None:
    who = people(store)
    flow = run_flow(store, TRIED, HELLO)
    enter(store, who)
    shown = exposures()
    assert {name for name, _arm in shown.values()} == {delay_experiment(flow.pk, TRIED)}
    hours = {"A": 1, "B": 4, "C": 24}
    assert {arm for _name, arm in shown.values()} == set(hours)
    for run in Enrollment.objects.all():
        assert run.wake_at == NOON + timedelta(hours=hours[shown[run.contact_id][1]])
    assert {(each.step, each.at) for each in Exposure.objects.all()} == {("w", NOON)}
    still.move(hours=1)
    pump()
    assert {shown[text.contact_id][1] for text in Message.objects.all()} == {"A"}
    still.move(hours=3)
    pump()
    assert {shown[text.contact_id][1] for text in Message.objects.all()} == {"A", "B"}
    # nobody comes to the wait twice
    assert exposures() == shown
    assert Exposure.objects.count() == 40


@pytest.mark.django_db
def test_test_runs_of_a_wait_count_nowhere(store: Store, still: TestClock) -> None:
    who = people(store, 6)
    flow = run_flow(store, TRIED, HELLO)
    for contact in who:
        Enrollment.objects.create(
            store=store, flow=flow, version=flow.current_version, contact=contact, entry_key="t", wake_at=NOON,
            test_pace=60,
        )  # fmt: skip
    Contact.objects.update(wake_at=NOON)
    advance()
    assert exposures() == {}


def moved(state: State, old: Program, new: Program, now: datetime, key: str) -> tuple[State, datetime | None]:
    taken_over = Passage(old, new).transfer(state)
    assert taken_over is not None
    facts = Facts({"tags": ()}, NOON, {}, (), key=key)
    outcome = interpret(new, taken_over, facts, now, zone="UTC", ask=allow)
    return outcome.state, outcome.wake_at


def waiting(wait: Wait, key: str) -> State:
    facts = Facts({"tags": ()}, NOON, {}, (), key=key)
    return interpret(program(wait), State(), facts, NOON, zone="UTC", ask=allow).state


def in_arm(wait: Wait, place: int) -> str:
    return next(key for key in PEOPLE if arm_and_deadline(wait, key)[0] == place)


def test_a_run_keeps_its_arm_in_a_version_with_other_shares() -> None:
    key = in_arm(TRIED, 1)
    # by the new shares this person would be A
    other = Wait("w", 1, "hours", variants=(Delay("B", 1, 6, "hours"),))
    assert arm_and_deadline(other, key)[0] == 0
    before = waiting(TRIED, key)
    state, wake_at = moved(before, program(TRIED), program(other), NOON + timedelta(minutes=5), key)
    assert (state.gathered["ways"], wake_at) == ({"w": 1}, NOON + timedelta(hours=6))
    # they were exposed to the old experiment, and are no part of the new one
    assert shown_ways(1, program(other), before.gathered, state.gathered) == []


def test_who_waits_when_an_experiment_begins_takes_no_part() -> None:
    plain, key = Wait("w", 2, "hours"), in_arm(TRIED, 1)
    tried = Wait("w", 2, "hours", variants=TRIED.variants)
    state, wake_at = moved(waiting(plain, key), program(plain), program(tried), NOON + timedelta(minutes=5), key)
    assert "ways" not in state.gathered
    assert wake_at == NOON + timedelta(hours=2)


def test_when_one_delay_is_kept_everybody_waits_as_long() -> None:
    kept = Wait("w", 4, "hours")
    for place in (0, 1, 2):
        key = in_arm(TRIED, place)
        _state, wake_at = moved(waiting(TRIED, key), program(TRIED), program(kept), NOON + timedelta(minutes=5), key)
        assert wake_at == NOON + timedelta(hours=4)


# What is told -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_timeline_says_how_long_somebody_waits(store: Store, still: TestClock) -> None:
    who = people(store)
    flow = run_flow(store, TRIED, HELLO, name="Welcome")
    enter(store, who)
    arms = {pk: arm for pk, (_name, arm) in exposures().items()}
    ann = next(contact for contact in who if arms[contact.pk] == "B")
    [entry] = [each for each in timeline(ann) if each.kind is Kind.TRIED]
    assert (entry.title, entry.detail) == ("Chance in “Welcome”", "Waits 4 hours (B).")
    assert entry.links == {"flow": flow.pk}
    Enrollment.objects.all().delete()
    [entry] = [each for each in timeline(ann) if each.kind is Kind.TRIED]
    assert entry.detail == "Gets the variant B."


def test_a_walk_says_what_chance_decides() -> None:
    store = Store(
        pk=1, name="Sierra Gear", brand="Sierra Gear", sender="+12025550100", country="US",
        timezone="America/New_York", language="en", status="active",
    )  # fmt: skip
    script, _dropped = read_script([{"do": "next"}])
    rules = StoreRules(PolicyRules(cart_countries=frozenset()))
    who = edge_case("example", store)
    tried = Wait("w", 1, "hours", variants=(Delay("B", 99, 4, "hours"),))
    walked = walk(program(tried), who, script, rules=rules, store=store, start=NOON)
    spoken = [line.text for line in lines(walked, {})]
    assert "Chance decides: B: 4 hours." in spoken
    assert spoken.index("Chance decides: B: 4 hours.") == 1
    [text] = walked.texts
    assert text.at == NOON + timedelta(hours=4)


# Keeping one --------------------------------------------------------------------------------------


def wait_step(step_id: str) -> dict[str, Any]:
    other = {"type": "item", "id": f"v-{step_id}", "value": {"weight": 40, "amount": 3, "unit": "days"}}
    return {"type": "wait", "id": step_id, "value": {"amount": 1, "unit": "hours", "variants": [other]}}


def trying(store: Store, *, second: bool = False) -> Flow:
    more = [wait_step("w2"), send("Bye, dear friend of the mountains.", "s2")] if second else []
    return make_flow(store, [wait_step("w1"), send("Hello, dear friend of the mountains.", "s1"), *more])


def name_of(flow: Flow) -> str:
    return experiment_of(flow.pk, compile_flow(flow).instructions[0])


@pytest.mark.django_db
@pytest.mark.parametrize(("arm", "kept"), [("A", (1, "hours")), ("B", (3, "days"))])
def test_keeping_one_makes_a_draft_with_its_time_alone(store: Store, arm: str, kept: Any) -> None:
    flow = trying(store)
    flow.latest_revision.publish()
    flow.refresh_from_db()
    user = make_user("ann", "Store admin", store)
    draft = ApplyWinner(flow, user, experiment=name_of(flow), arm=arm).execute()
    wait, text = compile_flow(draft).instructions
    assert wait == Wait("w1", *kept)
    assert text == Send("s1", {"": "Hello, dear friend of the mountains."})
    # and the draft is what the next one reads
    flow.refresh_from_db()
    again = flow.get_latest_revision_as_object()
    assert compile_flow(again).instructions[0] == wait


@pytest.mark.django_db
def test_the_page_calls_arms_by_their_times(store: Store, still: TestClock) -> None:
    flow = trying(store)
    flow.latest_revision.publish()
    flow.refresh_from_db()
    for number, arm in enumerate("AB"):
        [contact] = people(store, 1) if not number else [other_person(store)]
        Exposure.objects.create(
            store=store, experiment=name_of(flow), arm=arm, contact=contact, at=NOON, flow_id=flow.pk, step="w1"
        )
    client: Client = client_of(make_user("sam", "Store admin", store))
    url = reverse("smsflow_experiments:index")
    soup = BeautifulSoup(client.get(url).content, "html.parser")
    text = " ".join(soup.get_text().split())
    assert "“Welcome”: a wait that tries delays" in text
    rows = [" ".join(cell.get_text().split()) for cell in soup.select("table.smsflow-experiment tbody th")]
    assert rows == ["A: 1 hour", "B: 3 days"]
    assert [button.get_text() for button in soup.select("button[name=arm]")] == [
        "Keep only A: 1 hour", "Keep only B: 3 days"
    ]  # fmt: skip


def other_person(store: Store) -> Contact:
    return make_contact(store, phone=None)
