"""What conditions mean, asked of one person in memory."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.audience.comparing import FOLDS, compare, fold, number_of, text_of
from smsflow_plugin.audience.filters import (
    FOREVER,
    BadCondition,
    Facts,
    PastEvent,
    event_kinds,
    look_back,
    matches,
    needs_event_data,
)
from tests.conftest import NOON

ADA = {
    "first_name": "Åse",
    "last_name": "",
    "orders_count": 3,
    "total_spent": "129.00",
    "tags": ["VIP", "Ærø"],
    "fields": {"size": "9", "colour": "Blue", "birthday": "2026-03-04", "shoe size": 42, "a.b": "x"},
    "last_order_at": (NOON - timedelta(days=3)).isoformat(),
    "last_texted_at": None,
    "handed_over_at": None,
}


def holds(condition: dict[str, Any], **values: Any) -> bool:
    contact = {**ADA, **values.pop("contact", {})}
    return matches(condition, Facts(contact, NOON - timedelta(days=2), **values), NOON)


def asked(field: str, op: str, value: Any = None) -> bool:
    return holds({"field": field, "op": op, "value": value})


@pytest.mark.parametrize(
    ("left", "operator", "right", "expected"),
    [
        ("10", "gt", "9", True),
        ("3", "eq", "3.0", True),
        (" 3", "eq", "3", False),
        ("1e3", "eq", "1000", False),
        ("1e3", "gt", "5", False),
        ("Infinity", "gt", "5", False),
        ("NaN", "ne", "NaN", False),
        ("1_000", "eq", "1000", False),
        ("large", "gt", "5", False),
        ("large", "le", "5", False),
        ("b", "gt", "A", True),
        ("STRAẞE", "eq", "straße", True),
        ("ÆRØ", "starts", "ær", True),
        ("Trail Jacket", "contains", "JACK", True),
        (0.1, "eq", "0.1", True),
        (1e-7, "eq", "0.0000001", True),
        (True, "eq", "true", True),
        (None, "eq", "", False),
        (None, "ne", "x", True),
        ("", "ne", "x", True),
        ("x", "ne", None, True),
        (["x"], "contains", "x", False),
        ("x", "contains", "", False),
    ],
)
def test_two_values_are_compared(left: Any, operator: str, right: Any, expected: bool) -> None:
    assert compare(left, operator, right) is expected


@given(st.text(), st.text())
def test_folding_keeps_the_length_and_joins_the_cases(a: str, b: str) -> None:
    assert len(fold(a)) == len(a)
    assert fold(fold(a)) == fold(a)
    assert fold(a + b) == fold(a) + fold(b)


def test_the_cases_of_every_letter_with_one_partner_are_equal() -> None:
    for code in FOLDS:
        letter = chr(code)
        if len(letter.lower()) == 1 and letter.lower().upper() == letter:
            assert compare(letter, "eq", letter.lower()), letter


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12))
def test_a_number_is_what_it_was_after_it_was_text(number: Any) -> None:
    text = text_of(number)
    assert text is not None
    assert number_of(text) == number


@pytest.mark.parametrize(
    ("field", "op", "value", "expected"),
    [
        ("orders_count", "ge", "3", True),
        ("orders_count", "contains", "3", False),
        ("total_spent", "gt", "99", True),
        ("total_spent", "in", ["1", "129"], True),
        ("first_name", "in", ["bo", "ÅSE"], True),
        ("first_name", "in", [], False),
        ("last_name", "known", None, False),
        ("last_name", "unknown", None, True),
        ("last_name", "ne", "Lovelace", True),
        ("last_name", "contains", "a", False),
        ("fields.shoe size", "gt", "41.5", True),
        ("fields.a.b", "eq", "x", True),
        ("fields.gone", "eq", "x", False),
        ("nothing", "unknown", None, True),
        ("last_order_at", "within_days", 3, True),
        ("last_order_at", "within_days", 2, False),
        ("last_order_at", "older_than_days", 2, True),
        ("last_order_at", "older_than_days", 3, False),
        ("last_order_at", "before", "2026-03-02", True),
        ("last_order_at", "after", "2026-03-01", False),
        ("last_texted_at", "unknown", None, True),
        ("last_texted_at", "older_than_days", 1, False),
        ("last_texted_at", "before", "2026-03-04", False),
        ("fields.birthday", "within_days", 1, True),
        ("fields.birthday", "in_next_days", 1, True),
        ("fields.birthday", "after", "2026-03-03", True),
        ("fields.birthday", "before", "2026-03-04", False),
        ("fields.colour", "before", "2026-03-04", False),
    ],
)
def test_a_field_is_asked(field: str, op: str, value: Any, expected: bool) -> None:
    assert asked(field, op, value) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-29", True),
        ("2023-02-29", False),
        ("1900-02-29", False),
        ("2024-04-31", False),
        ("2024-06-01T25:00", False),
        ("2024-06-01T23:59:59.5+02:00", True),
        ("2024-06-01 10:00", True),
        ("01.06.2024", False),
        ("2024-06-01\n", False),
    ],
)
def test_only_dates_of_the_calendar_are_dates(text: str, expected: bool) -> None:
    contact = {"fields": {"day": text}}
    assert holds({"field": "fields.day", "op": "before", "value": "2026-01-01"}, contact=contact) is expected


def test_a_moment_without_an_offset_is_utc() -> None:
    for text, inside in (("2026-03-03T15:59:59", False), ("2026-03-03T16:00", True), ("2026-03-03T17:00+01:00", True)):
        contact = {"fields": {"day": text}}
        assert holds({"field": "fields.day", "op": "within_days", "value": 1}, contact=contact) is inside


LARGE = {"path": "order.total", "op": "gt", "value": "100"}


def event(kind: str, *, hours: float, **values: Any) -> PastEvent:
    return PastEvent(kind, NOON - timedelta(hours=hours), **values)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"event": "order_created", "since": "entry"}, True),
        ({"event": "link_clicked", "since": "entry"}, False),
        ({"event": "link_clicked", "hours": 100}, True),
        ({"event": "link_clicked", "hours": 99}, False),
        ({"event": "link_clicked", "ever": True}, True),
        ({"event": "order_created", "ever": True, "at_least": 2}, True),
        ({"event": "order_created", "ever": True, "at_least": 3}, False),
        ({"event": "order_created", "ever": True, "same_subject": True}, True),
        ({"event": "order_created", "ever": True, "same_subject": True, "at_least": 2}, False),
        ({"event": "order_created", "ever": True, "where": [LARGE]}, True),
        ({"event": "order_created", "hours": 2, "where": [LARGE]}, False),
    ],
)
def test_events_are_counted(condition: dict[str, Any], expected: bool) -> None:
    events = [
        event("link_clicked", hours=100),
        event("order_created", hours=20, subject="o1", data={"order": {"total": "129.00"}}),
        event("order_created", hours=1, subject="o2", data={"order": {"total": "20.00"}}),
    ]
    assert holds(condition, events=events, subject="o1") is expected


def test_nothing_is_about_the_same_when_the_run_is_about_nothing() -> None:
    condition = {"event": "order_created", "ever": True, "same_subject": True}
    assert not holds(condition, events=[event("order_created", hours=1)])


def test_other_flows_tags_and_staff_are_asked() -> None:
    assert holds({"in_flow": 7}, flows=frozenset({7}))
    assert not holds({"in_flow": 8}, flows=frozenset({7}))
    assert holds({"in_flow": "any"}, flows=frozenset({7}))
    assert not holds({"in_flow": "any"})
    assert holds({"tag": "vip"})
    assert holds({"tag": "ÆRØ"})
    assert not holds({"tag": "v"})
    assert not holds({"handed_over": True})
    assert holds({"handed_over": True}, contact={"handed_over_at": NOON.isoformat()})


def test_what_the_run_gathered_and_what_started_it_is_asked() -> None:
    assert holds({"field": "run.answers.size", "op": "eq", "value": "L"}, run={"answers": {"size": "l"}})
    assert holds({"field": "trigger.cart.total", "op": "ge", "value": "50"}, trigger={"cart": {"total": "50.00"}})
    assert holds({"field": "trigger.cart.total", "op": "unknown"})


def test_groups_nest() -> None:
    yes, no = {"tag": "vip"}, {"tag": "nobody"}
    assert holds({"all": []})
    assert not holds({"any": []})
    assert holds({"not": {"any": [no, {"all": [yes, {"not": yes}]}]}})


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"tag": 3},
        {"field": "email", "op": "like", "value": "x"},
        {"field": "last_order_at", "op": "eq", "value": "2026-03-04"},
        {"field": "email", "op": "in", "value": "x"},
        {"field": "email", "op": "before", "value": "2026-02-30"},
        {"field": "email", "op": "within_days", "value": -1},
        {"field": "email", "op": "within_days", "value": "3"},
        {"event": "order_created"},
        {"event": "order_created", "ever": True, "at_least": 0},
        {"event": "order_created", "ever": True, "where": ["total"]},
        {"handed_over": False},
    ],
)
def test_what_is_no_condition_is_refused(condition: dict[str, Any]) -> None:
    with pytest.raises(BadCondition):
        holds(condition)


def test_helpers_say_what_must_be_loaded_for_a_condition() -> None:
    clicked = {"event": "link_clicked", "hours": 5, "where": [{"path": "url", "op": "contains", "value": "sale"}]}
    ordered = {"event": "order_created", "ever": True, "same_subject": True}
    condition = {"any": [{"tag": "vip"}, {"not": {"all": [clicked]}}]}
    assert list(event_kinds({"all": [condition, ordered]})) == ["link_clicked", "order_created"]
    assert look_back(condition) == timedelta(hours=5)
    assert look_back({"not": ordered}) == FOREVER
    assert (NOON - FOREVER).year == 1926
    assert needs_event_data(condition)
    assert not needs_event_data(ordered)
