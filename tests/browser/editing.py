"""A flow's pages, in the words of somebody who works with them; and steps for flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import FrameLocator, Locator, Page

FLOWS = "/admin/smsflow/flows/"


def text(id: str, words: str) -> dict[str, Any]:
    put_off = {"picture": None, "hold_amount": None, "hold_unit": "hours", "when_blocked": None, "variants": []}
    value = {"text": words, "fallback": "", "translations": [], **put_off}
    return {"type": "send", "value": value, "id": id}


def wait(id: str, days: int) -> dict[str, Any]:
    return {"type": "wait", "value": {"amount": days, "unit": "days", "variants": []}, "id": id}


def copy(words: str) -> dict[str, Any]:
    return {"text": words, "fallback": "", "translations": []}


def items(*values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "item", "value": value, "id": f"item-{number}"} for number, value in enumerate(values)]


def ways_by_tag(id: str, otherwise: list[Any], **ways: list[Any]) -> dict[str, Any]:
    """A step that sends people with each of some tags their own way."""
    cases = [
        {"label": tag, "condition": [{"type": "tag", "value": {"tag": tag}, "id": f"{id}-{tag}"}], "steps": steps}
        for tag, steps in ways.items()
    ]
    return {"type": "switch", "value": {"ways": items(*cases), "otherwise": otherwise}, "id": id}


def question(id: str, words: str, *, again: str, **ways: list[Any]) -> dict[str, Any]:
    """A question with a way for each of some words."""
    options = [{"words": word, "value": "", "tag": "", "reply": copy(""), "steps": way} for word, way in ways.items()]
    value = {
        **copy(words),
        "options": items(*options),
        "save_as": "",
        "again": copy(again),
        "other": [],
        "amount": 1,
        "unit": "days",
        "silence": [],
    }
    return {"type": "ask_choice", "value": value, "id": id}


class Hand:
    """Counts what somebody presses."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.presses = 0

    def press(self, role: Any, name: str) -> None:
        self.presses += 1
        self.page.get_by_role(role, name=name).click()


def open_preview(page: Page, mode: str) -> FrameLocator:
    """Open the panel beside the form and return what is in it, once it has been drawn."""
    chosen = page.locator("#id_preview_mode")
    if not chosen.is_visible():
        page.get_by_role("button", name="Toggle preview").click()
    drawn = "iframe.w-preview__iframe:not(.w-preview__proxy)"
    # while one preview is on its way another is not asked for
    expect(page.frame_locator(drawn).locator("main")).to_be_visible()
    if chosen.input_value() != mode:
        chosen.select_option(mode)
    frame = page.frame_locator(f"{drawn}[src*='mode={mode}']")
    expect(frame.locator("main")).to_be_visible()
    return frame


def block(page: Page, id: str) -> Locator:
    """The block of a step in the form."""
    return page.locator(f"[id='block-{id}-section']")
