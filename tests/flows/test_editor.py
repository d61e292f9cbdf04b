"""The editor over HTTP, as people with roles in one store see it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages.storage.fallback import FallbackStorage
from django.test import Client
from django.urls import reverse
from wagtail.test.utils.form_data import nested_form_data, streamfield

from smsflow_plugin.admin_panels.flows.registration import refuse_what_cannot_compile
from smsflow_plugin.models import Enrollment, Flow, FlowVersion
from tests.factories import make_contact
from tests.flows.people import (
    COPYWRITER,
    STORE_ADMIN,
    happened,
    if_else,
    leave,
    person,
    published_flow,
    rule,
    saved_flow,
    send,
    wait,
)

pytestmark = pytest.mark.django_db


def url(view: str, *args: Any) -> str:
    return reverse(f"wagtailsnippets_smsflow_flow:{view}", args=args)


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def form(*texts: str, exits: tuple[str, ...] = (), **values: Any) -> dict[str, Any]:
    """What a browser posts for a flow of a few texts."""
    steps = [
        (
            "send",
            {
                "text": text,
                "fallback": "",
                "translations-count": "0",
                "variants-count": "0",
                "hold_amount": "",
                "hold_unit": "hours",
            },
        )
        for text in texts
    ]
    data = nested_form_data(
        {
            "name": "Hello",
            "triggers": streamfield([("event", {"kind": "opted_in", "rules": streamfield([])})]),
            "steps": streamfield(steps),
            "audience": streamfield([]),
            "reentry": "never",
            "reentry_days": "7",
            "message_class": "marketing",
            "priority": "lifecycle",
            "priority_number": "100",
            "entry_unit": "hour",
            "comments-TOTAL_FORMS": "0",
            "comments-INITIAL_FORMS": "0",
            **values,
        }
    )
    return {**data, "exits": exits}


def publish(client: Client, flow: Flow, *texts: str, **values: Any) -> Any:
    """Press the editor's button, and the one of the page that it leads to."""
    response = client.post(url("edit", flow.pk), form(*texts, **{"action-publish": "1", **values}))
    assert (response.status_code, response.url) == (302, url("publish", flow.pk))
    flow.refresh_from_db()
    return client.post(url("publish", flow.pk), {"revision": flow.latest_revision_id})


@pytest.fixture
def ines(store: Any) -> Client:
    """Ines, who runs Sierra Gear's flows."""
    return signed_in(person("Ines", (store, STORE_ADMIN)))


def test_a_draft_with_an_empty_text_is_saved(store: Any, ines: Client) -> None:
    flow = saved_flow(store)
    response = ines.post(url("edit", flow.pk), form(""))
    assert response.status_code == 302
    draft = flow.revisions.latest("pk").as_object()
    assert (draft.name, draft.steps[0].value["text"], draft.live) == ("Hello", "", False)


def test_a_draft_keeps_its_name(store: Any, ines: Client) -> None:
    flow = saved_flow(store)
    response = ines.post(url("edit", flow.pk), form("Hello", name=""))
    assert response.status_code == 200
    assert "name" in response.context["form"].errors
    assert flow.get_latest_revision_as_object().name == flow.name


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("target_clicks", "0", "greater than or equal to 0.01"),
        ("target_clicks", "101", "less than or equal to 100"),
        ("target_opt_outs", "-1", "greater than or equal to 0.01"),
        ("target_conversion", "1.234", "no more than 2 decimal places"),
        ("target_revenue", "0", "greater than or equal to 0.01"),
        ("target_revenue", "123456789", "no more than 8 digits before the decimal point"),
        ("target_revenue", "two", "Enter a number"),
        ("target_revenue", "NaN", "Enter a number"),
    ],
)
def test_the_form_says_what_is_wrong_with_a_target(store: Any, ines: Client, field: str, value: str, said: str) -> None:
    response = ines.post(url("edit", saved_flow(store).pk), form("Hello", **{field: value}))
    assert response.status_code == 200
    [problem] = response.context["form"].errors[field]
    assert said in problem


def test_targets_are_saved_with_the_draft_and_may_be_left_empty(store: Any, ines: Client) -> None:
    flow = saved_flow(store)
    response = ines.post(url("edit", flow.pk), form("Hello", target_clicks="12.5", target_revenue=""))
    assert response.status_code == 302
    draft = flow.revisions.latest("pk").as_object()
    assert (str(draft.target_clicks), draft.target_revenue, draft.target_opt_outs) == ("12.5", None, None)


