"""Every problem of the compiler is shown at its field, however deep that stands."""

from __future__ import annotations

from typing import Any

from smsflow_plugin.admin_panels.flows.errors import field_errors
from smsflow_plugin.flows.problems import Problem
from tests.flows.people import if_else, rule, send
from tests.flows.steps import flow, items, refused, step

OPTION = {"words": "A", "reply": {"text": "{{ nope }}"}, "steps": [send("")]}
ASK = step("ask_choice", text="?", options=items({"words": "B"}, OPTION), amount=1, unit="days")


def shown(problems: Any, steps: Any, **values: Any) -> dict[str, Any]:
    errors = field_errors(flow(*steps, **values), problems)
    return {field: error.as_json_data() for field, error in errors.items() if hasattr(error, "as_json_data")}


def test_a_problem_in_an_answer_is_shown_at_its_field() -> None:
    steps = [send("Hi."), if_else([rule()], [ASK], [])]
    error = shown(refused(*steps), steps)["steps"]
    option = error["blockErrors"][1]["blockErrors"]["yes"]["blockErrors"][0]["blockErrors"]["options"]["blockErrors"][1]
    assert option["blockErrors"]["reply"]["blockErrors"]["text"] == {"messages": ["There is no “nope” here."]}
    assert option["blockErrors"]["steps"]["blockErrors"][0]["blockErrors"]["text"] == {"messages": ["Write the text."]}


def test_a_problem_of_a_trigger_and_its_rules_is_shown_at_its_field() -> None:
    triggers = [step("event", kind="opted_in", rules=[rule("trigger.order.total")]), step("keyword", words="STOP")]
    error = shown(refused(send(), triggers=triggers), [send()], triggers=triggers)["triggers"]
    assert error["blockErrors"][0]["blockErrors"]["rules"]["blockErrors"][0]["blockErrors"].keys() == {"field"}
    assert error["blockErrors"][1]["blockErrors"].keys() == {"words"}


def test_a_problem_without_a_field_of_its_own_is_shown_at_the_step() -> None:
    paths = [("steps", 0, "gone"), ("steps", 7, "text"), ("steps", 0, "text", "inner"), ("steps",)]
    problems = [Problem("", path, f"At {path[-1]}.") for path in paths]
    error = shown(problems, [send("Hi.")])["steps"]
    assert error["messages"] == ["At text.", "At steps."]
    assert error["blockErrors"][0]["messages"] == ["At gone."]
    assert error["blockErrors"][0]["blockErrors"]["text"] == {"messages": ["At inner."]}
