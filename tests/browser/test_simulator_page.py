"""The simulator's page for those who see little, see nothing, or hold it in one hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.simulator import Simulator
from tests.e2e.site import Site, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

#: What is wrong with the page's main part, as sentences. Names are counted as a screen reader finds them.
PROBLEMS = """() => {
  const main = document.querySelector('main');
  const found = [];
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  ids.filter((id, place) => ids.indexOf(id) !== place).forEach((id) => found.push(`two elements are called ${id}`));
  const nameOf = (element) =>
    element.getAttribute('aria-label') ||
    (element.getAttribute('aria-labelledby') || '').split(' ')
      .map((id) => document.getElementById(id)?.innerText || '').join('') ||
    [...(element.labels || [])].map((label) => label.textContent.trim()).join('') ||
    element.textContent.trim();
  const named = 'button, a[href], input:not([type=hidden]), select, textarea, nav, [role=log]';
  main.querySelectorAll(named).forEach((element) => {
    if (!nameOf(element)) found.push(`nameless: ${element.outerHTML.slice(0, 120)}`);
  });
  main.querySelectorAll('[aria-describedby], [aria-labelledby]').forEach((element) => {
    for (const name of ['aria-describedby', 'aria-labelledby'])
      (element.getAttribute(name) || '').split(' ').filter(Boolean).forEach((id) => {
        if (!document.getElementById(id)) found.push(`${name} leads nowhere: ${id}`);
      });
  });
  let level = 1;
  main.querySelectorAll('h1, h2, h3, h4, h5, h6').forEach((heading) => {
    const here = Number(heading.getAttribute('aria-level') || heading.tagName[1]);
    if (here > level + 1) found.push(`heading ${heading.innerText} skips a level`);
    level = here;
  });
  main.querySelectorAll('[style]').forEach((element) => found.push(`inline style: ${element.outerHTML.slice(0, 80)}`));
  return found;
}"""

#: The lowest contrast of the phone's words with what is behind them (WCAG AA asks for 4.5).
CONTRAST = """() => {
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let here = element; here; here = here.parentElement) {
      const colour = getComputedStyle(here).backgroundColor;
      if (!/, 0\\)$|transparent/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const words = [...document.querySelectorAll('.sms-phone p, .sms-phone h2, .sms-simulator__people a')];
  return Math.min(...words.map((element) => {
    const pair = [luminance(getComputedStyle(element).color), luminance(behind(element))].sort((a, b) => a - b);
    return (pair[1] + 0.05) / (pair[0] + 0.05);
  }));
}"""


@pytest.fixture
def simulator(page: Page, quiet_site: Site) -> Simulator:
    """Ida's phone, with a text in each direction on it."""
    found = Simulator(page)
    found.open_store()
    people = page.get_by_role("navigation", name="People")
    if people.get_by_text("Ida Holm").count():
        people.get_by_text("Ida Holm").click()
    else:
        found.meet("Ida", "Holm")
        found.write("HELP")
    expect(found.texts.nth(1)).to_be_visible()
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_has_a_name_and_can_be_read(simulator: Simulator, scheme: str) -> None:
    simulator.page.emulate_media(color_scheme=scheme)
    assert simulator.page.evaluate(PROBLEMS) == []
    assert simulator.page.evaluate(CONTRAST) >= 4.5


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_reaches_beyond_the_edge_of_the_screen(simulator: Simulator, width: int) -> None:
    simulator.page.set_viewport_size({"width": width, "height": 844})

    def beyond() -> Any:
        return simulator.page.evaluate(
            """() => [...document.querySelectorAll('.sms-simulator *')]
                // what stands behind a panel's heading is Wagtail's, and is cut off there
                .filter((element) => !element.closest('.w-sr-only, svg, .w-panel__divider, .w-panel__anchor'))
                .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
                .map((element) => element.outerHTML.slice(0, 100))"""
        )

    # a busy machine takes a moment to lay the page out anew
    eventually(lambda: beyond() == [], "everything is inside")


def test_a_text_arrives_without_disturbing_who_is_typing(simulator: Simulator, site: Site) -> None:
    page = simulator.page
    reply = page.get_by_label("Reply")
    reply.fill("I am still typ")
    first = simulator.texts.first.evaluate_handle("element => element")
    number = page.locator(".sms-phone__header p").inner_text()
    before = simulator.texts.count()
    site.network.text_from(number, "Sent from elsewhere")
    expect(simulator.texts).to_have_count(before + 1)
    expect(reply).to_have_value("I am still typ")
    expect(reply).to_be_focused()
    # what was there is the very same element: a screen reader reads the new text only
    assert first.evaluate("element => element.isConnected")


def test_the_whole_page_works_with_the_keyboard(simulator: Simulator) -> None:
    page = simulator.page
    reached = set()
    page.get_by_label("Reply").focus()
    for _step in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim()"))
    assert {"Send", "Opts in", "Abandons a cart", "To Ida’s next thing", "Forward 1 hour"} <= reached


def test_without_the_phone_network_the_page_says_what_to_start(simulator: Simulator, site: Site) -> None:
    site.kill("network")
    try:
        expect(simulator.page.get_by_role("log")).to_contain_text("manage.py smsflow_network")
    finally:
        site.start("network")
        site.wait_until_up()
    expect(simulator.texts.first).to_be_visible()
