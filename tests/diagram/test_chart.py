"""The structure of a program, read back out of its instructions."""

from __future__ import annotations

from typing import Any

import pytest

from smsflow_plugin.flows.chart import plain_copy, program_chart, words_of
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.layout import Step, every_step
from smsflow_plugin.flows.library import TEMPLATES, build
from smsflow_plugin.flows.outline import outline
from smsflow_plugin.flows.program import Branch, Exit, Program, Send, Trigger
from smsflow_plugin.models import Flow, Store
from tests.simulation.programs import CART_REMINDER, CODE, EVENING, QUIZ


def shape(steps: tuple[Step, ...]) -> list[Any]:
    return [
        (step.kind, [(way.name, shape(way.steps)) for way in step.ways]) if step.ways else step.kind for step in steps
    ]


def test_ways_stand_apart_and_meet_again() -> None:
    assert shape(program_chart(CART_REMINDER)) == [
        "wait",
        "send",
        "wait",
        ("branch", [("If yes", ["send"]), ("If no", ["send"])]),
    ]


def test_a_question_is_one_box_however_often_it_is_asked() -> None:
    assert shape(program_chart(QUIZ)) == [
        (
            "listen",
            [
                ("a, tea", ["send", "tag"]),
                ("b, coffee", ["send", "set_field"]),
                ("Anything else", []),
                ("No answer", []),
            ],
        ),
        "wait",
        "send",
    ]


def test_a_way_that_ends_does_not_hold_up_the_others() -> None:
    assert shape(program_chart(EVENING)) == [
        "wait_until_time",
        "send",
        ("wait_for_event", [("It happens", ["exit"]), ("Not in time", [])]),
        ("split", [("50 %", ["send"]), ("50 %", ["send"])]),
        "tag",
    ]
    assert shape(program_chart(CODE))[0] == ("discount", [("It works", ["send"]), ("It fails", ["send"])])


def test_where_the_last_step_ends_the_flow_the_ways_before_it_still_meet() -> None:
    program = Program(
        (Trigger("opted_in"),),
        (Branch("b", {"tag": "vip"}, 2), Send("s1", {"": "A"}), Send("s2", {"": "B"}), Exit("x", "done")),
    )
    assert shape(program_chart(program)) == [("branch", [("If yes", ["send"]), ("If no", [])]), "send", "exit"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_has_a_chart_without_jumps_across(template: str, store: Store, django_user_model: Any) -> None:
    flow = build(TEMPLATES[template], store)
    flow.owner = django_user_model.objects.create_user("owner", "owner@example.com")
    program = compile_flow(flow)
    steps = list(every_step(program_chart(program)))
    assert {step.id for step in steps} == {i.step for i in program.instructions if i.op != "jump"}
    assert "see" not in {step.kind for step in steps}


def switch(*ways: tuple[str, str], otherwise: str = "") -> dict[str, Any]:
    def texts(words: str) -> list[Any]:
        return [{"type": "send", "id": f"s-{words}", "value": {"text": words}}] if words else []

    items = [
        {
            "type": "item",
            "id": f"i-{label}",
            "value": {
                "label": label,
                "condition": [{"type": "tag", "value": {"tag": f"t-{words}"}}],
                "steps": texts(words),
            },
        }
        for label, words in ways
    ]
    return {"type": "switch", "id": "w", "value": {"ways": items, "otherwise": texts(otherwise)}}


def test_a_switch_is_one_box_with_the_names_of_its_ways(store: Store) -> None:
    steps = [switch(("Gold", "A"), ("Silver", "B"), ("", "C"), otherwise="D"), {"type": "exit", "id": "x", "value": {}}]
    triggers = [{"type": "event", "id": "t", "value": {"kind": "opted_in", "rules": []}}]
    flow = Flow(store=store, name="Ways", triggers=triggers, steps=steps)
    program = compile_flow(flow)
    named = shape(program_chart(program, words_of(outline(flow.steps))))
    ways = [("Gold", ["send"]), ("Silver", ["send"]), ("way 3", ["send"]), ("otherwise", ["send"])]
    assert named == [("branch", ways), "exit"]
    # of an old version only the program is left
    nameless = [("Way 1", ["send"]), ("Way 2", ["send"]), ("Way 3", ["send"]), ("Otherwise", ["send"])]
    assert shape(program_chart(program)) == [("branch", nameless), "exit"]


def test_a_split_has_the_names_and_the_shares_of_its_ways(store: Store) -> None:
    items = [
        {"type": "item", "id": name, "value": {"label": name, "weight": 50, "steps": [
            {"type": "send", "id": f"s-{name}", "value": {"text": name}}]}}
        for name in ("Short", "Long")
    ]  # fmt: skip
    triggers = [{"type": "event", "id": "t", "value": {"kind": "opted_in", "rules": []}}]
    flow = Flow(store=store, triggers=triggers, steps=[{"type": "split", "id": "p", "value": {"ways": items}}])
    chart = program_chart(compile_flow(flow), words_of(outline(flow.steps)))
    assert shape(chart) == [("split", [("Short (50 %)", ["send"]), ("Long (50 %)", ["send"])])]


def test_copy_in_boxes_has_names_instead_of_liquid() -> None:
    assert plain_copy("Hi {{ contact.first_name | default: 'you' }}{% if x %}!{% endif %}") == "Hi [first name]!"
