"""The structure of a program, read back out of its instructions."""

from __future__ import annotations

from typing import Any

import pytest

from smsflow_plugin.flows.chart import plain_copy, program_chart
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.layout import Step, every_step
from smsflow_plugin.flows.library import TEMPLATES, build
from smsflow_plugin.flows.program import Branch, Exit, Program, Send, Trigger
from smsflow_plugin.models import Store
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


def test_copy_in_boxes_has_names_instead_of_liquid() -> None:
    assert plain_copy("Hi {{ contact.first_name | default: 'you' }}{% if x %}!{% endif %}") == "Hi [first name]!"
