"""Averages and the Net Promoter Score of what people have answered."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from smsflow_plugin.flows.program import Choice, Listen, Program, Trigger
from smsflow_plugin.measurement.scores import score_fields, scores
from smsflow_plugin.models import Store
from tests.factories import make_contact, make_store


def people(store: Store, *answers: Any, field: str = "nps") -> None:
    for answer in answers:
        make_contact(store, fields={field: answer, "other": "5"} if answer is not None else {})


@pytest.mark.django_db
def test_the_average_and_the_net_promoter_score(store: Store) -> None:
    people(store, "10", "9", "9", "8", "7", "6", "0", None)
    found = scores(store, "nps")
    assert (found.count, found.average, found.nps) == (7, Decimal("7.0"), 14)


@pytest.mark.django_db
def test_what_is_no_number_and_what_belongs_to_another_store_does_not_count(store: Store) -> None:
    people(store, "10", "ten", "", "9 or 10", 8, None)
    people(make_store(name="Other", domain="other.myshopify.com"), "0", "0", "0")
    found = scores(store, "nps")
    assert (found.count, found.average, found.nps) == (2, Decimal("9.0"), 50)


@pytest.mark.django_db
def test_where_nobody_has_answered_there_is_no_average(store: Store) -> None:
    found = scores(store, "nps")
    assert (found.count, found.average, found.nps) == (0, None, None)


@pytest.mark.django_db
def test_points_beyond_ten_have_an_average_and_no_net_promoter_score(store: Store) -> None:
    people(store, "100", "-20", field="points__of")
    found = scores(store, "points__of")
    assert (found.count, found.average, found.nps) == (2, Decimal("40.0"), None)


@pytest.mark.django_db
def test_it_takes_one_query(store: Store, django_assert_num_queries: Any) -> None:
    people(store, *map(str, range(11)))
    with django_assert_num_queries(1):
        assert scores(store, "nps").count == 11


def test_a_flow_names_the_fields_in_which_it_keeps_points() -> None:
    listens = [Listen(f"q{n}", (Choice(3),), 1, "days", score_as=name) for n, name in enumerate(["nps", "", "nps"])]
    assert score_fields(Program((Trigger("opted_in"),), tuple(listens))) == ("nps",)
