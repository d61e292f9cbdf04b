"""The diagram's page, the phone on which a flow is tried, and the page for test runs: what they show, and to whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from smsflow_plugin.admin_panels.flows.diagram import PERIOD_DAYS, numbers_of, render_diagram
from smsflow_plugin.engine.interpreter import State
from smsflow_plugin.models import Contact, Decision, Enrollment, Event, Flow, Message, Store
from tests.conftest import TestClock
from tests.factories import make_contact
from tests.flows.people import STORE_ADMIN, person, published_flow, saved_flow

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _still(still: TestClock) -> None:
    """The clock stands still."""


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("root", "root@example.com", "secret"))
    return client


def preview(client: Client, flow: Flow, mode: str) -> str:
    """Return the newest draft's preview, as the person whose cookies these are gets it."""
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    request = RequestFactory().get("/", headers={"cookie": cookies})
    draft = Flow.objects.get(pk=flow.pk).get_latest_revision_as_object()
    html: str = draft.make_preview_request(request, mode, {"in_preview_panel": True}).content.decode()
    return html


def let_happen(client: Client, flow: Flow, **posted: Any) -> Any:
    return client.post(reverse("smsflow_flow_tools:walk", args=[flow.pk]), posted)


def text_of(flow: Flow, step: str, state: str, at: Any, **values: Any) -> Message:
    return Message.objects.create(
        store=flow.store, flow=flow, step=step, state=state, queued_at=at, to="+12025550101", body="x", parts=1,
        message_class="marketing", key=f"{flow.pk}-{Message.objects.count()}", priority=1, **values,
    )  # fmt: skip


def test_the_page_has_a_box_for_every_step_that_leads_to_its_block(root: Client, store: Store) -> None:
    flow = saved_flow(store)
    html = root.get(reverse("smsflow_flow_tools:diagram", args=[flow.pk])).content.decode()
    edit = reverse("wagtailsnippets_smsflow_flow:edit", args=[flow.pk])
    for child in flow.steps:
        assert f'href="{edit}#block-{child.id}-section"' in html
    assert "<title>1. " in html


def test_a_form_that_does_not_compile_is_drawn_too_with_what_is_wrong(root: Client, store: Store) -> None:
    flow = saved_flow(store)
    flow.steps[0].value["amount"] = None
    html = str(render_diagram(flow, link=""))
    assert "This flow cannot run yet" in html
    assert html.count('class="sms-box ') > len(flow.steps)


def test_what_people_write_is_escaped(store: Store) -> None:
    flow = saved_flow(store)
    flow.steps[len(flow.steps) - 1].value["text"] = "<script>alert(1)</script>"
    assert "<script>" not in str(render_diagram(flow))


def test_numbers_say_who_stands_where_and_what_was_sent(store: Store, still: TestClock) -> None:
    flow = published_flow(store)
    version = flow.current_version
    program = version.compiled
    for _ in range(3):
        Enrollment.objects.create(
            store=store, flow=flow, version=version, contact=make_contact(store), state=State(at=1).to_json()
        )
    step = program.instructions[1].step
    text_of(flow, step, "delivered", still.at)
    text_of(flow, step, "failed", still.at)
    text_of(flow, step, "delivered", still.at - timedelta(days=PERIOD_DAYS + 1))
    text_of(flow, step, "delivered", still.at, purpose="test_run")
    numbers = numbers_of(flow)
    assert (numbers.here[step], numbers.sent[step], numbers.failed[step]) == (3, 1, 1)
    assert numbers.feet()[step] == "3 here now · 1 sent · 1 failed"
    assert "3 here now" in str(render_diagram(flow, numbers=numbers))


