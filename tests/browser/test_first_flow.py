"""The promise of the product, in a browser: enable a flow, let somebody forget a cart, read the text on the phone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.simulator import Simulator
from tests.e2e.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.e2e]


def enable_and_publish(page: Page, template: str) -> None:
    """Enable a template from the gallery for the only store, and publish it as it is."""
    page.goto("/admin/smsflow/gallery/")
    page.get_by_role("link", name=template).click()
    page.get_by_role("button", name="Use this flow").click()
    expect(page.locator("#id_name")).to_have_value(template)
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("heading", name="Who enters")).to_be_visible()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text(f"“{template}” is published.")).to_be_visible()


def test_an_abandoned_cart_becomes_a_text_on_the_phone_unless_it_is_bought(page: Page, quiet_site: Site) -> None:
    enable_and_publish(page, "Abandoned cart")
    simulator = Simulator(page)
    simulator.open_store()
    simulator.meet("Anna", "Berg")

    simulator.press("Abandons a cart")
    expect(simulator.messages).to_contain_text("checkouts/create (200), checkouts/update (200)")
    expect(simulator.time).to_contain_text("Next step of “Abandoned cart” for Anna Berg")
    expect(simulator.texts).to_have_count(0)

    # the phone rings when the wait is over, and not before
    simulator.press("To Anna’s next thing")
    expect(simulator.texts).to_have_count(1)
    expect(simulator.texts.first).to_contain_text("Sierra Gear")
    expect(simulator.texts.first).to_contain_text("Hi Anna, you left")
    expect(simulator.texts.first).to_contain_text("Ridgeline Rain Jacket")

    # the answer is typed on the same phone
    simulator.write("STOP")
    expect(simulator.texts).to_have_count(3)
    expect(simulator.texts.nth(1)).to_contain_text("STOP")
    expect(simulator.state).to_contain_text("Revoked")

    # who orders in time gets no reminder
    simulator.open_store()
    simulator.meet("Bo", "Lund")
    simulator.press("Abandons a cart")
    expect(simulator.time).to_contain_text("Next step of “Abandoned cart” for Bo Lund")
    simulator.press("Orders")
    expect(simulator.time).to_contain_text("Nothing waits for a time for Bo Lund.")
    simulator.press("Forward 1 day")
    expect(simulator.messages).to_contain_text(re.compile("It is now .* in America/New_York"))
    quiet_site.network.wait_until_quiet()
    page.reload()
    expect(page.get_by_text("No texts yet.")).to_be_visible()
