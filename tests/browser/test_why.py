"""From a text to why it went to the rules of that time, and the report of what did not go, in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import INES, signed_in
from tests.browser.editing import FLOWS, text, wait
from tests.browser.test_accessibility import axe, faults, looking  # noqa: F401 - fixtures
from tests.e2e.site import Site, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

#: On a small phone nothing may stand outside of the screen.
PHONE = {"viewport": {"width": 390, "height": 800}}


@pytest.fixture(scope="module")
def story(quiet_site: Site, people: None) -> dict[str, int]:
    """Whitney was sent a text; Nora, who never agreed, was not."""
    quiet_site.inside("without_gap")
    flow = quiet_site.inside("add_flow", name="Hello", steps=[text("hi", "Hi there."), wait("w", 9)], live=True)
    run = quiet_site.inside("enter", flow=flow, first_name="Whitney", phone="+12025558121", tags=[])
    eventually(lambda: quiet_site.inside("decided", run=run) == ["allow"], "Whitney was texted")
    nora = quiet_site.inside("enter", flow=flow, first_name="Nora", phone="+12025558122", tags=[], consent="unknown")
    eventually(lambda: quiet_site.inside("refused", run=nora) is not None, "Nora was refused")
    return {"flow": flow, "run": run, "refused": quiet_site.inside("refused", run=nora)}


@pytest.mark.usefixtures("story")
def test_two_presses_lead_from_a_text_to_why_and_to_the_rules(ines: Page) -> None:
    ines.goto("/admin/smsflow/messages/")
    ines.get_by_role("link", name="Hi there.").first.click()
    ines.get_by_role("link", name="Why, in full").click()
    expect(ines.get_by_text("Allowed at the first try")).to_be_visible()
    expect(ines.get_by_text("0 of 50 texts in 24 hours.")).to_be_visible()
    expect(ines.get_by_text("America/New_York").first).to_be_visible()

    ines.get_by_role("link", name="The rules at that time").first.click()
    expect(ines.get_by_text("The same rules hold today.")).to_be_visible()
    expect(ines.get_by_role("row", name="Caps")).to_contain_text("50 texts in 24 hours; 100 texts in 7 days")
    ines.get_by_role("link", name="Back to the decision").click()
    expect(ines.get_by_role("heading", name="Why:", level=1)).to_be_visible()


def test_the_report_leads_to_why_somebody_was_not_texted(ines: Page, story: dict[str, int]) -> None:
    ines.goto(f"/admin/smsflow/not-sent/?flow={story['flow']}")
    expect(ines.get_by_text("1 not sent")).to_be_visible()
    ines.get_by_role("link", name="Nora").first.click()
    expect(ines.get_by_text("Not sent: the person has not agreed to marketing texts.").first).to_be_visible()


def pages(story: dict[str, int]) -> dict[str, str]:
    return {
        "report": "/admin/smsflow/not-sent/",
        "decision": f"/admin/smsflow/not-sent/{story['refused']}/",
        "rules": f"/admin/smsflow/not-sent/{story['refused']}/rules/",
        "run": f"{FLOWS}people/{story['flow']}/{story['run']}/why/",
    }


def test_no_page_has_a_serious_fault(looking: Page, axe: Any, story: dict[str, int]) -> None:  # noqa: F811
    found = {}
    for name, address in pages(story).items():
        response = looking.goto(address)
        assert response and response.ok, name
        expect(looking.locator("main")).to_be_visible()
        found[name] = faults(looking, axe)
    assert {name: each for name, each in found.items() if each} == {}


def test_on_a_phone_nothing_stands_outside_of_the_screen(browser: Browser, site: Site, story: dict[str, int]) -> None:
    with signed_in(browser, site, INES, **PHONE) as opened:
        for name, address in pages(story).items():
            opened.goto(address)
            width = opened.evaluate("document.documentElement.scrollWidth")
            assert width <= 390, (name, width)
