"""No page about flows has a serious fault in the eyes of axe, in light and in dark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import INES, signed_in
from tests.browser.editing import FLOWS, open_preview, question, text, wait, ways_by_tag
from tests.e2e.site import Site, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Frame, Page

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

TABS = ("When and who", "Steps and words", "Rules", "Goal")
#: What is looked at, by name, with the flow's id in it.
PAGES = {
    "gallery": "/admin/smsflow/gallery/",
    "template": "/admin/smsflow/gallery/nps/",
    "list": FLOWS,
    "publish": f"{FLOWS}publish/{{pk}}/",
    "words": f"{FLOWS}words/{{pk}}/",
    "people": f"{FLOWS}people/{{pk}}/",
    "let in": f"{FLOWS}let-in/{{pk}}/",
    "versions": f"{FLOWS}versions/{{pk}}/",
    "compare": f"{FLOWS}compare/{{pk}}/",
    "pause": f"{FLOWS}pause/{{pk}}/",
    "import": f"{FLOWS}import/",
    "diagram": "/admin/smsflow/flow/{pk}/diagram/",
    "figures of all stores": "/admin/smsflow/figures/",
    "figures of a flow": "/admin/smsflow/figures/flow/{pk}/",
    "test run": "/admin/smsflow/flow/{pk}/test/",
    "test send": "/admin/smsflow/test-send/flow/{pk}/",
    "segments": "/admin/smsflow/segments/",
    "new segment": "/admin/smsflow/segments/new/",
    "snippets": "/admin/smsflow/snippets/",
    "new snippet": "/admin/smsflow/snippets/new/",
}


@pytest.fixture(scope="module")
def axe() -> Any:
    """Axe, which a package brings along."""
    package = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is missing")
    return package.Axe()


@pytest.fixture(scope="module")
def changed(site: Site, people: None) -> int:
    """A flow that runs, with somebody in it, and a draft that changes where they are."""

    def steps(days: int) -> list[Any]:
        ask = question("ask", "Will you come?", again="Yes or no?", yes=[text("yes", "Great.")], no=[wait("w", 1)])
        return [ways_by_tag("ways", [wait("W", days)], vip=[text("vip", "Hello, you.")]), ask, text("end", "Bye.")]

    pk = int(site.inside("add_flow", name="Looked at", steps=steps(20), live=True))
    run = site.inside("enter", flow=pk, first_name="Axel", phone="+12025558010", tags=[])
    eventually(lambda: site.inside("run", pk=run)["step"] == "W", "Axel waits")
    site.inside("change_flow", pk=pk, steps=steps(30))
    site.inside("add_segment_and_snippet")
    return pk


@pytest.fixture(params=["light", "dark"])
def looking(request: Any, browser: Browser, site: Site, people: None) -> Iterator[Page]:
    """The store admin's page, in each of the admin's themes."""
    with signed_in(browser, site, INES, color_scheme=request.param) as opened:
        yield opened


def faults(frame: Frame | Page, axe: Any) -> list[str]:
    """Return what axe calls serious or critical, with where it is and why."""
    found = axe.run(frame, options={"resultTypes": ["violations"], "iframes": False}).response
    return [
        f"{violation['id']} at {node['target']}: {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def test_no_page_about_flows_has_a_serious_fault(looking: Page, changed: int, axe: Any) -> None:
    found = {}
    for name, address in PAGES.items():
        response = looking.goto(address.format(pk=changed))
        assert response and response.ok, name
        expect(looking.locator("main")).to_be_visible()
        found[name] = faults(looking, axe)
    assert {name: each for name, each in found.items() if each} == {}


def test_no_part_of_the_editor_has_a_serious_fault(looking: Page, changed: int, axe: Any) -> None:
    looking.goto(f"{FLOWS}edit/{changed}/")
    found = {}
    for tab in TABS:
        looking.get_by_role("tab", name=tab).click()
        expect(looking.get_by_role("tabpanel", name=tab)).to_be_visible()
        looking.evaluate(
            "document.querySelectorAll('[data-panel-toggle][aria-expanded=false]').forEach((toggle) => toggle.click())"
        )
        found[tab] = faults(looking, axe)
    for mode, shown in (("diagram", "Steps of the flow"), ("phone", "What happens")):
        panel = open_preview(looking, mode)
        expect(panel.get_by_label(shown, exact=True)).to_be_visible()
        (frame,) = [each for each in looking.frames if each.url and f"mode={mode}" in each.url][-1:]
        found[mode] = faults(frame, axe)
    assert {name: each for name, each in found.items() if each} == {}
