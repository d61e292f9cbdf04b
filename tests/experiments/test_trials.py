"""Tests of who falls to which arm. No database."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.engine.trials import (
    HELD,
    SENT,
    Holdouts,
    copy_experiment,
    copy_for,
    flow_holdout,
    is_held,
    quarter_of,
    split_experiment,
    store_holdout,
)
from smsflow_plugin.flows.program import Program, Send, Split, Trigger, Variant
from smsflow_plugin.measurement.statistics import sample_ratio

PEOPLE = [str(uuid.UUID(int=number)) for number in range(20_000)]
TWO = Send("s1", {"": "A"}, variants=(Variant("B", 30, {"": "B"}), Variant("C", 20, {"": "C"})))
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def test_everybody_gets_one_wording_by_its_share() -> None:
    counts = Counter(copy_for(TWO, key).variant for key in PEOPLE)
    assert sample_ratio([counts["A"], counts["B"], counts["C"]], [50, 30, 20]) > 0.001
    assert all(copy_for(TWO, key).texts == {"": copy_for(TWO, key).variant} for key in PEOPLE[:100])


def test_a_text_without_variants_has_no_name() -> None:
    send = Send("s1", {"": "Hi"}, {"": "Hello"})
    assert copy_for(send, PEOPLE[0]).variant == ""
    assert (copy_for(send, PEOPLE[0]).texts, copy_for(send, PEOPLE[0]).fallback) == ({"": "Hi"}, {"": "Hello"})


def test_two_experiments_are_independent() -> None:
    other = Send("s2", {"": "A"}, variants=(Variant("B", 50, {"": "B"}),))
    both = Counter((copy_for(TWO, key).variant == "A", copy_for(other, key).variant == "A") for key in PEOPLE)
    assert sample_ratio(list(both.values()), [1, 1, 1, 1]) > 0.001


@given(st.uuids().map(str), st.integers(0, 50), st.integers(0, 50))
def test_who_is_held_with_fewer_percent_is_held_with_more(key: str, first: int, second: int) -> None:
    fewer, more = sorted((first, second))
    assert is_held(key, "salt", more) or not is_held(key, "salt", fewer)


def test_others_are_held_out_in_each_quarter_and_store() -> None:
    now, later = NOW, datetime(2027, 1, 2, tzinfo=UTC)
    first = {key for key in PEOPLE if store_holdout(1, 10, key, now, "UTC")[0]}
    assert sample_ratio([len(first), len(PEOPLE) - len(first)], [10, 90]) > 0.001
    for others in (
        {key for key in PEOPLE if store_holdout(1, 10, key, later, "UTC")[0]},
        {key for key in PEOPLE if store_holdout(2, 10, key, now, "UTC")[0]},
        {key for key in PEOPLE if flow_holdout(1, 10, key)[0]},
    ):
        # a tenth of a tenth are in both by chance
        assert 100 < len(first & others) < 300


def test_a_quarter_is_one_on_the_clock_of_the_store() -> None:
    new_year = datetime(2027, 1, 1, 3, tzinfo=UTC)
    assert quarter_of(new_year, "America/New_York") == "2026-Q4"
    assert quarter_of(new_year, "Europe/Copenhagen") == "2027-Q1"
    assert store_holdout(1, 5, PEOPLE[0], NOW, "UTC")[1] == "store:2026-Q4@5"


def test_without_percent_there_is_no_holdout() -> None:
    assert store_holdout(1, 0, PEOPLE[0], NOW, "UTC") == (None, "")
    assert flow_holdout(1, 0, PEOPLE[0]) == (None, "")
    assert Holdouts().shown() == ()


def test_of_two_holdouts_only_the_one_that_makes_a_difference_is_shown() -> None:
    def shown(flow: bool, everywhere: bool) -> list[tuple[str, str]]:
        return [(each.experiment, each.arm) for each in Holdouts(flow, everywhere, "flow", "store").shown()]

    assert shown(False, False) == [("store", SENT), ("flow", SENT)]
    assert shown(True, False) == [("flow", HELD)]
    assert shown(False, True) == [("store", HELD)]
    assert shown(True, True) == []


def test_other_words_and_other_shares_are_another_experiment() -> None:
    name = copy_experiment(12, TWO)
    assert name.startswith("flow:12:s1@")
    assert copy_experiment(12, Send("s1", {"": "A"}, variants=TWO.variants)) == name
    assert copy_experiment(12, Send("s1", {"": "A!"}, variants=TWO.variants)) != name
    assert copy_experiment(12, Send("s1", {"": "A"}, variants=TWO.variants[:1])) != name
    assert split_experiment(12, Split("s1", (50, 50), (1, 2))) != split_experiment(12, Split("s1", (40, 60), (1, 2)))
    longest = copy_experiment(10**18, Send("x" * 36, {"": "A"}, variants=TWO.variants))
    assert len(longest) <= 80


def test_a_program_without_experiments_is_written_as_before() -> None:
    plain = Program((Trigger("opted_in"),), (Send("s1", {"": "Hi"}),))
    data = plain.to_json()
    assert "holdout" not in data
    assert "variants" not in data["instructions"][0]
    # this hash was made before there were experiments
    assert plain.content_hash == "a70bcef8f0ef9314f071ae26d0ab74b2e4138c99e1e6ad2e1ce63fda4f6759cb"


def test_a_program_with_experiments_is_read_as_it_was_written() -> None:
    program = Program((Trigger("opted_in"),), (TWO,), holdout=10)
    assert Program.from_json(program.to_json()) == program
