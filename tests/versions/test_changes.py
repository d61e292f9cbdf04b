"""What is said to have changed between two programs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_plugin.flows.changes import Change, changed_settings, changes
from smsflow_plugin.flows.program import Program
from tests.versions.test_transfer import edits, trees
from tests.versions.trees import ask, branch, event, program, send, tag, wait

A, B, C, W = send("A"), send("B"), send("C"), wait("W")


def said(old: Program, new: Program) -> dict[str, set[str]]:
    return {change.step: {kind.value for kind in change.changes} for change in changes(old, new) if change.changes}


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (program(A, W, B), {}),
        (program(A, W, B.having("New.")), {"B": {"copy"}}),
        (program(A, wait("W", 3), B), {"W": {"delay"}}),
        (program(A, B), {"W": {"removed"}}),
        (program(A, W, C, B), {"C": {"added"}}),
        (program(W, A, B.having("New.")), {"A": {"moved"}, "B": {"copy"}}),
        (program(A, branch("I", (W,), ()), B), {"I": {"added"}, "W": {"moved"}}),
    ],
)
def test_each_change_is_named_after_its_step(new: Program, expected: Any) -> None:
    found = said(program(A, W, B), new)
    if "moved" in str(expected) and "W" in found and "A" in expected:
        # of two steps that changed places either may be said to have moved
        found = {"A": found.pop("W"), **found}
    assert found == expected


def test_settings_and_delays_of_larger_steps_are_told_apart() -> None:
    old = program(ask("Q"), event("E"), branch("I", (A,)), tag("T"))
    rule = {"all": [{"tag": "vip"}]}
    new = program(ask("Q", hours=2), event("E", hours=3), branch("I", (A,), condition=rule), tag("T").having("vip"))
    assert said(old, new) == {"Q": {"delay"}, "E": {"delay"}, "I": {"settings"}, "T": {"settings"}}


def test_a_removed_step_stands_where_it_stood() -> None:
    order = [change.step for change in changes(program(A, W, B), program(A, C, B))]
    assert order == ["A", "W", "C", "B"]


def test_what_changes_about_the_flow_itself_is_named() -> None:
    old = program(A)
    assert changed_settings(old, replace(old, exits=("order_created",), restart=True)) == ("exits", "restart")
    assert changed_settings(old, program(B)) == ()


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_every_step_is_told_of_once_and_only_what_differs_has_changed(data: Any) -> None:
    nodes = data.draw(trees())
    old, new = program(*nodes), program(*data.draw(edits(nodes, 0)))
    found = changes(old, new)
    steps = [change.step for change in found]
    assert len(set(steps)) == len(steps)
    assert set(steps) == {i.step for each in (old, new) for i in each.instructions}
    assert all((Change.ADDED in change.changes) is (not change.old) for change in found)
    assert all((Change.REMOVED in change.changes) is (not change.new) for change in found)
    assert not any(change.changes for change in changes(old, old))