def test_the_numbers_take_as_many_queries_for_a_crowd_as_for_one(store: Store, still: TestClock) -> None:
    flow = published_flow(store)
    counts = []
    for crowd in (1, 20):
        for _ in range(crowd):
            Enrollment.objects.create(store=store, flow=flow, version=flow.current_version, contact=make_contact(store))
            text_of(flow, "x", "delivered", still.at)
        with CaptureQueriesContext(connection) as queries:
            numbers_of(flow)
        counts.append(len(queries))
    assert counts[1] <= counts[0] <= 3


@pytest.mark.parametrize("page", ["diagram", "test"])
def test_another_stores_flow_is_not_found(client: Client, store: Store, danish_store: Store, page: str) -> None:
    flow = saved_flow(danish_store)
    client.force_login(person("anna", (store, STORE_ADMIN)))
    assert client.get(reverse(f"smsflow_flow_tools:{page}", args=[flow.pk])).status_code == 404
    assert let_happen(client, flow, do="next").status_code == 404
    assert client.post(reverse("smsflow_flow_tools:stop", args=[flow.pk])).status_code == 404


def test_strangers_are_sent_to_the_login(client: Client, store: Store) -> None:
    flow = saved_flow(store)
    for name in ("diagram", "test"):
        assert client.get(reverse(f"smsflow_flow_tools:{name}", args=[flow.pk])).status_code == 302
    assert let_happen(client, flow, do="next").status_code == 302


def test_the_phone_walks_on_and_keeps_its_walk(root: Client, store: Store) -> None:
    flow = saved_flow(store)
    assert "Enters: Checkout started or changed." in preview(root, flow, "phone")
    assert let_happen(root, flow, do="reply", text="<b>hi</b>").status_code == 302
    html = preview(root, flow, "phone")
    assert "&lt;b&gt;hi&lt;/b&gt;" in html and "<b>hi" not in html
    let_happen(root, flow, do="undo")
    let_happen(root, flow, do="next")
    html = preview(root, flow, "phone")
    assert "sms-moment--out" in html and "Allowed: no rule objects." in html and "hi&lt;" not in html
    let_happen(root, flow, do="reset")
    assert "sms-moment--out" not in preview(root, flow, "phone")
    let_happen(root, flow, do="reply", text="STOP")
    assert "Nothing more is sent to this person." in preview(root, flow, "phone")


def test_nothing_is_written_but_the_session(root: Client, store: Store) -> None:
    flow = saved_flow(store)
    contact = make_contact(store)
    let_happen(root, flow, do="who", who=f"contact:{contact.pk}")
    for _ in range(3):
        let_happen(root, flow, do="next")
    preview(root, flow, "phone")
    for model in (Message, Decision, Enrollment, Event):
        assert not model.objects.exists()
    assert Contact.objects.get().recent_sends == []


def test_a_real_person_walks_for_those_who_may_see_people(client: Client, store: Store) -> None:
    flow = saved_flow(store)
    grace = make_contact(store, first_name="Grace", last_name="Hopper")
    client.force_login(person("boss", (store, (*STORE_ADMIN, "view_contact"))))
    let_happen(client, flow, do="search", search="hopper")
    assert f'value="contact:{grace.pk}"' in preview(client, flow, "phone")
    let_happen(client, flow, do="who", who=f"contact:{grace.pk}")
    assert "Grace Hopper" in preview(client, flow, "phone")


def test_nobody_else_sees_people_on_the_phone(client: Client, store: Store) -> None:
    flow = saved_flow(store)
    grace = make_contact(store, first_name="Grace", last_name="Hopper")
    client.force_login(person("writer", (store, ("change_flow", "view_flow"))))
    let_happen(client, flow, do="search", search="hopper")
    let_happen(client, flow, do="who", who=f"contact:{grace.pk}")
    html = preview(client, flow, "phone")
    assert "Grace" not in html and "Hopper" not in html
    assert "That person is not there any more" in html


def test_people_of_another_store_do_not_walk(root: Client, store: Store, danish_store: Store) -> None:
    flow = saved_flow(store)
    other = make_contact(danish_store, first_name="Karen", last_name="Blixen")
    let_happen(root, flow, do="who", who=f"contact:{other.pk}")
    assert "Karen" not in preview(root, flow, "phone")


