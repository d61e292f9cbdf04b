"""More than forty steps, their ways four deep inside each other: the editor opens at one price, and loses nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.flows.blocks import MAX_DEPTH, steps_block
from smsflow_plugin.flows.chart import program_chart
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.portable import export_flow, import_flow
from smsflow_plugin.flows.program import Discount, Program, Wait
from smsflow_plugin.models import Flow
from tests.flows.large import every_step, large_steps, posted
from tests.flows.people import STORE_ADMIN, person, saved_flow
from tests.flows.test_editor import form, signed_in, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines(store: Any) -> Client:
    return signed_in(person("Ines", (store, STORE_ADMIN)))


@pytest.fixture
def large(store: Any) -> Flow:
    other = saved_flow(store, "welcome", name="Other")
    return saved_flow(store, name="Large", steps=large_steps(other.pk))


def as_shown(flow: Flow) -> dict[str, Any]:
    """What a browser posts when somebody opens the flow and presses "Save draft"."""
    data = {name: value for name, value in form().items() if not name.startswith("steps")}
    return {**data, **posted(flow.steps.stream_block, flow.steps, "steps")}


def newest(flow: Flow) -> Any:
    """The steps of the newest draft, as the database holds them."""
    return json.loads(flow.revisions.latest("pk").content["steps"])


def written(flow: Flow) -> Any:
    """The steps as they are written to the database."""
    return json.loads(json.dumps(flow.steps.get_prep_value(), default=str))


def test_it_has_every_type_of_step_and_ways_as_deep_as_they_can_stand() -> None:
    found = list(every_step(large_steps(1)))
    assert len(found) == 44
    assert {step["type"] for step, _depth in found} == set(steps_block().child_blocks) - {"retired"}
    assert max(depth for _step, depth in found) == MAX_DEPTH + 1
    ids = [step["id"] for step, _depth in found]
    assert len(set(ids)) == len(ids)


def test_it_can_be_published(large: Flow) -> None:
    program = compile_flow(large)
    assert {step["id"] for step, _depth in every_step(large_steps(1))} >= {i.step for i in program.instructions}


def test_saving_it_untouched_changes_no_block_and_no_id(large: Flow, ines: Client) -> None:
    before = list(large.steps.raw_data)
    response = ines.post(url("edit", large.pk), as_shown(large))
    assert response.status_code == 302, response.context["form"].errors
    assert large.revisions.count() == 2
    assert newest(large) == before


def test_one_change_changes_one_block(large: Flow, ines: Client) -> None:
    data = as_shown(large)
    (field,) = [name for name, value in data.items() if value == "We read it."]
    ines.post(url("edit", large.pk), {**data, field: "We have read it."})
    before = json.dumps(list(large.steps.raw_data))
    assert newest(large) == json.loads(before.replace('"We read it."', '"We have read it."'))


def test_opening_it_takes_as_many_queries_as_opening_a_small_one(large: Flow, ines: Client) -> None:
    small = saved_flow(large.store, "welcome", name="Small")
    counts = []
    for flow in (small, large, small, large):
        with CaptureQueriesContext(connection) as queries:
            assert ines.get(url("edit", flow.pk)).status_code == 200
        counts.append(len(queries))
    # one more to name the flow that a step leads to
    assert counts[3] <= counts[2] + 1
    assert counts[3] < 60


def test_its_program_and_its_file_hold_what_waits_and_discounts_try(large: Flow) -> None:
    program = compile_flow(large)
    assert {type(each) for each in program.instructions if getattr(each, "variants", ())} == {Wait, Discount}
    assert Program.from_json(json.loads(json.dumps(program.to_json()))) == program
    imported = import_flow(json.loads(json.dumps(export_flow(large))), large.store)
    assert imported.problems == []
    assert written(imported.flow) == written(large)
    assert compile_flow(imported.flow).content_hash == program.content_hash


def test_its_diagram_says_what_is_tried(large: Flow) -> None:
    def lines(steps: Any) -> Iterator[str]:
        for each in steps:
            yield each.summary
            for way in each.ways:
                yield from lines(way.steps)

    drawn = list(lines(program_chart(compile_flow(large))))
    assert "A: 3 days / B: 5 days (50 %)" in drawn
    assert "thanks: A: 12.5 % / B: 15 % (50 %)" in drawn
