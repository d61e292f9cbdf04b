"""Writing a text in a real browser: the counter, the characters that make it dear, the names, the words-only editor."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from smsflow_plugin.messaging.parts import count_parts, to_gsm
from tests.e2e.site import Site
from tests.messaging_text.test_parts import TRICKY

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

FLOW = 4242
WORDS = f"/admin/smsflow/flows/words/{FLOW}/"
MAKE_FLOW = f"""
from smsflow_plugin.models import Flow, Store
text = {{"text": "5% off.", "fallback": "", "translations": [], "hold_amount": None, "hold_unit": "hours"}}
flow = Flow(
    pk={FLOW}, store=Store.objects.get(), name="Words", live=False, trigger="opted_in",
    triggers=[{{"type": "event", "value": {{"kind": "opted_in", "rules": []}}, "id": "t"}}],
    steps=[{{"type": "send", "value": text, "id": "s"}}],
)
flow.save()
flow.save_revision(clean=False)
"""

URL = "{{ store.url | default: 'words for when it is missing' }}"

pytestmark = [pytest.mark.browser, pytest.mark.e2e]


@pytest.fixture
def text(page: Page, site: Site) -> Locator:
    """The first text of a flow, in the words-only editor."""
    if not page.request.get(WORDS).ok:
        site.manage("shell", "-c", MAKE_FLOW)
    page.goto(WORDS)
    return page.locator("textarea").first


def counter_of(text: Locator) -> Locator:
    return text.page.locator(f"[id='{text.get_attribute('id')}-counter']")


def test_the_counter_in_chromium_agrees_with_the_server(page: Page, text: Locator) -> None:
    expect(counter_of(text)).to_contain_text("Typically:")
    texts = [source for source, _encoding, _parts in TRICKY if "\ud83d" not in source]
    answers = page.evaluate(
        """(texts) => {
            const { tables } = JSON.parse(document.getElementById('smsflow-copy-tools').textContent);
            const counter = window.smsflowParts.makeCounter(tables);
            return texts.map((text) => ({ ...counter.count(text), gsm: counter.toGsm(text) }));
        }""",
        texts,
    )
    for source, answer in zip(texts, answers, strict=True):
        counted = count_parts(source)
        assert (answer["encoding"], answer["parts"]) == (counted.encoding, counted.parts), source
        assert answer["gsm"] == to_gsm(source), source


def test_what_makes_a_text_dear_is_named_and_replaced_in_one_click(text: Locator) -> None:
    counter = counter_of(text)
    text.fill("“10% off” today 😀 for ça")
    expect(counter).to_contain_text("UCS-2")
    expect(counter).to_contain_text("“😀” makes parts shorter")
    counter.get_by_role("button", name="Replace all").click()
    expect(text).to_have_value('"10% off" today  for ça')
    counter.get_by_role("button", name="Replace with “c”").click()
    expect(text).to_have_value('"10% off" today  for ca')
    expect(counter).to_contain_text("GSM-7")
    expect(counter).not_to_contain_text("UCS-2")


def test_an_error_is_said_and_marked(page: Page, text: Locator) -> None:
    text.fill("10% off\nfor {{ cart.nothing }}")
    expect(counter_of(text)).to_contain_text("There is no “cart.nothing” here.")
    counter_of(text).get_by_role("button", name="Show").click()
    assert page.evaluate("document.getSelection().toString()").strip() == "cart.nothing"


def test_a_name_is_found_and_put_in_with_the_keyboard_alone(page: Page, text: Locator) -> None:
    text.fill("Hi , 10% off")
    text.evaluate("(element) => { element.focus(); element.setSelectionRange(3, 3); }")
    counter_of(text).get_by_role("button", name="Insert a name").press("Enter")
    expect(page.get_by_role("searchbox", name="Search the names").first).to_be_focused()
    page.keyboard.type("contact.first")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(text).to_be_focused()
    page.keyboard.type("friend")
    expect(text).to_have_value("Hi {{ contact.first_name | default: 'friend' }}, 10% off")
    expect(counter_of(text)).to_contain_text("With long values:")
    expect(counter_of(text)).not_to_contain_text("Wrong:")


@pytest.mark.parametrize(
    ("before", "behind", "name", "written"),
    [
        ("See {{ store.url }}", "", "store.url", "See {{ store.url }} " + URL),
        ("See https://a.example/", "now", "store.url", "See https://a.example/ " + URL + " now"),
        ("See (", ")", "store.url", "See (" + URL + ")"),
        ("See https://a.example/?next=", "", "store.url", "See https://a.example/?next=" + URL),
        ("From", "Hi", "store.name", "From {{ store.name }} Hi"),
        ("From ", ".", "store.name", "From {{ store.name }}."),
        ("https://a.example/", "/x", "store.name", "https://a.example/{{ store.name }}/x"),
        ("{% if store.name %}", "{% endif %}", "store.name", "{% if store.name %}{{ store.name }}{% endif %}"),
    ],
)
def test_what_is_put_in_does_not_stick_to_what_stands_there(
    page: Page, text: Locator, before: str, behind: str, name: str, written: str
) -> None:
    text.fill(before + behind)
    text.evaluate("(element, at) => { element.focus(); element.setSelectionRange(at, at); }", len(before))
    counter_of(text).get_by_role("button", name="Insert a name").press("Enter")
    expect(page.get_by_role("searchbox", name="Search the names").first).to_be_focused()
    page.keyboard.type(name)
    counter_of(text).get_by_role("button", name=re.compile(f"^{re.escape(name)}")).click()
    expect(text).to_have_value(written)


def test_a_step_that_is_added_later_counts_too(page: Page, text: Locator) -> None:
    page.goto(f"/admin/smsflow/flows/edit/{FLOW}/")
    page.get_by_role("tab", name="Steps and words").click()
    page.locator("#tab-steps_and_words .c-sf-add-button").first.click()
    page.get_by_role("option", name=re.compile("^Send a text")).first.click()
    added = page.locator("textarea[name^='steps-'][name$='-value-text']").first
    added.fill("10% off ж")
    expect(counter_of(added)).to_contain_text("UCS-2")
    expect(counter_of(added)).to_contain_text("With long values:")


def test_words_are_saved_as_a_draft(page: Page, text: Locator) -> None:
    text.fill("Hi, 10% off today.")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text(re.compile("updated"))).to_be_visible()
    expect(page.locator("textarea").first).to_have_value("Hi, 10% off today.")
