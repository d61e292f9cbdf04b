"""Ways by rules and by chance, how they are laid out, and the outline that shows them."""

from __future__ import annotations

from typing import Any

import pytest

from smsflow_plugin.flows.outline import outline, walk
from smsflow_plugin.flows.program import Branch, Jump, Split
from tests.flows.people import if_else, leave, rule, send
from tests.flows.steps import flow, instructions, items, refused, said, step

VIP = [{"type": "tag", "value": {"tag": "vip"}}]
NEW = [{"type": "tag", "value": {"tag": "new"}}]


def text(name: str) -> dict[str, Any]:
    return {**send(name), "id": name}


def switch(*ways: tuple[Any, list[Any]], otherwise: Any = ()) -> dict[str, Any]:
    values = [{"label": f"Way {n}", "condition": rules, "steps": steps} for n, (rules, steps) in enumerate(ways)]
    return step("switch", ways=items(*values), otherwise=list(otherwise))


def split(*ways: tuple[Any, list[Any]]) -> dict[str, Any]:
    return step("split", ways=items(*({"label": "", "weight": weight, "steps": steps} for weight, steps in ways)))


def test_a_switch_asks_one_way_after_another() -> None:
    found = instructions(switch((VIP, [text("a")]), (NEW, [text("b")]), otherwise=[text("c")]), send())
    assert found[0] == Branch("s1", {"all": [{"tag": "vip"}]}, 3, "way:i0")
    assert found[2] == Jump("s1", 7, "end:i0")
    assert found[3] == Branch("s1", {"all": [{"tag": "new"}]}, 6, "way:i1")
    assert [each.step for each in found] == ["s1", "a", "s1", "s1", "b", "s1", "c", "s2"]


def test_a_way_without_steps_goes_on_behind_the_switch() -> None:
    found = instructions(switch((VIP, []), (NEW, [text("b")])), send())
    assert [type(each).__name__ for each in found] == ["Branch", "Jump", "Branch", "Send", "Send"]
    assert (found[0].otherwise, found[1].target, found[2].otherwise) == (2, 4, 4)  # type: ignore[union-attr]


def test_a_split_has_a_share_and_a_place_for_each_way() -> None:
    found = instructions(split((50, [text("a")]), (30, []), (20, [text("c")])), send())
    assert found[0] == Split("s1", (50, 30, 20), (1, 4, 3))
    assert found[2] == Jump("s1", 4, "end:i0")


def test_all_ways_ending_makes_what_follows_unreachable() -> None:
    ends = switch((VIP, [{**leave(), "id": "x"}]), otherwise=[{**leave(), "id": "y"}])
    assert said(refused(ends, send())) == [(("steps", 1), "Nobody gets here: the flow ends before this step.")]
    assert instructions(switch((VIP, [{**leave(), "id": "x"}])), send())


@pytest.mark.parametrize(
    ("ways", "path", "message"),
    [
        (step("switch", ways=[], otherwise=[text("a")]), ("ways",), "Add at least one way."),
        (switch(([], [text("a")])), ("ways", 0, "condition"), "Add at least one rule."),
        (switch((VIP, [])), (), "Add a step to at least one of the ways."),
        (split((50, [text("a")])), ("ways",), "Add at least two ways."),
        (split((50, [text("a")]), (0, [])), ("ways", 1, "weight"), "Give a number from 1 to 100."),
        (split((50, []), (50, [])), (), "Add a step to at least one of the ways."),
        (
            switch((VIP, [text("a"), send("")])),
            ("ways", 0, "steps", 1, "text"),
            "Write the text.",
        ),
        (
            switch(([rule(value="many")], [text("a")])),
            ("ways", 0, "condition", 0, "value"),
            "This must be a number.",
        ),
    ],
)
def test_what_is_wrong_with_ways_is_said_at_its_field(ways: Any, path: Any, message: str) -> None:
    assert said(refused(ways, send())) == [(("steps", 0, *path), message)]


def test_the_place_of_a_nested_step_is_told_in_words() -> None:
    nested = if_else(VIP, [switch((NEW, [send("")]))], [])
    assert str(refused(nested)[0]) == "Step 1 › yes › 1 › Way 0 › 1, Send a text: Write the text."


def test_the_outline_shows_every_way_of_every_step() -> None:
    ask = step(
        "ask_choice",
        text="A or B?",
        options=items({"words": "A, yes", "steps": [text("a")]}, {"words": "", "steps": []}),
        other=[],
        silence=[text("s")],
        amount=1,
        unit="days",
    )
    tree = outline(flow(ask, if_else(VIP, [text("y")], [text("n")]), split((60, [text("x")]), (40, []))).steps)
    assert [[way.label for way in each.ways] for each in tree] == [
        ["A", "answer 2", "no sense", "no answer"],
        ["yes", "no"],
        ["way 1", "way 2"],
    ]
    assert [each.number for each in walk(tree)] == [
        "1", "1 › A › 1", "1 › no answer › 1", "2", "2 › yes › 1", "2 › no › 1", "3", "3 › way 1 › 1",
    ]  # fmt: skip
    assert [each.summary for each in tree] == ["A or B? (A, yes / …)", "has the tag vip", "60 / 40"]
    assert ([each.id for each in tree[1].yes], [each.id for each in tree[1].no]) == (["y"], ["n"])


def test_the_outline_and_the_problems_number_steps_alike() -> None:
    deep = switch((VIP, [split((50, [send("")]), (50, []))]))
    number = [each.number for each in walk(outline(flow(deep).steps))][-1]
    assert refused(deep)[0].where == f"Step {number}, Send a text"
