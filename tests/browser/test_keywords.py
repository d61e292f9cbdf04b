"""The keyword table and the pages around it, and the help desk's page, as somebody who runs a store uses them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import INES, signed_in
from tests.browser.test_accessibility import axe, faults  # noqa: F401 - a fixture
from tests.e2e.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

KEYWORDS = "/admin/smsflow/keywords/"
PAGES = (
    KEYWORDS,
    f"{KEYWORDS}new/",
    f"{KEYWORDS}try/?store={{store}}&text=when+do+you+open",
    "/admin/smsflow/autoresponder/",
    "/admin/smsflow/canned-replies/",
    "/admin/smsflow/canned-replies/new/",
    "/admin/smsflow/stores/{store}/helpdesk/",
)


def look(page: Page, name: str) -> None:
    """A place to take a picture at, when somebody wants to see the pages."""


def test_a_store_makes_a_line_and_sees_what_it_costs_and_who_takes_a_text(ines: Page, site: Site) -> None:
    ines.goto(f"{KEYWORDS}new/")
    ines.get_by_label("Words", exact=False).first.fill("STOP")
    ines.get_by_label("The word stands somewhere in the text").check()
    answer = ines.locator("#id_reply_main")
    answer.fill("We open at nine.")
    expect(ines.get_by_text(re.compile(r"Typically: .*1 part"))).to_be_visible()
    # the brand is counted, words for opting out are not
    expect(ines.get_by_text(re.compile(rf"{len('Sierra Gear: We open at nine.')} characters"))).to_be_visible()
    ines.get_by_role("button", name="Create", exact=False).first.click()
    expect(ines.get_by_text("“STOP” always means opting in or out, or help.")).to_be_visible()
    ines.locator("#id_words").fill("open")
    ines.get_by_role("button", name="Create", exact=False).first.click()
    expect(ines.get_by_text("Answers “We open at nine.”")).to_be_visible()
    ines.get_by_role("link", name="Try it").click()
    ines.get_by_label("Text", exact=False).first.fill("When do you open?")
    ines.get_by_role("button", name="Ask").click()
    expect(ines.get_by_text("by the word “open”")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_fault(browser: Browser, site: Site, people: None, axe: Any, scheme: str) -> None:  # noqa: F811
    with signed_in(browser, site, INES, color_scheme=scheme) as page:
        page.goto("/admin/smsflow/stores/")
        link = page.locator("a[href*='/smsflow/stores/edit/']").first.get_attribute("href") or ""
        store = link.rstrip("/").rpartition("/")[2]
        page.goto(f"/admin/smsflow/stores/{store}/helpdesk/")
        page.get_by_role("button", name=re.compile("Make a")).click()
        expect(page.get_by_text("It is not shown again.")).to_be_visible()
        found = {}
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 1000})
            for number, address in enumerate(PAGES):
                response = page.goto(address.format(store=store))
                assert response and response.ok, address
                look(page, f"{number}-{width}-{scheme}")
                overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                found[address, width] = [*faults(page, axe), *(["too wide"] if overflow > 1 else [])]
        assert {address: said for address, said in found.items() if said} == {}
