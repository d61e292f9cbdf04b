"""The page of rules in a browser: caps, the order of flows, the panic switch, try it, and what axe says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import INES, signed_in
from tests.browser.editing import text, wait
from tests.browser.test_accessibility import axe, faults
from tests.e2e.site import Site, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

__all__ = ["axe"]

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

GOVERNANCE = "/admin/smsflow/governance/"
CAPS = "Caps"


@pytest.fixture
def rules(site: Site, people: None) -> dict[str, Any]:
    found: dict[str, Any] = site.inside("start_rules")
    return found


@pytest.fixture(scope="module", autouse=True)
def _rules_end_here(site: Site) -> Iterator[None]:
    """What is published here would hold for the tests that follow."""
    yield
    site.inside("start_rules")


def open_rules(page: Page) -> None:
    page.goto(GOVERNANCE)
    page.wait_for_url(f"**{GOVERNANCE}edit/*/")
    expect(page.get_by_role("heading", name="Rules of Sierra Gear")).to_be_visible()


def settle(page: Page) -> None:
    """End what is fading in: half-way nothing has its colours yet."""
    page.wait_for_load_state("load")
    page.add_style_tag(content="* { animation: none !important; transition: none !important; }")


def publish(page: Page) -> None:
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Publish").click()


def test_a_cap_is_a_draft_first_and_counts_once_it_is_published(ines: Page, site: Site, rules: dict[str, Any]) -> None:
    assert rules["caps"] == [[2, "day"], [5, "week"]]
    open_rules(ines)
    notice = ines.get_by_text("There is a draft that does not count yet.")
    expect(notice).to_be_hidden()
    ines.get_by_role("button", name="Add a cap").click()
    # the new row has the focus: it can be filled in without a mouse
    ines.keyboard.type("1")
    expect(ines.get_by_label("Texts at most, row 1")).to_have_value("1")
    ines.get_by_role("button", name="Save draft").click()
    eventually(lambda: site.inside("rules")["draft"] == [{"limit": 1, "window": "day"}], "the draft is saved")
    expect(notice).to_be_visible()
    assert site.inside("rules")["caps"] == rules["caps"]
    publish(ines)
    expect(ines.get_by_text("Now: at most 1 text in 24 hours, from this store.")).to_be_visible()
    assert site.inside("rules")["caps"] == [[1, "day"]]


@pytest.fixture
def careless(browser: Browser, site: Site, people: None) -> Iterator[Page]:
    """A page of the store admin, whose drafts may be refused."""
    with signed_in(browser, site, INES, refused=True) as opened:
        yield opened


def test_a_mistake_is_told_at_its_row_and_nothing_that_was_typed_is_lost(
    careless: Page, site: Site, rules: dict[str, Any]
) -> None:
    ines = careless
    open_rules(ines)
    for limit, window in (("6", "day"), ("5", "week")):
        ines.get_by_role("button", name="Add a cap").click()
        ines.keyboard.type(limit)
        ines.get_by_label("In which time").last.select_option(window)
    ines.get_by_role("button", name="Save draft").click()
    sentence = "This is less than what the cap for a shorter time allows."
    expect(ines.get_by_text(sentence)).to_be_visible()
    wrong = ines.get_by_label("Texts at most, row 2")
    expect(wrong).to_have_value("5")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    assert site.inside("rules")["draft"] in ([], [{"limit": 6, "window": "day"}])
    ines.get_by_role("button", name="Remove cap 2").click()
    expect(ines.get_by_label("Texts at most, row 2")).to_have_count(0)
    publish(ines)
    expect(ines.get_by_text("Now: at most 6 texts in 24 hours, from this store.")).to_be_visible()


def test_flows_are_put_in_order_by_keys_and_by_dragging(ines: Page, site: Site, rules: dict[str, Any]) -> None:
    steps = [wait("w", 1), text("t", "Hello.")]
    first, second, third = (site.inside("add_flow", name=name, steps=steps) for name in ("Ann", "Bea", "Cleo"))
    open_rules(ines)

    def order() -> list[int]:
        values = ines.locator("input[name='flow_order']").evaluate_all("all => all.map((each) => Number(each.value))")
        return [pk for pk in values if pk in (first, second, third)]

    assert order() == [first, second, third]
    up = ines.get_by_role("button", name="Move Cleo up")
    up.focus()
    ines.keyboard.press("Enter")
    expect(ines.get_by_role("status").filter(has_text="Cleo is now number")).to_have_count(1)
    # the button keeps the focus, so that it can be pressed again
    expect(up).to_be_focused()
    assert order() == [first, third, second]
    ines.locator("li[data-name='Bea']").drag_to(ines.locator("li[data-name='Ann']"), target_position={"x": 40, "y": 3})
    assert order() == [second, first, third]
    publish(ines)
    expect(ines.get_by_text("Now: ").first).to_be_visible()
    saved = eventually(lambda: site.inside("rules")["order"], "the order counts")
    assert [pk for pk in saved if pk in (first, second, third)] == [second, first, third]


def test_the_week_is_set_once_and_copied_to_all_days(ines: Page, site: Site, rules: dict[str, Any]) -> None:
    open_rules(ines)
    monday = ines.get_by_label("Monday: from")
    expect(monday).to_be_hidden()
    ines.get_by_label("Set hours of your own").check()
    monday.fill("10:00")
    ines.get_by_label("Monday: until").fill("18:30")
    ines.get_by_role("button", name="Copy to all days: Monday").click()
    expect(ines.get_by_label("Sunday: until")).to_have_value("18:30")
    ines.get_by_role("group", name="Sunday").get_by_label("closed").check()
    expect(ines.locator(".smsflow-week__bar")).to_have_count(6)
    publish(ines)
    expect(ines.get_by_text("Now: Monday to Saturday 10:00–18:30; Sunday closed, from this store.")).to_be_visible()


def test_all_texts_are_stopped_after_a_question_and_go_again(ines: Page, site: Site, rules: dict[str, Any]) -> None:
    open_rules(ines)
    ines.get_by_role("link", name="Stop all texts").click()
    expect(ines.get_by_text("No text of Sierra Gear leaves")).to_be_visible()
    assert not site.inside("rules")["panic"]
    ines.get_by_label("Why").fill("Wrong price")
    ines.get_by_role("button", name="Stop all texts").click()
    banner = ines.get_by_text("All texts of Sierra Gear are stopped. Why: Wrong price")
    expect(banner).to_be_visible()
    assert site.inside("rules")["panic"]
    ines.goto("/admin/smsflow/contacts/")
    expect(banner).to_be_visible()
    open_rules(ines)
    ines.get_by_role("link", name="Let texts go again").click()
    ines.get_by_role("button", name="Let texts go again").click()
    expect(ines.get_by_text("Texts go again, as the rules allow.")).to_be_visible()
    expect(banner).to_have_count(0)
    assert not site.inside("rules")["panic"]


def test_somebody_in_a_cap_is_tried(ines: Page, site: Site, rules: dict[str, Any]) -> None:
    site.inside("add_flow", name="Tried", steps=[text("t", "Hello.")])
    site.inside("person_in_a_cap", first_name="Hedy", phone="+12025558077")
    open_rules(ines)
    ines.get_by_role("link", name="Try it").click()
    ines.locator("[name='who']").fill("Hedy")
    ines.locator("[name='flow']").select_option("Tried")
    ines.locator("[name='time']").fill("12:00")
    ines.get_by_role("button", name="Ask").click()
    answer = ines.get_by_role("region", name="Answer")
    expect(answer.get_by_role("heading", name="It waits until")).to_be_visible()
    expect(answer.get_by_text("Full: at most 2 texts in 24 hours.")).to_be_visible()
    quiet = answer.get_by_text("Panic switch")
    expect(quiet).to_be_hidden()
    answer.get_by_text("rules that did not object").click()
    expect(quiet).to_be_visible()


def test_a_number_in_a_new_row_saves_itself_however_soon_it_is_typed(
    ines: Page, site: Site, rules: dict[str, Any]
) -> None:
    open_rules(ines)
    ines.get_by_role("button", name="Add a cap").click()
    ines.keyboard.type("1")
    expect(ines.get_by_text("There is a draft that does not count yet.")).to_be_visible()
    assert site.inside("rules")["draft"] == [{"limit": 1, "window": "day"}]


def test_a_row_stricter_than_the_law_is_written_without_a_mouse(
    careless: Page, site: Site, rules: dict[str, Any]
) -> None:
    ines = careless
    open_rules(ines)
    ines.get_by_role("button", name="Add a row").focus()
    ines.keyboard.press("Enter")
    place = ines.get_by_label("Place, row 1")
    # the new row has the focus, and a place is found by its first letters
    expect(place).to_be_focused()
    ines.keyboard.type("Texas")
    expect(place).to_have_value("US-TX")
    ines.get_by_label("Days, row 1", exact=True).select_option("Monday to Friday")
    ines.get_by_label("From, row 1", exact=True).fill("18:00")
    ines.get_by_label("Until, row 1", exact=True).fill("10:00")
    ines.get_by_label("Reason or source, row 1").fill("Our counsel")
    ines.get_by_role("button", name="Save draft").click()
    expect(ines.get_by_text("The end must come after the beginning, on the same day.")).to_be_visible()
    expect(ines.get_by_label("Reason or source, row 1")).to_have_value("Our counsel")
    expect(place).to_have_value("US-TX")
    ines.get_by_label("From, row 1", exact=True).fill("10:00")
    ines.get_by_label("Until, row 1", exact=True).fill("18:00")
    ines.get_by_role("button", name="Add a row").click()
    ines.get_by_label("Place, row 2").select_option("Alabama")
    ines.get_by_label("Until, row 2", exact=True).fill("22:00")
    publish(ines)
    words = "Texas: Monday to Friday 10:00–18:00 (Our counsel); Alabama: every day 00:00–22:00, your stricter rule."
    expect(ines.get_by_text(f"Now: {words}")).to_be_visible()
    expect(ines.get_by_text("The law is as strict already: this row changes nothing.")).to_have_count(1)
    ines.get_by_role("button", name="Remove row 2").click()
    publish(ines)
    expect(ines.get_by_text("Texas: Monday to Friday 10:00–18:00 (Our counsel), your stricter rule.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_of_governance_has_a_serious_fault(
    browser: Browser, site: Site, rules: dict[str, Any], axe: Any, scheme: Any, width: int
) -> None:
    viewport: Any = {"width": width, "height": 1000}
    found = {}
    with signed_in(browser, site, INES, color_scheme=scheme, viewport=viewport) as page:
        open_rules(page)
        page.get_by_label("Set hours of your own").check()
        page.get_by_role("button", name="Add a cap").click()
        page.get_by_role("button", name="Add a row").click()
        page.get_by_label("Until, row 1", exact=True).fill("19:00")
        with page.expect_navigation():
            page.get_by_role("button", name="Save draft").click()
        settle(page)
        found["edit"] = faults(page, axe)
        for view in ("try-it", "effect", "panic", "inspect", "history"):
            page.goto(f"{GOVERNANCE}{view}/{rules['policy']}/")
            expect(page.locator("main")).to_be_visible()
            settle(page)
            found[view] = faults(page, axe)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
    assert {name: each for name, each in found.items() if each} == {}
