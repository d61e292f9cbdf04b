"""A walk tells what would happen: texts with what the rules say, waits, answers, ways and ends."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.flows.program import Program, Trigger
from smsflow_plugin.governance.effective import StoreRules
from smsflow_plugin.governance.policy import PolicyRules
from smsflow_plugin.governance.rules import Reason
from smsflow_plugin.models import Store
from smsflow_plugin.simulation.people import EDGE_CASES, edge_case
from smsflow_plugin.simulation.script import MAX_INPUTS, BadInput, read_input, read_script
from smsflow_plugin.simulation.walk import Walk, kinds_of, trigger_data, walk
from tests.conftest import NOON
from tests.simulation.programs import CART_REMINDER, CODE, EVENING, QUIZ

STORE = Store(
    pk=1, name="Sierra Gear", brand="Sierra Gear", sender="+12025550100", country="US", timezone="America/New_York",
    language="en", status="active",
)  # fmt: skip
#: In the US a second text about one cart would be one too many.
RULES = StoreRules(PolicyRules(cart_countries=frozenset()))


def go(program: Program, *script: dict[str, Any], who: str = "example", **values: Any) -> Walk:
    inputs, dropped = read_script(script)
    assert not dropped
    return walk(program, edge_case(who, STORE), inputs, rules=RULES, store=STORE, start=NOON, **values)


def told(walked: Walk) -> list[str]:
    return [moment.kind for moment in walked.moments]


def texts(walked: Walk) -> list[str]:
    return [moment.text.removeprefix("Sierra Gear: ").partition("\n")[0] for moment in walked.texts]


NEXT = {"do": "next"}


def reply(text: str) -> dict[str, Any]:
    return {"do": "reply", "text": text}


def event(kind: str) -> dict[str, Any]:
    return {"do": "event", "kind": kind}


def test_the_clock_goes_from_one_thing_to_the_next() -> None:
    walked = go(CART_REMINDER, NEXT, NEXT)
    assert told(walked) == ["entered", "waiting", "text", "waiting", "way", "text", "finished"]
    assert texts(walked) == ["Trail Jacket waits for you.", "Welcome back, Ada."]
    assert [moment.at for moment in walked.texts] == [NOON + timedelta(hours=1), NOON + timedelta(hours=25)]
    assert walked.over and walked.path == ("w1", "s1", "w2", "b1", "s2")


def test_time_that_passes_lets_everything_happen_that_is_due_on_the_way() -> None:
    walked = go(CART_REMINDER, {"do": "wait", "minutes": 3 * 24 * 60}, who="first")
    assert texts(walked) == ["Trail Jacket waits for you.", "Ten percent off."]
    assert walked.now == NOON + timedelta(days=3)


def test_a_text_says_how_long_it_is_and_what_the_rules_said() -> None:
    (text,) = go(CART_REMINDER, NEXT).texts
    assert (text.parts, text.encoding, text.step) == (1, "GSM-7", "s1")
    assert text.decision is not None and text.decision.allowed


@pytest.mark.parametrize(
    ("who", "reason"),
    [("no_consent", Reason.NO_CONSENT), ("opted_out", Reason.OPTED_OUT), ("no_phone", Reason.NO_PHONE)],
)
def test_who_may_not_be_texted_is_not_and_the_reason_is_told(who: str, reason: Reason) -> None:
    walked = go(CART_REMINDER, NEXT, NEXT, who=who)
    assert not walked.texts
    assert {moment.decision.reason for moment in walked.moments if moment.decision} == {reason}


def test_quiet_hours_of_the_persons_own_zone_put_a_text_off() -> None:
    walked = go(EVENING, NEXT, NEXT)
    deferred = next(moment for moment in walked.moments if moment.kind == "deferred")
    assert deferred.decision is not None and deferred.decision.reason is Reason.QUIET_HOURS
    assert walked.texts[0].at == deferred.until
    assert go(EVENING, NEXT, NEXT, who="far").texts[0].at != walked.texts[0].at


def test_an_answer_leads_down_its_way_and_is_remembered() -> None:
    walked = go(QUIZ, reply("B please"))
    assert texts(walked) == ["Tea or coffee? Reply A or B.", "Coffee it is."]
    assert walked.contact.fields == {"drink": "coffee", "roast": "dark"}
    assert told(walked)[:6] == ["entered", "text", "waiting", "reply", "heard", "field"]
    assert not walked.listening and walked.here == "w"


def test_an_answer_that_makes_no_sense_is_asked_for_again() -> None:
    walked = go(QUIZ, reply("maybe"))
    assert "not_heard" in told(walked) and walked.listening
    assert texts(walked)[-1] == "Please reply A or B."
    assert texts(go(QUIZ, reply("maybe"), reply("tea")))[-1] == "Tea it is."


def test_no_answer_in_time_is_a_way_of_its_own() -> None:
    walked = go(QUIZ, NEXT)
    assert [(moment.kind, moment.name) for moment in walked.moments][-2:] == [("way", "silence"), ("waiting", "wait")]


def test_stop_ends_everything() -> None:
    walked = go(QUIZ, reply("STOP"), NEXT)
    assert walked.over and walked.moments[-1].text == "opted_out"
    assert walked.contact.marketing_consent == "revoked"
    assert walked.dropped == 1


def test_an_event_ends_the_run_or_leads_on() -> None:
    assert go(CART_REMINDER, event("order_created")).moments[-1].text == "event:order_created"
    delivered = go(EVENING, NEXT, NEXT, event("parcel_delivered"))
    assert delivered.moments[-1].text == "delivered"
    late = go(EVENING, NEXT, NEXT, NEXT)
    assert "timed_out" in [moment.name for moment in late.moments]


def test_another_system_answers_or_fails_and_staff_lets_the_flow_go_on() -> None:
    worked = go(CODE, {"do": "answer", "works": True})
    assert texts(worked) == ["Your code: TEST1234"]
    assert worked.handed_over and not worked.over
    assert texts(go(CODE, {"do": "answer", "works": False})) == ["No code today."]
    resumed = go(CODE, NEXT, {"do": "resume"}, NEXT)
    assert texts(resumed)[-1] == "Back again."


def test_what_makes_no_sense_now_is_dropped_and_counted() -> None:
    walked = go(CART_REMINDER, {"do": "answer", "works": True}, {"do": "resume"}, NEXT)
    assert walked.dropped == 2
    assert len(walked.texts) == 1


def test_who_does_not_match_the_audience_does_not_enter() -> None:
    walked = go(replace(CART_REMINDER, audience={"tag": "vip"}))
    assert told(walked) == ["refused"] and walked.over
    assert go(replace(CART_REMINDER, audience={"tag": "vip"}), who="vip").moments[0].kind == "entered"


def test_a_newer_cart_starts_the_wait_afresh() -> None:
    walked = go(replace(CART_REMINDER, restart=True), {"do": "wait", "minutes": 30}, event("checkout_updated"), NEXT)
    assert [moment.at for moment in walked.texts] == [NOON + timedelta(minutes=90)]


def test_nothing_is_read_or_written(db: None) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        go(QUIZ, reply("tea"), NEXT, NEXT)
    assert len(queries) == 0


def test_the_events_offered_are_those_that_make_a_difference() -> None:
    assert kinds_of(CART_REMINDER) == ["order_created"]
    assert kinds_of(EVENING) == ["parcel_delivered"]
    assert kinds_of(replace(CART_REMINDER, restart=True)) == ["checkout_updated", "order_created"]


def test_the_example_of_what_starts_a_flow_is_one_that_starts_it() -> None:
    appointment = trigger_data(Trigger("appointment_booked"), NOON)["appointment"]
    assert appointment["starts_at"].startswith("2026-03-07T16:00")
    joined = trigger_data(Trigger("message_received", options={"words": ["join"]}), NOON)
    assert joined["body"] == "join"
    when = {"all": [{"field": "trigger.tag", "op": "eq", "value": "gold"}]}
    assert trigger_data(Trigger("tag_added", when), NOON)["tag"] == "gold"


@pytest.mark.parametrize("who", EDGE_CASES)
def test_everybody_at_the_edges_can_walk(who: str) -> None:
    walked = go(QUIZ, NEXT, NEXT, NEXT, who=who)
    assert walked.over


@pytest.mark.parametrize(
    "data",
    [{}, {"do": "fly"}, {"do": "wait", "minutes": "x"}, {"do": "wait", "minutes": -5}, {"do": "reply", "text": " "},
     {"do": "event", "kind": "nothing"}],
)  # fmt: skip
def test_what_is_no_input_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        read_input(data)


def test_a_stored_script_may_hold_anything_and_only_so_much() -> None:
    inputs, dropped = read_script([{"do": "next"}, 7, {"do": "x"}] + [{"do": "next"}] * 1000)
    assert dropped == 2 and len(inputs) == MAX_INPUTS - 2


INPUTS = st.lists(
    st.one_of(
        st.just({"do": "next"}),
        st.integers(1, 5_000).map(lambda minutes: {"do": "wait", "minutes": minutes}),
        st.sampled_from(["A", "tea", "b", "huh?", "STOP", "help", "START"]).map(reply),
        st.sampled_from(["order_created", "parcel_delivered", "opted_out", "tag_added", "checkout_updated"]).map(event),
        st.booleans().map(lambda works: {"do": "answer", "works": works}),
        st.just({"do": "resume"}),
    ),
    max_size=12,
)


@given(
    script=INPUTS, program=st.sampled_from([CART_REMINDER, QUIZ, EVENING, CODE]), who=st.sampled_from(list(EDGE_CASES))
)
def test_a_walk_is_the_same_each_time_never_goes_back_in_time_and_never_breaks_a_rule(
    script: list[dict[str, Any]], program: Program, who: str
) -> None:
    first, second = go(program, *script, who=who), go(program, *json.loads(json.dumps(script)), who=who)
    assert first.moments == second.moments
    times = [moment.at for moment in first.moments]
    assert times == sorted(times)
    assert all(moment.decision is not None and moment.decision.allowed for moment in first.texts)
    opted_out = next((moment.at for moment in first.moments if moment.text == "opted_out"), None)
    assert opted_out is None or all(moment.at <= opted_out for moment in first.texts)
    # what was walked is what a longer script starts with
    longer = go(program, *script, NEXT, who=who)
    assert longer.moments[: len(first.moments)] == first.moments
