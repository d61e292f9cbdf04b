"""A landing page in a real browser: the code is copied, the form is taken, and axe finds no serious fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.test_accessibility import axe, faults
from tests.browser.test_sign_up import phone, take_their_time

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.e2e.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

__all__ = ["axe"]


@pytest.fixture
def address(quiet_site: Site) -> str:
    return urlsplit(quiet_site.inside("add_landing_page")).path


def test_somebody_copies_the_code_and_signs_up(browser: Browser, quiet_site: Site, address: str, axe: Any) -> None:
    with phone(browser, quiet_site, permissions=["clipboard-read", "clipboard-write"]) as visitor:
        visitor.goto(address)
        assert faults(visitor, axe) == []
        assert not visitor.evaluate("document.documentElement.scrollWidth > innerWidth")
        visitor.get_by_role("button", name="Copy the code").click()
        expect(visitor.get_by_role("status")).to_have_text("Copied.")
        assert visitor.evaluate("navigator.clipboard.readText()") == "SPRING20"
        visitor.get_by_label("Mobile number").fill("202 555 0188")
        visitor.get_by_role("checkbox").check()
        take_their_time(visitor)
        # a browser that hid where the form was sent would be refused here
        visitor.get_by_role("button", name="Sign up").click()
        expect(visitor.get_by_role("heading", level=1)).to_have_text("One more step: look at your phone")


def test_it_works_without_javascript_and_in_the_dark(
    browser: Browser, quiet_site: Site, address: str, axe: Any
) -> None:
    with phone(browser, quiet_site, color_scheme="dark") as visitor:
        visitor.goto(address)
        assert faults(visitor, axe) == []
    with phone(browser, quiet_site, java_script_enabled=False) as visitor:
        visitor.goto(address)
        expect(visitor.get_by_text("SPRING20")).to_be_visible()
        expect(visitor.get_by_role("button", name="Copy the code")).to_have_count(0)