def test_the_editor_s_button_saves_the_draft_and_asks_before_anything_goes_live(store: Any, ines: Client) -> None:
    flow = saved_flow(store)
    response = ines.post(url("edit", flow.pk), form("Hi there.", **{"action-publish": "1"}))
    assert (response.status_code, response.url) == (302, url("publish", flow.pk))
    flow.refresh_from_db()
    draft = flow.get_latest_revision_as_object()
    assert (flow.live, flow.current_version, draft.steps[0].value["text"]) == (False, None, "Hi there.")


def test_publishing_from_the_editor_makes_a_version(store: Any, ines: Client) -> None:
    flow = saved_flow(store)
    response = publish(ines, flow, "Hi there.", exits=("order_created",))
    assert response.status_code == 302
    flow.refresh_from_db()
    assert (flow.live, flow.current_version.number, flow.current_version.published_by) == (True, 1, "Ines")
    assert flow.current_version.compiled.exits == ("order_created",)


def test_an_empty_text_is_not_published_and_the_editor_says_so(store: Any, ines: Client) -> None:
    flow = saved_flow(store)
    response = ines.post(url("edit", flow.pk), form("", **{"action-publish": "1"}))
    assert response.status_code == 200
    assert "This field is required." in str(response.context["form"].errors.as_data()["steps"][0].as_json_data())
    assert not FlowVersion.objects.exists()


def test_an_error_in_the_copy_is_shown_at_its_own_field(store: Any, ines: Client) -> None:
    flow = saved_flow(store)
    response = ines.post(url("edit", flow.pk), form("Fine.", "Hi {{ contact.first_name }}.", **{"action-publish": "1"}))
    (error,) = response.context["form"].errors.as_data()["steps"]
    (message,) = error.as_json_data()["blockErrors"][1]["blockErrors"]["text"]["messages"]
    assert "“contact.first_name” may be missing" in message
    assert 0 not in error.as_json_data()["blockErrors"]
    assert not Flow.objects.get(pk=flow.pk).live


def test_a_flow_without_a_text_and_with_a_senseless_exit_gets_both_errors(store: Any, ines: Client) -> None:
    flow = saved_flow(store)
    response = ines.post(url("edit", flow.pk), form(exits=("opted_in",), **{"action-publish": "1"}))
    errors = response.context["form"].errors
    assert errors["exits"] == ["What starts the flow cannot end it as well."]
    assert "Add at least one step that does something, such as a text." in str(
        errors.as_data()["steps"][0].as_json_data()
    )


def test_other_ways_to_publish_end_with_a_message_and_not_with_an_error(store: Any, rf: Any) -> None:
    request = rf.post("/")
    request.session = {}
    request._messages = FallbackStorage(request)
    flow = saved_flow(store, steps=[send("")])
    response = refuse_what_cannot_compile(request, flow)
    assert response is not None and response.url == url("edit", flow.pk)
    assert "was not published. Step 1, Send a text: Write the text." in str(next(iter(request._messages)))
    assert refuse_what_cannot_compile(request, saved_flow(store)) is None


def test_a_flow_is_added_to_the_only_store_that_is_one_s_own(store: Any, danish_store: Any, ines: Client) -> None:
    ines.post(url("add"), form("Hi.", store=danish_store.pk))
    assert not Flow.objects.exists()
    response = ines.post(url("add"), form("Hi.", store=store.pk))
    flow = Flow.objects.get()
    assert (response.status_code, flow.store, flow.live) == (302, store, False)


def test_a_flow_never_moves_to_another_store(store: Any, danish_store: Any) -> None:
    flow = saved_flow(store)
    both = signed_in(person("Agnes", (store, STORE_ADMIN), (danish_store, STORE_ADMIN)))
    publish(both, flow, "Hi.", store=danish_store.pk)
    flow.refresh_from_db()
    assert (flow.store, flow.live) == (store, True)


def test_the_publish_button_is_there_for_who_may_publish(store: Any, ines: Client) -> None:
    flow = published_flow(store)
    writer = signed_in(person("Carl", (store, COPYWRITER)))
    pages = [client.get(url("edit", flow.pk)).content.decode() for client in (ines, writer)]
    assert ["action-publish" in page for page in pages] == [True, False]
    assert [url("unpublish", flow.pk) in page for page in pages] == [True, False]


