from __future__ import annotations

from typing import Any

import pytest

from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.flows.program import Branch, Exit, Jump, Program, Reentry, Send, Wait, WaitForEvent, WaitUntilTime
from smsflow_plugin.flows.trigger_blocks import event_trigger
from tests.flows.people import happened, if_else, leave, rule, send, wait


def make(*steps: Any, **values: Any) -> Flow:
    numbered = [{**step, "id": f"s{number}"} for number, step in enumerate(steps, start=1)]
    kind = values.pop("trigger", "opted_in")
    return Flow(**{"triggers": [{**event_trigger(kind), "id": "t"}], "steps": numbered, **values})


def problems(flow: Flow) -> list[str]:
    with pytest.raises(CannotCompile) as refusal:
        compile_flow(flow)
    return [str(problem) for problem in refusal.value.problems]


def test_every_step_becomes_its_instruction_under_the_block_s_own_id() -> None:
    flow = make(
        send("Hi.", fallback="Hey.", hold_amount=2),
        wait(3, "weeks"),
        {"type": "wait_until_time", "value": {"time": "09:30:00", "weekdays": ["4", "0"]}},
        {"type": "wait_for_event", "value": {"events": ["order_paid", "order_created"], "amount": 1, "unit": "hours"}},
        leave("done"),
    )
    assert compile_flow(flow).instructions == (
        Send("s1", {"": "Hi."}, {"": "Hey."}, 120),
        Wait("s2", 3, "weeks"),
        WaitUntilTime("s3", "09:30", (0, 4)),
        WaitForEvent("s4", ("order_created", "order_paid"), 1, "hours"),
        Exit("s5", "done"),
    )


def test_translations_are_texts_of_their_language() -> None:
    translation = {"type": "item", "value": {"language": "da", "text": "Hej.", "fallback": "Hov."}, "id": "t"}
    instruction = compile_flow(make(send("Hi.", translations=[translation]))).instructions[0]
    assert instruction == Send("s1", {"": "Hi.", "da": "Hej."}, {"da": "Hov."}, None)


def test_an_if_else_jumps_over_the_way_not_taken() -> None:
    yes, no = {**send("Again!"), "id": "y"}, {**send("First!"), "id": "n"}
    flow = make(if_else([rule()], [yes], [no]), send("Bye."))
    branch, first, jump, second, last = compile_flow(flow).instructions
    condition = {"all": [{"field": "orders_count", "op": "ge", "value": "2"}]}
    assert branch == Branch("s1", condition, otherwise=3)
    assert (first.step, second.step, last.step) == ("y", "n", "s2")
    assert jump == Jump("s1", target=4, part="end:yes")


def test_an_empty_way_needs_no_jump_and_leads_to_the_end() -> None:
    branch, _text = compile_flow(make(if_else([rule()], [send()], []))).instructions
    assert branch.otherwise == 2


def test_a_way_that_ends_the_flow_needs_no_jump() -> None:
    branch, _leave, text = compile_flow(make(if_else([rule()], [leave()], [send()]))).instructions
    assert (branch.otherwise, type(text)) == (2, Send)


def test_ways_nest_four_deep_and_every_target_lies_ahead() -> None:
    steps = [send("Deep.")]
    for _level in range(4):
        steps = [if_else([rule()], steps, [send("Other.")])]
    instructions = compile_flow(make(*steps)).instructions
    assert sum(isinstance(i, Branch) for i in instructions) == 4
    for at, instruction in enumerate(instructions):
        target = getattr(instruction, "otherwise", getattr(instruction, "target", at + 1))
        assert at < target <= len(instructions)


def test_steps_without_an_id_are_addressed_by_their_place_and_stay_so() -> None:
    flow = Flow(
        triggers=[event_trigger("opted_in")], steps=[("wait", {"amount": 1, "unit": "days"}), ("send", {"text": "Hi."})]
    )
    assert [i.step for i in compile_flow(flow).instructions] == ["steps-0", "steps-1"]
    assert compile_flow(flow).content_hash == compile_flow(flow).content_hash


def test_a_program_survives_being_stored() -> None:
    program = compile_flow(make(if_else([rule(), happened()], [send()], [leave()]), audience=[rule()]))
    assert Program.from_json(program.to_json()) == program


def test_settings_of_the_flow_reach_the_program() -> None:
    program = compile_flow(
        make(
            send("{{ cart.url }}"),
            trigger="checkout_updated",
            exits=["order_created"],
            reentry="after",
            reentry_days=7,
            restart=True,
            priority="promo",
            priority_number=5,
        )
    )
    assert (program.exits, program.reentry, program.restart) == (("order_created",), Reentry("after", 7), True)
    assert (program.priority, program.priority_number) == ("promo", 5)


def test_the_days_of_reentry_do_not_count_when_nobody_asks_for_them() -> None:
    flows = [make(send(), reentry="never", reentry_days=days) for days in (7, 8)]
    assert len({compile_flow(flow).content_hash for flow in flows}) == 1