def test_what_cannot_run_yet_shows_its_problems_and_its_texts(root: Client, store: Store) -> None:
    flow = saved_flow(store)
    flow.triggers = []
    flow.trigger = ""
    flow.save_revision(clean=False)
    html = preview(root, flow, "phone")
    assert "This flow cannot run yet" in html and "sms-bubble" in html


@pytest.mark.parametrize(
    "posted", [{}, {"do": "x"}, {"do": "wait", "amount": "9" * 30, "unit": "days"}, {"do": "event"}]
)
def test_nonsense_changes_nothing(root: Client, store: Store, posted: dict[str, str]) -> None:
    flow = saved_flow(store)
    assert let_happen(root, flow, **posted).status_code == 302
    assert root.session["smsflow_walks"][str(flow.pk)]["script"] == []


def test_it_leads_back_only_to_this_site(root: Client, store: Store) -> None:
    flow = saved_flow(store)
    url = reverse("smsflow_flow_tools:walk", args=[flow.pk])
    response = root.post(url, {"do": "next"}, headers={"referer": "https://evil.example/"})
    assert response["Location"].startswith("/")
    own = "http://testserver/somewhere/?mode=phone"
    assert root.post(url, {"do": "next"}, headers={"referer": own})["Location"] == f"{own}#now"


def test_a_session_remembers_only_so_many_walks(root: Client, store: Store) -> None:
    flows = [saved_flow(store, name=f"Flow {n}") for n in range(12)]
    for flow in flows:
        let_happen(root, flow, do="next")
    assert list(root.session["smsflow_walks"]) == [str(flow.pk) for flow in flows[2:]]


def test_a_test_run_is_started_listed_and_stopped(root: Client, store: Store) -> None:
    flow = saved_flow(store)
    grace = make_contact(store, first_name="Grace", last_name="Hopper")
    url = reverse("smsflow_flow_tools:test", args=[flow.pk])
    assert "Grace Hopper" in root.get(url, {"q": "grace"}).content.decode()
    assert root.post(url, {"contacts": [grace.pk], "pace": "1440"}).status_code == 302
    run = Enrollment.objects.get()
    assert (run.contact, run.test_pace) == (grace, 1440)
    html = root.get(url).content.decode()
    assert "Grace Hopper" in html and "Stop the test runs" in html
    root.post(reverse("smsflow_flow_tools:stop", args=[flow.pk]))
    assert "The test was stopped." in root.get(url).content.decode()


def test_nobody_chosen_is_said_and_starts_nothing(root: Client, store: Store) -> None:
    flow = saved_flow(store)
    html = root.post(reverse("smsflow_flow_tools:test", args=[flow.pk]), {"pace": "60"}).content.decode()
    assert "Choose at least one person." in html
    assert not Enrollment.objects.exists()


def test_who_may_not_publish_starts_no_test(client: Client, store: Store) -> None:
    flow = saved_flow(store)
    client.force_login(person("writer", (store, ("change_flow", "view_flow", "view_contact"))))
    response = client.get(reverse("smsflow_flow_tools:test", args=[flow.pk]))
    assert response.status_code in (302, 403)


def test_the_list_of_test_runs_takes_the_same_queries_for_many(root: Client, store: Store) -> None:
    flow = published_flow(store)
    url = reverse("smsflow_flow_tools:test", args=[flow.pk])
    counts = []
    for crowd in (2, 12):
        for n in range(crowd):
            Enrollment.objects.create(
                store=store, flow=flow, version=flow.current_version, contact=make_contact(store), test_pace=60,
                entry_key=f"test:{crowd}-{n}",
            )  # fmt: skip
        root.get(url)
        with CaptureQueriesContext(connection) as queries:
            root.get(url)
        counts.append(len(queries))
    assert counts[0] == counts[1]