def test_a_copywriter_who_posts_to_publish_only_saves_a_draft(store: Any) -> None:
    flow = saved_flow(store)
    writer = signed_in(person("Carl", (store, COPYWRITER)))
    writer.post(url("edit", flow.pk), form("Hi.", **{"action-publish": "1"}))
    flow.refresh_from_db()
    assert (flow.live, flow.current_version, flow.has_unpublished_changes) == (False, None, True)


def test_a_role_in_one_store_gives_nothing_in_another(store: Any, danish_store: Any) -> None:
    flow = published_flow(danish_store)
    mixed = signed_in(person("Mia", (store, STORE_ADMIN), (danish_store, COPYWRITER)))
    assert mixed.get(url("edit", flow.pk)).status_code == 200
    mixed.post(url("unpublish", flow.pk))
    mixed.post(url("delete", flow.pk))
    flow.refresh_from_db()
    assert flow.live


PAGES = (
    "edit", "history", "unpublish", "delete", "copy", "usage", "preview_on_edit", "lock", "workflow_history",
    "publish", "people", "let_in", "versions", "compare", "pause", "resume", "export",
)  # fmt: skip


@pytest.mark.parametrize("view", PAGES)
def test_a_stranger_does_not_learn_that_the_flow_exists(store: Any, danish_store: Any, view: str) -> None:
    flow = published_flow(store)
    stranger = signed_in(person("Stella", (danish_store, STORE_ADMIN)))
    for method in (stranger.get, stranger.post):
        response = method(url(view, flow.pk))
        assert (view, response.status_code) == (view, 404)
        assert b"Sierra" not in response.content


def test_a_flow_with_a_history_is_not_deleted(store: Any, ines: Client) -> None:
    used, unused = published_flow(store), saved_flow(store, "welcome")
    Enrollment.objects.create(store=store, flow=used, version=used.current_version, contact=make_contact(store))
    response = ines.post(url("delete", used.pk), follow=True)
    assert "has a history and cannot be deleted" in response.content.decode()
    ines.post(url("delete", unused.pk))
    assert list(Flow.objects.all()) == [used]


def test_deleting_many_touches_only_one_s_own(store: Any, danish_store: Any, ines: Client) -> None:
    mine, theirs = saved_flow(store, "welcome"), saved_flow(danish_store, "welcome", name="Velkommen til te")
    bulk = reverse("wagtail_bulk_action", args=("smsflow", "flow", "delete"))
    confirmation = ines.get(f"{bulk}?id={mine.pk}&id={theirs.pk}&next=/admin/").content.decode()
    assert "Velkommen til te" not in confirmation
    ines.post(f"{bulk}?id=all&next=/admin/")
    assert list(Flow.objects.all()) == [theirs]
    assert ines.get(f"{bulk}?id={theirs.pk}&next=/admin/").status_code == 404


def test_the_chooser_offers_only_one_s_own_flows(store: Any, danish_store: Any, ines: Client) -> None:
    mine, theirs = saved_flow(store, name="Mine"), saved_flow(danish_store, name="Theirs")
    page = ines.get(reverse("wagtailsnippetchoosers_smsflow_flow:choose")).content.decode()
    assert ("Mine" in page, "Theirs" in page) == (True, False)
    chosen = [ines.get(reverse("wagtailsnippetchoosers_smsflow_flow:chosen", args=[f.pk])) for f in (mine, theirs)]
    assert [response.status_code for response in chosen] == [200, 404]


def test_the_diagram_shows_both_ways_of_a_branch(store: Any, ines: Client) -> None:
    rules = [rule("orders_count", "ge", "1"), rule("country", "ne", "US")]
    steps = [if_else(rules, [send("Thinking of it still?")], [leave()]), send("Bye.")]
    page = ines.get(_preview(saved_flow(store, steps=steps), "diagram")).content.decode()
    for words in ("Number of orders is at least 1", "Country (two letters) is not US", "Thinking of it still?", "Bye."):
        assert words in page


def test_the_phone_shows_each_text_as_it_would_arrive(store: Any, still: Any, ines: Client) -> None:
    steps = [send('Hi {{ contact.first_name | default: "there" }}, your cart waits.')]
    page = ines.get(_preview(saved_flow(store, steps=steps), "phone")).content.decode()
    assert "Sierra Gear: Hi Ada, your cart waits." in page
    assert "Reply STOP to opt out." in page
    assert "1 part" in page


