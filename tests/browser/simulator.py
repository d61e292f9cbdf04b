"""The simulator's page, in the words of somebody who uses it."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


class Simulator:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.messages = page.locator(".messages")
        self.time = page.locator("#simulator-time-now")
        self.state = page.locator("#simulator-person-state")
        self.texts: Locator = page.get_by_role("log", name="Texts, newest last").locator(".sms-phone__text")

    def open_store(self) -> None:
        """Through the address without a store, which leads to the only one."""
        self.page.goto("/admin/smsflow/simulator/")
        expect(self.page.get_by_role("heading", name="Sierra Gear").first).to_be_visible()

    def meet(self, first_name: str, last_name: str) -> None:
        """Let somebody open an account and agree to texts, and go to their phone."""
        self.page.get_by_label("First name").fill(first_name)
        self.page.get_by_label("Last name").fill(last_name)
        self.press("Open an account")
        expect(self.messages).to_contain_text("customers_marketing_consent/update (200)")
        # the list brings it without being asked, as soon as the worker has read the webhooks
        self.page.get_by_role("navigation", name="People").get_by_text(f"{first_name} {last_name}").click()
        expect(self.state).to_contain_text("Granted")

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def write(self, text: str) -> None:
        self.page.get_by_label("Reply").fill(text)
        self.page.keyboard.press("Enter")
