"""The form of a condition: what it compiles to, what is wrong with it, and how it reads."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from wagtail.admin.telepath import JSContext

from smsflow_plugin.audience.filters import Facts, matches
from smsflow_plugin.engine.selection import count
from smsflow_plugin.flows.blocks import audience_block
from smsflow_plugin.flows.condition_blocks import ConditionBlock, rules_and_groups
from smsflow_plugin.flows.condition_compiler import ConditionCompiler
from smsflow_plugin.flows.condition_words import describe_condition
from smsflow_plugin.models import Flow, Segment
from tests.conftest import NOON
from tests.flows.people import happened, rule


def made(kind: str, **value: Any) -> dict[str, Any]:
    return {"type": kind, "value": value}


def group(kind: str, *rules: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "value": list(rules)}


def stream(*raw: dict[str, Any]) -> Any:
    return audience_block().to_python([{**item, "id": f"r{number}"} for number, item in enumerate(raw)])


def compiled(*raw: dict[str, Any], triggers: Any = (), **options: Any) -> tuple[Any, list[tuple[Any, str]]]:
    problems: list[tuple[Any, str]] = []
    compiler = ConditionCompiler(triggers, lambda path, message: problems.append((path, message)), **options)
    return compiler.compile(stream(*raw)), problems


FOR_SALE = {"path": "url", "op": "contains", "value": "sale"}


def detail(path: str, operator: str, value: str) -> dict[str, Any]:
    return {"type": "item", "value": {"path": path, "operator": operator, "value": value}, "id": "d"}


def date(field: str = "last_order_at", operator: str = "within_days", amount: Any = 30, day: Any = None) -> Any:
    return made("date", field=field, custom="own", operator=operator, amount=amount, date=day)


@pytest.mark.parametrize(
    ("raw", "condition"),
    [
        (rule("country", "in", "DK, SE ,"), {"field": "country", "op": "in", "value": ["DK", "SE"]}),
        (rule("run.answers", "eq", "L", "size"), {"field": "run.answers.size", "op": "eq", "value": "L"}),
        (date(), {"field": "last_order_at", "op": "within_days", "value": 30}),
        (date("fields", "in_next_days", 7), {"field": "fields.own", "op": "in_next_days", "value": 7}),
        (date(operator="before", day="2026-03-04"), {"field": "last_order_at", "op": "before", "value": "2026-03-04"}),
        (
            made("known", field="last_texted_at", custom="", known="no"),
            {"field": "last_texted_at", "op": "unknown"},
        ),
        (made("in_flow", flow=None, within="no"), {"not": {"in_flow": "any"}}),
        (made("handed_over", **{"is": "no"}), {"not": {"handed_over": True}}),
        (made("handed_over", **{"is": "yes"}), {"handed_over": True}),
        (happened("link_clicked", "yes", "ever"), {"event": "link_clicked", "ever": True}),
        (
            made("happened", happened="yes", event="order_created", period="days", amount=2, at_least=3),
            {"event": "order_created", "hours": 48, "at_least": 3},
        ),
        (
            made(
                "happened", happened="no", event="link_clicked", period="hours", amount=2,
                details=[detail("url", "contains", "sale")],
            ),
            {"not": {"event": "link_clicked", "hours": 2, "where": [FOR_SALE]}},
        ),
        (
            group("all_of", group("any_of", group("none_of", rule()))),
            {"all": [{"any": [{"not": {"any": [{"field": "orders_count", "op": "ge", "value": "2"}]}}]}]},
        ),
    ],
)  # fmt: skip
def test_each_rule_becomes_its_condition_which_can_be_asked(raw: dict[str, Any], condition: dict[str, Any]) -> None:
    assert compiled(raw) == ({"all": [condition]}, [])
    matches(condition, Facts({}, NOON), NOON)


@pytest.mark.parametrize(
    ("raw", "path", "said"),
    [
        (rule("orders_count", "ge", "1e3"), ("value",), "This must be a number."),
        (rule("orders_count", "in", "1, two"), ("value",), "This must be a number."),
        (rule("orders_count", "contains", "1"), ("operator",), "This is a number"),
        (rule("country", "in", " , "), ("value",), "Say what to compare with."),
        (rule("run.answers", "eq", "L"), ("custom",), "Give its name."),
        (rule("trigger.order.total"), ("field",), "does not bring such a value."),
        (date(operator="after"), ("date",), "Choose a day."),
        (date(amount=None), ("amount",), "Give a number of at least 1."),
        (date(amount=99_999), ("amount",), "Give a number of at most 36500."),
        (made("known", field="fields", custom=" ", known="yes"), ("custom",), "Give the name of your own field."),
        (made("segment", segment=None, within="yes"), ("segment",), "Choose a segment."),
        (happened("moon_landing", "yes", "ever"), ("event",), "Choose an event."),
        (happened("order_created", "yes", "hours"), ("amount",), "Give a number of at least 1."),
        (
            made("happened", happened="yes", event="order_created", period="ever", same_subject=True),
            ("same_subject",),
            "not about a cart or an order.",
        ),
        (
            made(
                "happened", happened="yes", event="link_clicked", period="ever",
                details=[detail("order.total", "eq", "x")],
            ),
            ("details", 0, "path"),
            "This event does not bring such a value.",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field(raw: dict[str, Any], path: tuple[Any, ...], said: str) -> None:
    _condition, problems = compiled(raw, triggers=["opted_in", "link_clicked"])
    assert any(at == (0, *path) and said in message for at, message in problems), problems


def test_a_value_is_there_if_any_of_the_triggers_brings_it() -> None:
    asked = rule("trigger.cart.total")
    assert not compiled(asked, triggers=["opted_in", "cart_updated"])[1]
    assert compiled(asked, triggers=["opted_in", "order_created"])[1]


def test_a_rule_about_the_run_makes_no_sense_at_entry() -> None:
    asked = rule("run.answers", "eq", "L", "size")
    assert not compiled(asked)[1]
    assert "not yet at entry" in compiled(asked, at_entry=True)[1][0][1]


def test_what_cannot_be_at_entry_is_seen_through_groups() -> None:
    since = happened()
    assert compiled(since, at_entry=True)[1]
    assert not compiled(group("none_of", since), at_entry=True)[1]
    assert compiled(group("none_of", group("all_of", happened(happened="no"))), at_entry=True)[1]


# Segments ------------------------------------------------------------------------------------


@pytest.fixture
def segments(store: Any) -> dict[str, Segment]:
    made_segments = {}
    for name, rules in {"Loyal": [rule()], "Empty": [rule(value="")], "Since entry": [happened()]}.items():
        made_segments[name] = Segment.objects.create(store=store, name=name, rules=rules)
    return made_segments


def chosen(segment: Segment, within: str = "yes") -> dict[str, Any]:
    return made("segment", segment=segment.pk, within=within)


def finder(*segments: Segment) -> Any:
    return {segment.pk: segment.rules for segment in segments}.get


LOYAL = {"all": [{"field": "orders_count", "op": "ge", "value": "2"}]}


@pytest.mark.parametrize(("within", "condition"), [("yes", LOYAL), ("no", {"not": LOYAL})])
def test_a_segment_s_rules_are_taken_in(segments: dict[str, Segment], within: str, condition: Any) -> None:
    loyal = segments["Loyal"]
    assert compiled(chosen(loyal, within), segments=finder(loyal)) == ({"all": [condition]}, [])


def test_a_segment_that_cannot_be_found_is_a_problem(segments: dict[str, Segment]) -> None:
    loyal = segments["Loyal"]
    for options in ({}, {"segments": finder()}):
        assert compiled(chosen(loyal), **options)[1] == [((0, "segment"), "Choose a segment of the same store.")]


def test_what_is_wrong_inside_a_segment_is_said_where_it_is_chosen(segments: dict[str, Segment]) -> None:
    empty = segments["Empty"]
    said = "In the segment “Empty”: Say what to compare with."
    assert compiled(chosen(empty), segments=finder(empty))[1] == [((0, "segment"), said)]


def test_a_segment_has_no_entry(segments: dict[str, Segment]) -> None:
    since = segments["Since entry"]
    assert "Nobody enters a segment" in compiled(chosen(since), segments=finder(since))[1][0][1]
    assert "Nobody enters a segment" in compiled(happened(), segment_id=0)[1][0][1]


def test_a_segment_that_contains_itself_is_a_problem_and_ends(store: Any, segments: dict[str, Segment]) -> None:
    loyal = segments["Loyal"]
    outer = Segment.objects.create(store=store, name="Outer", rules=[chosen(loyal)])
    loyal.rules = stream(chosen(outer))
    _condition, problems = compiled(chosen(outer), segments=finder(loyal, outer))
    assert "would contain itself" in problems[0][1]
    assert "would contain itself" in compiled(chosen(loyal), segments=finder(loyal), segment_id=loyal.pk)[1][0][1]


@pytest.mark.django_db
def test_a_compiled_form_can_be_counted(store: Any, still: Any, segments: dict[str, Segment]) -> None:
    condition, problems = compiled(
        chosen(segments["Loyal"], "no"),
        date(),
        made("in_flow", flow=None, within="no"),
        happened("order_paid", "no", "ever"),
        segments=finder(segments["Loyal"]),
    )
    assert not problems
    assert count(condition, store_id=store.pk, now=NOON) == 0


# The form ------------------------------------------------------------------------------------


def test_the_editor_s_definitions_grow_by_the_same_amount_with_every_level_of_groups() -> None:
    sizes = [len(json.dumps(JSContext().pack(ConditionBlock(rules_and_groups(depth))))) for depth in range(1, 5)]
    growth = [after - before for before, after in zip(sizes, sizes[1:], strict=False)]
    assert max(growth) < 8_000
    assert max(growth) - min(growth) < 200


def test_all_forms_of_conditions_share_their_rules() -> None:
    assert audience_block().child_blocks["compare"] is ConditionBlock().child_blocks["compare"]


def test_groups_stand_three_deep_inside_each_other() -> None:
    value = stream(group("all_of", group("any_of", group("none_of", rule()))))
    assert value[0].value[0].value[0].value[0].block_type == "compare"


def test_rules_of_before_are_still_read() -> None:
    old = made("happened", happened="no", event="order_created", period="days", amount=3)
    assert compiled(old)[0] == {"all": [{"not": {"event": "order_created", "hours": 72}}]}


# In words ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (rule(), "Number of orders is at least 2"),
        (rule("fields", "eq", "blue", "colour"), "colour is blue"),
        (date(), "Last order in the last 30 days"),
        (date("fields", "older_than_days", 3), "own more than 3 days ago"),
        (made("known", field="last_texted_at", custom="", known="no"), "Last text to the person is not known"),
        (made("in_flow", flow=None, within="no"), "in no other flow"),
        (made("handed_over", **{"is": "yes"}), "with staff"),
        (made("segment", segment=None, within="no"), "not in the segment …"),
        (
            made("happened", happened="yes", event="order_created", period="ever", at_least=3),
            "3 times “Order placed” at any time",
        ),
        (group("any_of", rule(), made("tag", tag="vip")), "(Number of orders is at least 2 or has the tag vip)"),
        (group("none_of", made("tag", tag="vip")), "none of (has the tag vip)"),
        (group("all_of"), "(…)"),
    ],
)
def test_a_rule_reads_as_words(raw: dict[str, Any], words: str) -> None:
    assert describe_condition(stream(raw)) == words


def test_a_day_reads_as_people_write_it() -> None:
    value = stream(date(operator="before", day="2026-03-04"))
    assert value[0].value["date"] == datetime.date(2026, 3, 4)
    assert describe_condition(value) == "Last order before 03/04/2026"


@pytest.mark.django_db
def test_segments_and_flows_are_named(store: Any, segments: dict[str, Segment]) -> None:
    flow = Flow.objects.create(store=store, name="Welcome")
    value = stream(chosen(segments["Loyal"]), made("in_flow", flow=flow.pk, within="yes"))
    assert describe_condition(value) == "in the segment Loyal and in the flow Welcome"
