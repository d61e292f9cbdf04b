"""A flow's own limits, and what becomes of a text that may not go yet: from the form into the program."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from smsflow_plugin.engine.state import State
from smsflow_plugin.engine.transfer import transfer
from smsflow_plugin.flows.changes import Change, changes
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.portable import export_flow, import_flow
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.flows.program import Send
from smsflow_plugin.flows.trigger_blocks import event_trigger
from smsflow_plugin.models import Flow
from tests.conftest import NOON
from tests.versions.trees import program, send

pytestmark = pytest.mark.django_db


def flow_with(store: Any, when_blocked: Any = "", **values: Any) -> Flow:
    steps = [{"type": "send", "id": "s1", "value": {"text": "Hello", "fallback": "", "when_blocked": when_blocked}}]
    triggers = [event_trigger("opted_in")]
    return Flow.objects.create(store=store, name="Welcome", triggers=triggers, steps=steps, **values)


def compiled_text(flow: Flow) -> Send:
    (text,) = compile_flow(flow).instructions
    assert isinstance(text, Send)
    return text


@pytest.mark.parametrize("choice", ["", "hold", "drop"])
def test_a_text_says_what_becomes_of_it_when_it_may_not_go_yet(store: Any, choice: str) -> None:
    assert compiled_text(flow_with(store, choice)).when_blocked == choice


def test_texts_from_before_say_nothing_about_it(store: Any) -> None:
    flow = flow_with(store)
    flow.steps = [{"type": "send", "id": "s1", "value": {"text": "Hello", "fallback": ""}}]
    assert compiled_text(flow).when_blocked == ""


def test_what_nobody_can_choose_is_a_problem_of_the_text(store: Any) -> None:
    with pytest.raises(CannotCompile) as refusal:
        compile_flow(flow_with(store, "burn"))
    assert refusal.value.problems[0].path[-1] == "when_blocked"


def test_a_file_takes_it_along(store: Any, danish_store: Any) -> None:
    flow = flow_with(store, "drop", cap_day=1, own_gap=90, stage="welcome")
    imported = import_flow(export_flow(flow), danish_store)
    assert imported.problems == []
    assert compiled_text(imported.flow).when_blocked == "drop"
    assert (imported.flow.cap_day, imported.flow.own_gap, imported.flow.stage) == (1, 90, "welcome")


def test_another_choice_is_a_setting_and_leaves_people_where_they_are() -> None:
    hold = program(send("A"))
    drop = replace(hold, instructions=(replace(hold.instructions[0], when_blocked="drop"),))  # type: ignore[arg-type]
    (change,) = changes(hold, drop)
    assert change.changes == {Change.SETTINGS}
    waiting = State(at=0, reached_at=NOON, waiting_until=NOON)
    assert transfer(waiting, hold, drop) == waiting


@pytest.mark.parametrize(
    ("values", "field"), [({"cap_day": 3, "cap_week": 2}, "cap_week"), ({"cap_day": 0}, "cap_day")]
)
def test_limits_that_make_no_sense_cannot_run(store: Any, values: dict[str, int], field: str) -> None:
    with pytest.raises(CannotCompile) as refusal:
        compile_flow(flow_with(store, **values))
    assert field in [problem.path[0] for problem in refusal.value.problems]


def test_the_editor_offers_the_limits(client: Client, store: Any) -> None:
    flow = flow_with(store)
    fields = client.get(reverse("wagtailsnippets_smsflow_flow:edit", args=[flow.pk])).context["form"].fields
    assert {"stage", "when_blocked", "cap_day", "cap_week", "own_gap"} <= set(fields)


def test_the_page_of_the_store_leads_to_its_rules(client: Client, store: Any) -> None:
    page = client.get(reverse("smsflow_stores:edit", args=[store.pk])).content.decode()
    assert reverse("wagtailsnippets_smsflow_policy:edit", args=[store.policy.pk]) in page
