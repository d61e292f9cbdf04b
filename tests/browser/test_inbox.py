"""Two people answer somebody who texts: both see what comes, and each other. With keys, in both themes, on a phone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from smsflow_plugin.stores.roles import SUPPORT
from tests.browser.conftest import PASSWORD, signed_in
from tests.browser.test_accessibility import axe, faults  # noqa: F401 - a fixture
from tests.e2e.site import Site, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

BEN, CARA = "ben", "cara"
#: Numbers that no other test texts.
NELL, OTIS, KIT, LEO, UMA = (f"+1202555871{n}" for n in range(1, 6))
INBOX = "/admin/smsflow/inbox/"


@pytest.fixture(scope="module")
def talking(quiet_site: Site) -> Site:
    """Nell and Otis have each written something that no flow answers."""
    for name in (BEN, CARA):
        quiet_site.inside("add_user", name=name, role=SUPPORT, password=PASSWORD)
    quiet_site.inside("add_canned_reply", name="Sorry", body="We are sorry, {{ contact.first_name }}.")
    begin(quiet_site, ("Nell", "Ashby", NELL), ("Otis", "Brook", OTIS))
    return quiet_site


def begin(site: Site, *people: tuple[str, str, str]) -> None:
    """Let people write for the first time: theirs are the newest conversations then."""
    for first, last, phone in people:
        site.inside("add_person", first_name=first, last_name=last, phone=phone)
        write(site, phone, f"Hello from {first}")
    for _first, _last, phone in people:
        eventually(lambda phone=phone: site.inside("thread_of", phone=phone), "the text is in the inbox")


@pytest.fixture
def ben(browser: Browser, talking: Site) -> Iterator[Page]:
    with signed_in(browser, talking, BEN) as opened:
        yield opened


@pytest.fixture
def cara(browser: Browser, talking: Site) -> Iterator[Page]:
    with signed_in(browser, talking, CARA) as opened:
        yield opened


def write(site: Site, phone: str, words: str) -> None:
    """Let the person text the store from their phone."""
    site.network.text_from(phone, words, **site.inside("store_number"))


def on_phone(site: Site, phone: str) -> list[str]:
    return [text.body for text in site.network.texts_on(phone) if text.direction == "to_phone"]


def talk(page: Page) -> Locator:
    return page.get_by_role("log", name="Texts and what happened, newest last")


def open_nell(page: Page) -> None:
    page.goto(INBOX)
    page.get_by_role("list", name="Conversations").get_by_role("link", name="Nell Ashby").click()
    expect(talk(page)).to_contain_text("Hello from Nell")


def opened(page: Page, name: str) -> None:
    """Wait until the conversation with somebody is there, and listens to keys: what is pressed before is lost."""
    expect(page.get_by_role("heading", name=name, level=2)).to_be_visible()
    page.wait_for_load_state("networkidle")


def test_one_answers_and_both_see_it_and_what_comes_back(ben: Page, cara: Page, talking: Site) -> None:
    open_nell(ben)
    open_nell(cara)
    expect(cara.get_by_text("ben is looking at this.")).to_be_visible()
    ben.get_by_label("Answer to Nell Ashby").press_sequentially("Good morning, Nell.", delay=60)
    expect(ben.get_by_text("19 characters · 1 part")).to_be_visible()
    expect(cara.get_by_text("ben is writing an answer.")).to_be_visible()
    cara.get_by_label("Answer to Nell Ashby").fill("What can we do?")

    ben.get_by_label("Answer to Nell Ashby").press("Control+Enter")
    expect(talk(ben)).to_contain_text("Good morning, Nell.")
    expect(talk(cara)).to_contain_text("Good morning, Nell.")
    eventually(lambda: "Good morning, Nell." in on_phone(talking, NELL), "the text is on the phone")
    expect(talk(ben)).to_contain_text("Delivered")

    # Cara has typed in the meantime: what she wrote is there, and she is asked
    cara.get_by_role("button", name="Send", exact=True).click()
    expect(cara.get_by_role("alert")).to_contain_text("ben has answered since you opened this page:")
    expect(cara.get_by_label("Answer to Nell Ashby")).to_have_value("What can we do?")
    assert "What can we do?" not in on_phone(talking, NELL)
    cara.get_by_role("button", name="Send mine anyway").click()
    expect(talk(ben)).to_contain_text("What can we do?")
    eventually(lambda: "What can we do?" in on_phone(talking, NELL), "the second text is on the phone")
    assert on_phone(talking, NELL).count("Good morning, Nell.") == 1

    write(talking, NELL, "Where is my tent?")
    for page in (ben, cara):
        expect(talk(page)).to_contain_text("Where is my tent?")
    expect(ben.locator("[aria-live=polite]", has_text="Nell Ashby wrote: Where is my tent?")).to_be_attached()


def test_the_inbox_works_with_keys_alone(ben: Page, talking: Site) -> None:
    begin(talking, ("Kit", "Marsh", KIT), ("Leo", "Finch", LEO))
    ben.goto(INBOX)
    rows = ben.get_by_role("list", name="Conversations").get_by_role("link")
    ben.wait_for_load_state("networkidle")
    ben.keyboard.press("j")
    expect(rows.nth(0)).to_be_focused()
    ben.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    ben.keyboard.press("k")
    first = rows.nth(0).locator(".smsflow-thread__name").inner_text()
    ben.keyboard.press("Enter")
    opened(ben, first)
    ben.keyboard.press("j")
    other = "Leo Finch" if first == "Kit Marsh" else "Kit Marsh"
    opened(ben, other)

    ben.keyboard.press("?")
    expect(ben.get_by_role("dialog", name="Keyboard in the inbox")).to_be_visible()
    ben.keyboard.press("Escape")
    expect(ben.get_by_role("dialog", name="Keyboard in the inbox")).to_be_hidden()

    ben.keyboard.press("n")
    expect(ben.get_by_label("Note for colleagues")).to_be_focused()
    ben.keyboard.type("Rang at nine")
    ben.keyboard.press("Control+Enter")
    expect(talk(ben)).to_contain_text("Rang at nine")

    ben.keyboard.press("r")
    answer = ben.get_by_label(f"Answer to {other}")
    expect(answer).to_be_focused()
    ben.keyboard.press("/")
    expect(ben.get_by_role("option", name="Sorry")).to_be_visible()
    ben.keyboard.type("sor")
    ben.keyboard.press("Enter")
    expect(answer).to_have_value(f"We are sorry, {other.split()[0]}.")
    ben.keyboard.press("Escape")
    ben.keyboard.press("e")
    expect(ben.get_by_text(f"The conversation with {other} is closed.")).to_be_visible()


def test_a_new_text_shows_in_the_list_and_in_the_menu(cara: Page, talking: Site) -> None:
    cara.goto(INBOX)
    cara.get_by_role("button", name=re.compile("SMS flows")).click()
    write(talking, OTIS, "Anybody there?")
    expect(cara.get_by_role("list", name="Conversations")).to_contain_text("Anybody there?")
    expect(cara.locator("a[data-waiting]")).to_be_visible()


def test_an_opt_out_is_asked_about_and_then_forbids_answers(ben: Page, talking: Site) -> None:
    begin(talking, ("Uma", "Lind", UMA))
    ben.goto(f"{INBOX}{talking.inside('thread_of', phone=UMA)}/")
    ben.get_by_role("button", name="More").click()
    ben.get_by_role("button", name="Record opt-out").click()
    dialog = ben.get_by_role("dialog", name="Record opt-out")
    expect(dialog).to_contain_text("This cannot be undone.")
    dialog.get_by_role("button", name="Record opt-out").click()
    expect(ben.get_by_text("This person has opted out. They get no more texts, also not from you.")).to_be_visible()
    expect(ben.get_by_label("Answer to Uma Lind")).to_be_disabled()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_of_the_inbox_has_a_serious_fault(
    browser: Browser,
    talking: Site,
    axe: Any,  # noqa: F811
    theme: str,
    width: int,
) -> None:
    size = {"width": width, "height": 844}
    with signed_in(browser, talking, CARA, color_scheme=theme, viewport=size) as page:
        for address in (INBOX, f"{INBOX}{talking.inside('thread_of', phone=NELL)}/"):
            page.goto(address)
            expect(page.locator("main")).to_contain_text("Nell Ashby")
            assert faults(page, axe) == []
            # nothing stands beside the screen
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
