"""A made-up year whose truth is known, read off the pages as somebody reads them: numbers, files, charts, order."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD, signed_in
from tests.e2e.site import Site, running_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.e2e]


@pytest.fixture(scope="module")
def lived(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Any]]:
    """A site with a store that has lived through a year, one that has not, and what that year truly came to."""
    with running_site(tmp_path_factory.mktemp("year"), "sqlite", DJANGO_SUPERUSER_PASSWORD=PASSWORD) as site:
        truth = site.inside("make_year", contacts=380)
        site.manage("createsuperuser", "--noinput", "--username", "admin", "--email", "admin@example.com")
        yield site, truth


@pytest.fixture
def truth(lived: tuple[Site, Any]) -> Any:
    return lived[1]


@pytest.fixture
def reader(browser: Browser, lived: tuple[Site, Any]) -> Iterator[Page]:
    with signed_in(browser, lived[0], "admin") as opened:
        yield opened


def number(words: str) -> float:
    """Return the first number of some words: 1,204.50 of “$1,204.50 per text”."""
    found = re.search(r"[−-]?[\d,]+(\.\d+)?", words)
    assert found, words
    return float(found[0].replace(",", "").replace("−", "-"))


def card(page: Page, name: str) -> str:
    return " ".join(page.locator(f"[data-card={name}]").inner_text().split())


def column(page: Page, table: str, place: int) -> list[str]:
    """Return the cells of a table's column, from its top."""
    return page.locator(f"table#{table} tbody tr > :nth-child({place})").all_inner_texts()


def test_the_cards_of_a_store_are_the_truth(reader: Page, truth: Any) -> None:
    reader.goto(truth["page"])
    assert number(card(reader, "sent").removeprefix("Texts sent")) == truth["sent"]
    assert number(card(reader, "revenue").removeprefix("Revenue credited")) == truth["revenue"]
    assert f"{truth['clicked']:,} of {truth['delivered']:,} texts" in card(reader, "clicks")
    assert f"{truth['opted_out']:,} of {truth['delivered']:,} texts" in card(reader, "opt_outs")
    assert number(card(reader, "spend").removeprefix("Spend")) == round(truth["cost"], 2)


def test_the_table_behind_a_chart_and_its_file_add_up_to_the_card(reader: Page, truth: Any, tmp_path: Path) -> None:
    reader.goto(truth["page"])
    chart = reader.locator("[data-chart]").first
    expect(chart.locator("svg")).to_be_visible()
    expect(chart.get_by_role("table")).to_be_hidden()
    chart.get_by_text("Show as table").click()
    table = chart.get_by_role("table")
    expect(table).to_be_visible()
    sent = [number(cell) for cell in table.locator("tbody td:nth-child(2)").all_inner_texts()]
    assert (len(sent), sum(sent)) == (365, truth["sent"])

    with reader.expect_download() as awaited:
        chart.get_by_role("link", name="download CSV").click()
    file = tmp_path / "days.csv"
    awaited.value.save_as(file)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        heads, *rows = csv.reader(opened)
    assert "Texts sent" in heads
    assert sum(int(row[heads.index("Texts sent")]) for row in rows) == truth["sent"]


def test_the_flows_of_a_store_add_up_and_lead_to_their_pages(reader: Page, truth: Any) -> None:
    reader.goto(truth["page"])
    names = column(reader, "flows", 1)
    sent = dict(zip(names, map(number, column(reader, "flows", 2)), strict=True))
    assert {name: sent[name] for name in truth["flows"]} == {
        name: figures["sent"] for name, figures in truth["flows"].items()
    }
    for name, figures in truth["flows"].items():
        reader.goto(truth["page"])
        reader.locator("table#flows").get_by_role("link", name=name, exact=True).click()
        expect(reader.get_by_role("heading", level=1)).to_contain_text(name)
        assert number(card(reader, "sent").removeprefix("Texts sent")) == figures["sent"]
        assert number(card(reader, "orders").removeprefix("Orders")) == figures["orders"]


def test_stores_are_ordered_by_what_is_pressed(reader: Page, truth: Any) -> None:
    reader.goto("/admin/smsflow/figures/?" + truth["page"].partition("?")[2])
    table = reader.locator("table#stores")
    for arrow, wanted in (("descending", ["Year", "Empty"]), ("ascending", ["Empty", "Year"])):
        table.get_by_role("link", name="Sent", exact=False).first.click()
        expect(table.locator(f"th[aria-sort={arrow}]")).to_contain_text("Sent")
        assert column(reader, "stores", 1) == wanted
    [year] = [row for row in table.get_by_role("row").all() if "Year" in row.inner_text()]
    assert f"{truth['sent']:,}" in year.inner_text()


def test_an_experiment_says_who_ordered_and_how_sure_that_is(reader: Page, truth: Any) -> None:
    reader.goto(truth["experiment"])
    rows = reader.get_by_role("table").first.locator("tbody tr")
    expect(rows).to_have_count(len(truth["arms"]))
    for row, arm in zip(rows.all(), truth["arms"], strict=True):
        cells = [cell.inner_text() for cell in row.locator("th, td").all()]
        assert cells[0].startswith(arm["name"])
        assert (number(cells[1]), number(cells[2])) == (arm["exposed"], arm["converted"])
    first, second = (arm["converted"] / arm["exposed"] * 100 for arm in truth["arms"])
    difference = rows.nth(1).locator("th, td").nth(4).inner_text()
    assert number(difference) == pytest.approx(second - first, abs=0.06)
