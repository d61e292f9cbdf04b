"""What people do with flows, in a browser: enable one, publish it over people, try it, write its words, hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.editing import FLOWS, Hand, block, open_preview, question, text, wait, ways_by_tag
from tests.e2e.site import Site, eventually
from tests.flows.large import large_steps

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.e2e]


def test_a_store_admin_enables_a_template_in_five_presses(ines: Page, site: Site) -> None:
    hand = Hand(ines)
    ines.goto("/admin/smsflow/gallery/")
    hand.press("link", "Look at it Reviews")
    expect(ines.get_by_role("heading", name="An example")).to_be_visible()
    days = ines.get_by_label("Days after")
    days.fill("9")
    hand.press("button", "Use this flow")

    # the editor has everything filled in already
    expect(ines.locator("#id_name")).to_have_value("Reviews")
    expect(ines.get_by_text("was added to Sierra Gear as a draft")).to_be_visible()
    pk = int(ines.url.rstrip("/").rpartition("/")[2])
    assert not site.inside("flow", pk=pk)["live"]
    hand.press("button", "More actions")
    hand.press("button", "Publish")

    expect(ines.get_by_role("heading", name="Who enters")).to_be_visible()
    hand.press("button", "Publish")
    expect(ines.get_by_text("“Reviews” is published.")).to_be_visible()
    flow = site.inside("flow", pk=pk)
    assert (flow["live"], flow["version"], flow["by"]) == (True, 1, "ines")
    assert [step["value"]["amount"] for step in flow["steps"] if step["type"] == "wait"][:1] == [9]
    assert hand.presses == 5


def test_a_copywriter_changes_words_and_nothing_else(carl: Page, site: Site) -> None:
    steps = [text("hello", "Hello from us."), wait("pause", 2), text("bye", "Bye for now.")]
    pk = site.inside("add_flow", name="Words of Carl", steps=steps, live=True)
    carl.goto(FLOWS)
    carl.get_by_role("link", name="Words of Carl").click()
    expect(carl.get_by_text("Here are all texts of the flow")).to_be_visible()
    expect(carl.locator("textarea[name^='words-']")).to_have_count(4)
    expect(carl.locator("[name^='steps-']")).to_have_count(0)

    carl.get_by_role("textbox", name="Text").first.fill("Hello from all of us.")
    expect(carl.get_by_role("button", name="More actions")).to_have_count(0)
    carl.get_by_role("button", name="Save draft").click()
    expect(
        carl.get_by_text("“Words of Carl” updated.").or_(carl.get_by_text("'Words of Carl' updated."))
    ).to_be_visible()

    changed = site.inside("flow", pk=pk)
    steps[0]["value"]["text"] = "Hello from all of us."
    assert (changed["steps"], changed["version"], changed["drafts"]) == (steps, 1, 2)
    assert "Hello from us." in str(changed["program"])

    # other addresses lead back to the words, or away
    carl.goto(f"{FLOWS}edit/{pk}/")
    carl.wait_for_url(f"**{FLOWS}words/{pk}/")
    carl.goto(f"{FLOWS}publish/{pk}/")
    expect(carl.get_by_text("you do not have permission")).to_be_visible()
    statuses = carl.evaluate(
        """async ([addresses, token]) => Promise.all(addresses.map(async (address) => {
            const body = new URLSearchParams({ csrfmiddlewaretoken: token, name: "Mine", "action-publish": "1" });
            return (await fetch(address, { method: "POST", body })).url;
        }))""",
        [[f"{FLOWS}{view}/{pk}/" for view in ("publish", "edit", "unpublish", "pause")], token(carl)],
    )
    assert all(each.endswith("/admin/") for each in statuses), statuses
    assert site.inside("flow", pk=pk) == changed


def token(page: Page) -> str:
    return str(page.evaluate("JSON.parse(document.getElementById('wagtail-config').textContent).CSRF_TOKEN"))


def test_people_inside_finish_move_or_leave_as_it_is_chosen_for_their_step(ines: Page, site: Site) -> None:
    def steps(first: int, second: int, third: int) -> list[object]:
        ways = {"one": [wait("W1", first)], "two": [wait("W2", second)]}
        return [ways_by_tag("ways", [wait("W3", third)], **ways), text("end", "That was it.")]

    pk = site.inside("add_flow", name="Three crowds", steps=steps(20, 30, 40), live=True)
    runs = [
        site.inside("enter", flow=pk, first_name=name, phone=f"+1202555{number}", tags=[tag])
        for name, number, tag in (("Finn", 8001, "one"), ("Mona", 8002, "two"), ("Lea", 8003, "three"))
    ]
    for run, step in zip(runs, ("W1", "W2", "W3"), strict=True):
        eventually(lambda run=run, step=step: site.inside("run", pk=run)["step"] == step, f"somebody is at {step}")
    site.inside("change_flow", pk=pk, steps=steps(21, 31, 41))

    ines.goto(f"{FLOWS}publish/{pk}/")
    expect(ines.get_by_text("Version 1: 3 people")).to_be_visible()
    expect(ines.get_by_text("Another time")).to_have_count(3)
    ines.get_by_label("Wait: 21 days").select_option(label="Finish the old version")
    ines.get_by_label("Wait: 31 days").select_option(label="Move to the new version")
    ines.get_by_label("Wait: 41 days").select_option(label="Leave the flow")
    ines.get_by_role("button", name="Publish").click()
    expect(ines.get_by_text("“Three crowds” is published.")).to_be_visible()

    expected = [
        {"version": 1, "status": "waiting", "step": "W1"},
        {"version": 2, "status": "waiting", "step": "W2"},
        {"version": 1, "status": "exited", "step": "W3"},
    ]
    eventually(lambda: [site.inside("run", pk=run) for run in runs] == expected, "each crowd did what was chosen")
    assert site.inside("flow", pk=pk)["version"] == 2
    ines.goto(f"{FLOWS}people/{pk}/")
    expect(ines.get_by_role("row").filter(has_text="Finn")).to_contain_text("20 days")
    expect(ines.get_by_role("row").filter(has_text="Mona")).to_contain_text("31 days")
    expect(ines.get_by_role("row").filter(has_text="Lea")).to_have_count(0)


def test_the_preview_s_phone_goes_the_way_of_the_reply(ines: Page, site: Site) -> None:
    yes, no = [text("yes", "Great, see you.")], [text("no", "What a pity.")]
    ask = question("ask", "Will you come? Reply YES or NO.", again="Please reply YES or NO.", yes=yes, no=no)
    pk = site.inside("add_flow", name="Coming", steps=[wait("first", 1), ask])
    drafts = site.inside("flow", pk=pk)["drafts"]
    ines.goto(f"{FLOWS}edit/{pk}/")
    phone = open_preview(ines, "phone")
    said = phone.get_by_role("list", name="What happens")
    expect(said).to_contain_text("Wait, until")
    phone.get_by_role("button", name="To what comes next").click()
    expect(said).to_contain_text("Will you come? Reply YES or NO.")
    # what the rules said of the text, and what it costs
    expect(said).to_contain_text("Allowed:")
    expect(said).to_contain_text("1 part")

    reply = phone.get_by_label("What the person writes")
    reply.fill("perhaps")
    reply.press("Enter")
    expect(said).to_contain_text("Please reply YES or NO.")
    reply.fill("yes")
    reply.press("Enter")
    expect(said).to_contain_text("Great, see you.")
    expect(said).not_to_contain_text("What a pity.")
    expect(said).to_contain_text("The flow is at its end.")

    phone.get_by_role("button", name="Take back the last").click()
    reply.fill("NO")
    reply.press("Enter")
    expect(said).to_contain_text("What a pity.")
    expect(said).not_to_contain_text("Great, see you.")
    assert site.inside("flow", pk=pk)["drafts"] == drafts


def test_a_paused_flow_keeps_its_people_and_is_resumed(ines: Page, site: Site) -> None:
    pk = site.inside("add_flow", name="To be held", steps=[wait("W", 30), text("end", "Bye.")], live=True)
    run = site.inside("enter", flow=pk, first_name="Paula", phone="+12025558004", tags=[])
    eventually(lambda: site.inside("run", pk=run)["step"] == "W", "Paula waits")
    hand = Hand(ines)
    ines.goto(f"{FLOWS}edit/{pk}/")
    ines.get_by_role("button", name="Actions", exact=True).click()
    hand.press("link", "Pause")
    expect(ines.get_by_text("1 person is in it now.")).to_be_visible()
    hand.press("button", "Pause")
    ines.goto(FLOWS)
    expect(ines.get_by_role("row").filter(has_text="To be held")).to_contain_text("Paused")
    assert site.inside("flow", pk=pk)["paused"]
    ines.goto(f"{FLOWS}people/{pk}/")
    expect(ines.get_by_role("row").filter(has_text="Paula")).to_contain_text("The flow goes on")

    ines.goto(f"{FLOWS}edit/{pk}/")
    ines.get_by_role("button", name="Actions", exact=True).click()
    hand.press("link", "Resume")
    hand.press("button", "Resume")
    ines.goto(FLOWS)
    expect(ines.get_by_role("row").filter(has_text="To be held")).to_contain_text("Live")
    assert not site.inside("flow", pk=pk)["paused"]
    assert site.inside("run", pk=run) == {"version": 1, "status": "waiting", "step": "W"}


def test_a_box_of_the_diagram_leads_to_its_block(ines: Page, site: Site) -> None:
    inner = text("6e8f2a52-5b1f-4a3e-9d27-0c2b6f6d1a01", "For the others.")
    ways = ways_by_tag("6e8f2a52-5b1f-4a3e-9d27-0c2b6f6d1a02", [inner], vip=[wait("w", 1)])
    pk = site.inside("add_flow", name="With boxes", steps=[text("a", "First."), ways, text("b", "Last.")])

    # on the page that shows nothing else
    ines.goto(f"/admin/smsflow/flow/{pk}/diagram/")
    ines.get_by_role("link", name="For the others.").click()
    ines.wait_for_url(f"**{FLOWS}edit/{pk}/#block-*")
    expect(block(ines, inner["id"])).to_be_in_viewport()

    # beside the form: the tab, and the blocks around it, open
    ines.goto(f"{FLOWS}edit/{pk}/")
    expect(block(ines, inner["id"])).to_be_hidden()
    box = open_preview(ines, "diagram").get_by_role("link", name="For the others.")
    box.focus()
    box.press("Enter")
    expect(block(ines, inner["id"])).to_be_in_viewport()
    expect(block(ines, inner["id"]).get_by_role("textbox", name="Text").first).to_be_visible()


def test_forty_steps_are_saved_by_a_browser_as_they_are(ines: Page, site: Site) -> None:
    other = site.inside("add_flow", name="Another", steps=[text("x", "Hi.")])
    steps = large_steps(other)
    pk = site.inside("add_flow", name="Forty steps", steps=steps)
    ines.goto(f"{FLOWS}edit/{pk}/")
    # saved by itself first: what is still on its way when the page is left is refused as out of date
    with ines.expect_response(
        lambda answer: answer.request.method == "POST" and "/edit/" in answer.url
    ) as saved_by_itself:
        # as somebody types: what is changed before the page has looked at itself is no change to it
        ines.locator("#id_name").press_sequentially(" and a name", delay=300)
    assert saved_by_itself.value.status == 200
    ines.get_by_role("button", name="Save draft").click()
    expect(ines.get_by_text("updated").first).to_be_visible()
    saved = site.inside("flow", pk=pk)
    assert saved["drafts"] > 1
    assert saved["steps"] == steps