def test_the_phone_shows_markup_in_copy_as_plain_text(store: Any, ines: Client) -> None:
    flow = saved_flow(store, steps=[send("<script>alert(1)</script>"), send(""), send("{{ nope }}")])
    page = ines.get(_preview(flow, "phone")).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page
    assert "No text yet." in page


def test_a_half_filled_draft_can_be_previewed(store: Any, ines: Client) -> None:
    empty_rules = [rule("", "", ""), happened("", "", "", None), {"type": "any_of", "value": []}]
    steps = [
        wait(None, ""),
        {"type": "wait_until_time", "value": {"time": None, "weekdays": []}},
        {"type": "wait_for_event", "value": {"events": [], "amount": None, "unit": ""}},
        if_else(empty_rules, [], [leave()]),
        {"type": "gone", "value": {}},
    ]
    flow = saved_flow(store, name="", trigger="", steps=steps, audience=empty_rules)
    for mode in ("diagram", "phone"):
        assert ines.get(_preview(flow, mode)).status_code == 200


def _preview(flow: Flow, mode: str) -> str:
    return f"{url('revisions_view', flow.pk, flow.latest_revision_id)}?mode={mode}"


def test_a_copy_of_a_live_flow_is_a_new_draft_in_a_store_of_one_s_choice(store: Any, danish_store: Any) -> None:
    flow = published_flow(store)
    both = signed_in(person("Agnes", (store, STORE_ADMIN), (danish_store, STORE_ADMIN)))
    copying = both.get(url("copy", flow.pk)).context["form"]
    assert set(copying.fields["store"].queryset) == {store, danish_store}
    started_by = [trigger.value["kind"] for trigger in copying["triggers"].value()]
    assert (copying["name"].value(), started_by) == ("Abandoned cart (copy)", ["checkout_updated"])
    both.post(url("add"), form("Hi.", store=danish_store.pk))
    copy = Flow.objects.exclude(pk=flow.pk).get()
    assert (copy.store, copy.live, copy.current_version, copy.state) == (danish_store, False, None, Flow.State.DRAFT)


def test_posting_to_the_copy_of_a_flow_does_not_change_it(store: Any, ines: Client) -> None:
    flow = published_flow(store)
    ines.post(url("copy", flow.pk), form("Hi.", store=store.pk))
    assert Flow.objects.get(pk=flow.pk).name == "Abandoned cart"
    assert flow.revisions.count() == 1


def test_what_happened_to_a_flow_is_in_its_history(store: Any, ines: Client) -> None:
    flow = saved_flow(store)
    publish(ines, flow, "Hi.")
    page = ines.get(url("history", flow.pk)).content.decode()
    assert "Published" in page
    assert "Ines" in page


def test_who_may_only_look_cannot_change(store: Any) -> None:
    flow = saved_flow(store)
    viewer = signed_in(person("Vera", (store, ("view_store", "view_flow"))))
    assert viewer.get(url("list")).status_code == 200
    response = viewer.post(url("edit", flow.pk), form("Hi."))
    assert (response.status_code, response.url) == (302, "/admin/")
    assert flow.revisions.count() == 1


def test_the_owner_is_somebody_of_the_flow_s_store(store: Any, danish_store: Any, ines: Client) -> None:
    flow = saved_flow(store)
    carl, stella = person("Carl", (store, COPYWRITER)), person("Stella", (danish_store, STORE_ADMIN))
    offered = ines.get(url("edit", flow.pk)).context["form"].fields["owner"].queryset
    assert {user.username for user in offered} == {"Ines", "Carl"}
    ines.post(url("edit", flow.pk), form("Hi.", owner=stella.pk))
    assert flow.get_latest_revision_as_object().owner is None
    ines.post(url("edit", flow.pk), form("Hi.", owner=carl.pk))
    flow.refresh_from_db()
    assert flow.get_latest_revision_as_object().owner == carl


def test_the_owner_of_a_new_flow_works_in_the_store_that_is_chosen(store: Any, danish_store: Any) -> None:
    both = signed_in(person("Agnes", (store, STORE_ADMIN), (danish_store, STORE_ADMIN)))
    carl = person("Carl", (store, COPYWRITER))
    response = both.post(url("add"), form("Hi.", store=danish_store.pk, owner=carl.pk))
    assert "does not work in the store that you chose" in response.content.decode()
    both.post(url("add"), form("Hi.", store=store.pk, owner=carl.pk))
    assert Flow.objects.get().owner == carl
