"""Somebody signs up on their phone, without JavaScript, confirms by text, and changes their mind on their own page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import INES, PATIENCE, signed_in
from tests.browser.simulator import Simulator
from tests.browser.test_accessibility import axe, faults
from tests.e2e.site import Site, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

__all__ = ["axe"]

PHONE = "+12025550177"


@contextmanager
def phone(browser: Browser, site: Site, **options: Any) -> Iterator[Page]:
    """A small screen whose owner has never heard of us."""
    context = browser.new_context(
        **{"base_url": site.url, "viewport": {"width": 390, "height": 844}, "locale": "en-GB", **options}
    )
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    yield opened
    context.close()


def take_their_time(page: Page) -> None:
    """Fill in as slowly as people do: a form that comes back at once is taken for a robot's."""
    page.wait_for_timeout(2_500)


def sign_up(page: Page, address: str, number: str, first_name: str) -> None:
    page.goto(address)
    page.get_by_label("Mobile number").fill(number)
    page.get_by_label("First name").fill(first_name)
    box = page.get_by_role("checkbox")
    expect(box).not_to_be_checked()
    box.check()
    take_their_time(page)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step: look at your phone")


def test_from_the_form_to_the_last_text(page: Page, browser: Browser, quiet_site: Site) -> None:
    site = quiet_site
    address = site.inside("add_opt_in_form")
    with phone(browser, site, java_script_enabled=False) as visitor:
        sign_up(visitor, address, "202 555 0177", "Signe")
        expect(visitor.get_by_role("status")).to_contain_text("•••• 77")

    simulator = Simulator(page)
    simulator.open_store()
    page.get_by_role("navigation", name="People").get_by_text("Signe").click()
    expect(simulator.texts.last).to_contain_text("Reply Y to get recurring promo texts")
    expect(simulator.state).not_to_contain_text("Granted")
    simulator.write("Yes please")
    expect(simulator.state).to_contain_text("Granted")
    expect(simulator.texts.last).to_contain_text("Thank you, you are signed up")
    assert site.inside("consent_of", phone=PHONE)["level"] == "confirmed"

    page.goto("/admin/smsflow/contacts/?q=2025550177")
    page.locator("main table tbody").get_by_role("link", name="Signe").click()
    proof = page.locator("details", has_text="ticked by the person")
    proof.get_by_text("Evidence", exact=True).click()
    expect(proof).to_contain_text("Footer")

    with phone(browser, site, java_script_enabled=False) as visitor:
        visitor.goto(site.inside("preference_page", phone=PHONE))
        expect(visitor.get_by_text("You get our marketing texts.")).to_be_visible()
        visitor.get_by_label("Two a week").check()
        visitor.get_by_label("Reminders of what is left in my cart").uncheck()
        visitor.get_by_role("button", name="Save").click()
        expect(visitor.get_by_role("status")).to_have_text("Saved.")
        expect(visitor.get_by_label("Two a week")).to_be_checked()
        assert site.inside("consent_of", phone=PHONE)["preferences"] == {"per_week": 2, "refused": ["cart"]}
        visitor.get_by_role("button", name="No more marketing texts").click()
        expect(visitor.get_by_text("You get no marketing texts from us.")).to_be_visible()
        assert site.inside("consent_of", phone=PHONE)["marketing"] == "revoked"
        visitor.get_by_role("button", name="Ask me by text").click()
        expect(visitor.get_by_text("Reply YES to that text.")).to_be_visible()

    simulator.open_store()
    page.get_by_role("navigation", name="People").get_by_text("Signe").click()
    expect(simulator.texts.last).to_contain_text("Reply Y to get recurring promo texts")
    simulator.write("ok")
    expect(simulator.state).to_contain_text("Granted")

    with phone(browser, site, java_script_enabled=False) as visitor:
        visitor.goto(site.inside("preference_page", phone=PHONE))
        visitor.get_by_role("button", name="No more texts at all").click()
        expect(visitor.get_by_text("You get no texts from us at all")).to_be_visible()
    eventually(lambda: site.inside("consent_of", phone=PHONE)["service"] == "revoked", "nothing more is sent to Signe")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_public_page_has_a_serious_fault(browser: Browser, quiet_site: Site, axe: Any, scheme: str) -> None:
    site = quiet_site
    address = site.inside("add_opt_in_form", ask_email=True)
    found = {}
    with phone(browser, site, color_scheme=scheme) as visitor:
        visitor.goto(address)
        found["form"] = faults(visitor, axe)
        visitor.get_by_label("Mobile number").fill("555")
        take_their_time(visitor)
        visitor.get_by_role("button", name="Sign up").click()
        expect(visitor.get_by_role("alert")).to_contain_text("This is not a phone number.")
        expect(visitor.get_by_label("Mobile number")).to_have_value("555")
        found["errors"] = faults(visitor, axe)
        number = f"+1202555{'8021' if scheme == 'light' else '8022'}"
        sign_up(visitor, address, number, "Axel")
        found["thanks"] = faults(visitor, axe)
        eventually(lambda: site.inside("knows", phone=number), "the worker has read the form")
        visitor.goto(site.inside("preference_page", phone=number))
        found["own page"] = faults(visitor, axe)
        beyond = visitor.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not beyond
    assert {name: each for name, each in found.items() if each} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_screen_about_forms_has_a_serious_fault(
    browser: Browser, site: Site, people: None, axe: Any, scheme: str
) -> None:
    site.inside("add_opt_in_form")
    found = {}
    with signed_in(browser, site, INES, color_scheme=scheme) as staff:
        staff.goto("/admin/smsflow/opt-in-forms/")
        found["list"] = faults(staff, axe)
        staff.goto("/admin/smsflow/opt-in-forms/new/")
        found["new"] = faults(staff, axe)
        staff.get_by_label("Name", exact=False).first.fill("Poster")
        staff.locator("#id_terms_url").fill("https://sierra-gear.example/terms")
        staff.locator("#id_privacy_url").fill("https://sierra-gear.example/privacy")
        staff.get_by_role("button", name="Create").click()
        expect(staff.get_by_text("A page of its own")).to_be_visible()
        staff.reload()  # without the message that fades in
        found["form"] = faults(staff, axe)
    assert {name: each for name, each in found.items() if each} == {}


@contextmanager
def shop(body: str) -> Iterator[int]:
    """A website of somebody else on this machine: browsers let no page of the internet reach into it."""

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(f'<!doctype html><html lang="en"><title>Shop</title><body>{body}</body>'.encode())

        def log_message(self, *arguments: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_a_shop_shows_the_form_in_its_own_page(browser: Browser, quiet_site: Site) -> None:
    site = quiet_site
    address = site.inside("add_opt_in_form")
    script = f'<script async src="{site.url}{address}embed.js"></script>'
    with shop(script) as port, phone(browser, site) as visitor:
        site.inside("show_forms_on", origin=f"http://shop.localhost:{port}")
        visitor.goto(f"http://shop.localhost:{port}/")
        framed = visitor.frame_locator("iframe")
        framed.get_by_label("Mobile number").fill("+12025558031")
        framed.get_by_role("checkbox").check()
        take_their_time(visitor)
        framed.get_by_role("button", name="Sign up").click()
        expect(framed.get_by_role("heading", level=1)).to_have_text("One more step: look at your phone")
        visitor.goto(f"http://other.localhost:{port}/")
        expect(visitor.locator("iframe")).to_be_attached()
        take_their_time(visitor)
        expect(framed.get_by_label("Mobile number")).to_have_count(0)
