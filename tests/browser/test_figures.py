"""What a text is worth, from the link on the phone to the figure on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.simulator import Simulator
from tests.e2e.site import Site, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Mobile/15E148 Safari/604.1"
)
PREVIEW = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 "
    "Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0"
)


def figures(page: Page, flow: int) -> dict[str, str]:
    """Return what the cards of a flow's page say, by name."""
    page.goto(f"/admin/smsflow/figures/flow/{flow}/")
    cards = page.locator("[data-card]")
    return {str(card.get_attribute("data-card")): " ".join(card.inner_text().split()) for card in cards.all()}


def test_a_click_and_an_order_stand_in_the_figures_of_the_flow(page: Page, quiet_site: Site) -> None:
    flow = quiet_site.inside("enable", template="abandoned_cart")
    quiet_site.inside("shorten_links")
    simulator = Simulator(page)
    simulator.open_store()
    simulator.meet("Cleo", "Roy")
    simulator.press("Abandons a cart")
    expect(simulator.time).to_contain_text("Next step of “Abandoned cart” for Cleo Roy")
    simulator.press("To Cleo’s next thing")
    expect(simulator.texts).to_have_count(1)
    link = str(simulator.texts.first.get_by_role("link").first.get_attribute("href"))
    assert link.startswith(f"{quiet_site.url}/smsflow/l/"), "the address of the cart is shortened"
    eventually(lambda: "Texts sent 1" in figures(page, flow).get("sent", ""), "the text is counted")

    # the app that shows the text looks first, and is nobody
    for agent in (PREVIEW, IPHONE):
        answer = requests.get(link, headers={"User-Agent": agent}, allow_redirects=False, timeout=10)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")
    eventually(lambda: "1 of 1" in figures(page, flow)["clicks"], "the click of the person is counted, and no other")
    assert "0" in figures(page, flow)["orders"]

    simulator.open_store()
    page.get_by_role("navigation", name="People").get_by_text("Cleo Roy").click()
    simulator.press("Orders")
    eventually(lambda: figures(page, flow)["orders"].startswith("Orders 1"), "the order is credited")
    assert "$0.00" not in figures(page, flow)["revenue"].partition("before")[0]
    page.goto("/admin/smsflow/contacts/")
    page.get_by_role("link", name="Cleo Roy").click()
    expect(page.get_by_text("Credited to the text")).to_be_visible()