@pytest.mark.parametrize(
    ("raw", "condition"),
    [
        (rule("fields", "eq", "blue", "colour"), {"field": "fields.colour", "op": "eq", "value": "blue"}),
        ({"type": "tag", "value": {"tag": " vip "}}, {"tag": "vip"}),
        (happened("order_paid", "no", "days", 2), {"not": {"event": "order_paid", "hours": 48}}),
        (happened("order_paid", "yes", "hours", 5), {"event": "order_paid", "hours": 5}),
        (happened("order_paid", "no", "entry"), {"not": {"event": "order_paid", "since": "entry"}}),
        (
            {"type": "any_of", "value": [rule(), {"type": "tag", "value": {"tag": "vip"}}]},
            {"any": [{"field": "orders_count", "op": "ge", "value": "2"}, {"tag": "vip"}]},
        ),
        (
            {"type": "none_of", "value": [{"type": "tag", "value": {"tag": "vip"}}]},
            {"not": {"any": [{"tag": "vip"}]}},
        ),
    ],
)
def test_each_rule_of_the_form_becomes_a_condition(raw: dict[str, Any], condition: dict[str, Any]) -> None:
    assert compile_flow(make(send(), audience=[raw])).audience == {"all": [condition]}


@pytest.mark.parametrize(
    ("flow", "said"),
    [
        (make(), "Add at least one step that does something"),
        (make(wait()), "Add at least one step that does something"),
        (make(send("")), "Step 1, Send a text: Write the text."),
        (make(wait(0), send()), "Step 1, Wait: Wait at least one minute."),
        (make(send("Hi {{ contact.first_name }}.")), "Step 1, Send a text: “contact.first_name” may be missing."),
        (make(send("Hi {{ cart.url }}.")), "There is no “cart.url” here."),
        (make(send("{{ store.url }}http://a.example/")), "Step 1, Send a text: Put a blank between the two addresses"),
        (make(send("Hi {{ cart.url ")), "Step 1, Send a text: This is not closed"),
        (make(send("Hi.", hold_amount=0)), "Step 1, Send a text: Give a number of at least 1."),
        (make(leave(), send()), "Step 2, Send a text: Nobody gets here"),
        (make(if_else([rule()], [leave()], [leave()]), send()), "Step 2, Send a text: Nobody gets here"),
        (make(if_else([], [send()], [])), "Step 1, If / else: Add at least one rule."),
        (make(if_else([rule()], [], []), send()), "Step 1, If / else: Add a step to at least one of the two ways."),
        (make(if_else([rule()], [send("")], [])), "Step 1 › yes › 1, Send a text: Write the text."),
        (make(if_else([rule(value="many")], [send()], [])), "Step 1, If / else: This must be a number."),
        (
            make({"type": "wait_for_event", "value": {"events": [], "amount": 1, "unit": "days"}}, send()),
            "Step 1, Wait for an event: Choose at least one event.",
        ),
        (
            make({"type": "wait_until_time", "value": {"time": None, "weekdays": []}}, send()),
            "Step 1, Wait until a time of day: Give a time of day.",
        ),
        (make(send(), {"type": "smoke_signal", "value": {}}), "comes from an app that is not installed."),
        (make(send(), exits=["opted_in"]), "What starts the flow cannot end it as well."),
        (make(send(), exits=["moon_landing"]), "There is no event “moon_landing”."),
        (make(send(), reentry="subject"), "What starts this flow is not about a cart or an order."),
        (make(send(), restart=True), "What starts this flow is not about a cart or an order."),
        (make(send(), reentry="after", reentry_days=0), "Give a number of at least 1."),
        (make(send(), message_class="service"), "can do without an opt-in to marketing."),
        (make(send(), trigger="message_failed"), "Choose what starts the flow."),
        (make(send(), audience=[happened()]), "Who may enter: Nobody could ever enter"),
        (make(send(), audience=[rule("trigger.cart.total")]), "does not bring such a value."),
        (make(send(), audience=[rule("fields")]), "Give the name of your own field."),
        (make(send(), audience=[{"type": "any_of", "value": []}]), "Add at least one rule to this group."),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_that_names_the_step(flow: Flow, said: str) -> None:
    assert any(said in problem for problem in problems(flow)), problems(flow)


def test_all_problems_are_told_at_once() -> None:
    assert len(problems(make(send(""), wait(0), send("{{ nope }}"), exits=["opted_in"]))) == 4


def test_copy_may_rely_on_its_fallback_when_a_value_is_missing() -> None:
    assert compile_flow(make(send("Hi {{ contact.first_name }}.", fallback="Hi.")))
    assert "“contact.first_name” may be missing" in problems(make(send("Hi.", fallback="{{ contact.first_name }}")))[0]


def test_the_same_language_twice_is_refused() -> None:
    twice = [{"type": "item", "value": {"language": "da", "text": "Hej."}, "id": i} for i in "ab"]
    assert problems(make(send("Hi.", translations=twice))) == ["Step 1, Send a text: Give each language once."]


def test_waits_of_many_weeks_are_fine() -> None:
    assert compile_flow(make(wait(60, "weeks"), send())).instructions[0] == Wait("s1", 60, "weeks")


def test_two_blocks_with_one_id_do_not_become_one_step() -> None:
    flow = Flow(triggers=[event_trigger("opted_in")], steps=[{**send("A."), "id": "x"}, {**send("B."), "id": "x"}])
    assert [i.step for i in compile_flow(flow).instructions] == ["x", "steps-1"]
