"""A made-up year whose truth is known (``tests.bench.year``): every figure is exactly that, down to the page."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from smsflow_plugin import clock
from smsflow_plugin.measurement import figure_words as words
from smsflow_plugin.measurement.experiments import experiments, result
from smsflow_plugin.measurement.figures import COUNTERS, Figures, People
from smsflow_plugin.measurement.rollups import rebuild
from smsflow_plugin.models import Message
from tests.admin.people import client_of, make_user
from tests.bench.comparing import differences
from tests.bench.truth import Truth
from tests.bench.year import make_year
from tests.conftest import TestClock
from tests.dashboards.test_store_page import card, cells, page_of
from tests.measurement.readings import by_variant

pytestmark = pytest.mark.django_db


def test_a_year_is_told_as_it_was(still: TestClock, store: Any) -> None:
    year = make_year(store, 380, seed=11)
    rebuild(store)
    figures_are_the_truth(year)
    pages_show_the_truth(year)
    another_truth_is_noticed(year)


def figures_are_the_truth(year: Truth) -> None:
    store, period = year.store, year.period
    assert year.texts == Message.objects.count() > 2400
    everything = year.all()
    for field in fields(Figures):
        assert getattr(everything, field.name), f"This year shows nothing of {field.name}"
    happened = year.people()
    for field in fields(People):
        assert getattr(happened, field.name) or field.name == "unsent", f"This year shows nothing of {field.name}"
    assert set(by_variant(store.pk, year.flows["Trial"].pk, "s1", period)) == {"A", "B"}
    assert not differences(year)
    assert [len(result(store, each, clock.now()).judgement.comparisons) for each in experiments(store)] == [1, 1]


def another_truth_is_noticed(year: Truth) -> None:
    """Let the truth be another one, a figure at a time: a comparison that overlooked one would say that all is well."""
    letters = year.flows["Letters"]
    sums = ["the store", "flows", "days", *(f"{each} of Letters" for each in ("days", "steps", "versions"))]
    row = next(key for key in year.rows if (key[1], key[3]) == (letters.pk, "s3"))
    for name in COUNTERS:
        year.rows[row][name] += 1
        assert sorted(differences(year)) == sorted([*sums, "variants of Letters s3"]), name
        year.rows[row][name] -= 1
    day = year.happened[year.period.first]
    for field in fields(People):
        day[field.name] += 1
        assert differences(year) == ["what happened"], field.name
        day[field.name] -= 1
    year.texts += 1
    assert differences(year) == ["texts"]
    year.texts -= 1
    for name, trial in year.trials.items():
        trial.lift += 1
        assert differences(year) == [f"whether the interval of {name} holds its true lift"]
        trial.lift -= 1
        for arm in trial.arms.values():
            for amount in arm:
                arm[amount] += 1
                assert differences(year) == [f"arms of {name}"], amount
                arm[amount] -= 1
    assert not differences(year)


def pages_show_the_truth(year: Truth) -> None:
    client = client_of(make_user("ines", "Store admin", year.store))
    query = f"?first={year.period.first}&last={year.period.last}"
    page = page_of(client, reverse("smsflow_figures:store", args=[year.store.pk]) + query)
    everything, happened = year.all(), year.people()
    shows(page, everything, ("sent", "revenue", "per_text", "clicks", "opt_outs", "spend"))
    growth = f"{words.count(happened.opted_in)} opted in, {words.count(happened.opted_out)} opted out"
    assert card(page, "growth").endswith(growth)
    shows_row(page, "flows", "All texts", everything)
    for name, flow in year.flows.items():
        shows_row(page, "flows", name, year.all(flow_id=flow.pk))
    for name in ("Trial", "Letters"):
        flow = year.flows[name]
        own = year.all(flow_id=flow.pk)
        its_page = page_of(client, reverse("smsflow_figures:flow", args=[flow.pk]) + query)
        shows(its_page, own, ("sent", "revenue", "per_text", "clicks", "opt_outs", "spend"))
        assert card(its_page, "orders").startswith(f"Orders {words.count(own.orders)} ")
        for row in its_page.select("table#steps tbody th"):
            heading = " ".join(row.get_text().split())
            if variant := re.fullmatch(r"Variant (\w)", heading):
                shows_row(its_page, "steps", heading, year.all(flow_id=flow.pk, variant=variant[1]))
            elif number := re.match(r"(\d)\. Send a text", heading):
                shows_row(its_page, "steps", heading, year.all(flow_id=flow.pk, step=f"s{number[1]}"))
        numbers = {version.pk: str(version.number) for version in flow.versions.all()}
        for pk, figures in year.by("version_id", flow_id=flow.pk).items():
            shows_row(its_page, "versions", numbers[pk], figures)


def shows(page: BeautifulSoup, truth: Figures, names: tuple[str, ...]) -> None:
    wanted = {
        "sent": (f"Texts sent {words.count(truth.sent)} ", f"of which {words.count(truth.pending)} have no report"),
        "revenue": (words.money(truth.revenue, "USD"), f"these days: {words.money(truth.earned, 'USD')}"),
        "per_text": (f"Per text {words.money(truth.revenue_per_text, 'USD')} ",),
        "clicks": (f"{words.count(truth.clicked)} of {words.count(truth.delivered)} texts",),
        "opt_outs": (f"{words.count(truth.opted_out)} of {words.count(truth.delivered)} texts",),
        "spend": (f"Spend {words.money(truth.cost, 'USD')} ",),
    }
    for name in names:
        for part in wanted[name]:
            assert part in card(page, name), (name, part, card(page, name))


def shows_row(page: BeautifulSoup, table: str, row: str, truth: Figures) -> None:
    shown = cells(page, table, row)
    assert shown["Sent"] == words.count(truth.sent)
    assert shown["Revenue"] == words.money(truth.revenue, "USD")
    for heading, number in {
        "Delivered": truth.delivered, "Clicked": truth.clicked, "Orders": truth.orders, "Answered": truth.replied,
        "Opted out": truth.opted_out,
    }.items():  # fmt: skip
        assert shown[heading].split()[0] == words.count(number), (row, heading)
