"""The pages about a store's shop have no serious fault in the eyes of axe, and fit a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import signed_in
from tests.browser.test_accessibility import axe, faults  # noqa: F401 - the fixture
from tests.e2e.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

PAGES = {
    "page": "/admin/smsflow/stores/{store}/shopify/",
    "connect": "/admin/smsflow/stores/{store}/shopify/connect/",
    "token": "/admin/smsflow/stores/{store}/shopify/token/",
    "apps": "/admin/smsflow/shopify-apps/",
    "app": "/admin/smsflow/shopify-apps/edit/{app}/",
}


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_no_page_about_the_shop_has_a_serious_fault(
    browser: Browser,
    site: Site,
    axe: Any,  # noqa: F811
    theme: str,
    width: int,
) -> None:
    keys = site.inside("add_shop")
    found = {}
    with signed_in(browser, site, "admin", color_scheme=theme, viewport={"width": width, "height": 1000}) as page:
        for name, address in PAGES.items():
            response = page.goto(address.format(**keys))
            assert response and response.ok, name
            expect(page.locator("main")).to_be_visible()
            page.evaluate("document.querySelectorAll('main details').forEach((each) => { each.open = true })")
            found[name] = faults(page, axe)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    assert {name: each for name, each in found.items() if each} == {}
