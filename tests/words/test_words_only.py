"""Who may change words only changes words, whatever they post."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from smsflow_plugin.models import Flow, FlowVersion
from smsflow_plugin.stores.roles import ensure_roles
from tests.factories import make_store
from tests.words.people import STEPS, as_role, make_flow, raw, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def flow(store: Any) -> Flow:
    return make_flow(store)


def posted(**changes: str) -> dict[str, str]:
    return {f"words-{key}": text for key, text in changes.items()}


def test_the_right_exists_and_the_role_has_it_and_no_other_over_flows() -> None:
    role = ensure_roles()["Copywriter"]
    assert Permission.objects.get(codename="reword_flow").content_type.model == "flow"
    codenames = set(role.permissions.values_list("codename", flat=True))
    assert {name for name in codenames if name.endswith("_flow")} == {"view_flow", "reword_flow"}


def test_the_list_and_every_link_to_the_editor_lead_to_the_words(flow: Flow) -> None:
    client = as_role("Copywriter", flow.store)
    assert url("words", flow.pk) in client.get(url("list")).content.decode()
    response = client.get(url("edit", flow.pk))
    assert (response.status_code, response["Location"]) == (302, url("words", flow.pk))


def test_the_page_shows_every_text_and_none_of_the_structure(flow: Flow) -> None:
    page = as_role("Copywriter", flow.store).get(url("words", flow.pk))
    assert page.status_code == 200
    html = page.content.decode()
    assert "words-a-1/options/o-1/reply/text" in html and "Step 3 › answer › A, yes › 1" in html
    assert "Staff only." not in html
    assert all(name.startswith("words-") for name in page.context["form"].fields)


def test_new_words_become_a_draft_and_nothing_is_published(flow: Flow) -> None:
    flow.latest_revision.publish()
    client = as_role("Copywriter", flow.store)
    data = posted(**{"s-1/text": "Hello, 20% off.", "a-1/options/o-1/reply/text": "Great."})
    response = client.post(url("words", flow.pk), {**data, "action-publish": "1"})
    assert (response.status_code, response["Location"]) == (302, url("words", flow.pk))
    expected = copy.deepcopy(STEPS)
    expected[0]["value"]["text"] = "Hello, 20% off."  # type: ignore[index]
    expected[2]["value"]["options"][0]["value"]["reply"]["text"] = "Great."  # type: ignore[index]
    assert raw(flow) == expected
    flow.refresh_from_db()
    assert flow.has_unpublished_changes and FlowVersion.objects.filter(flow=flow).count() == 1
    assert flow.steps.get_prep_value()[0]["value"]["text"] == STEPS[0]["value"]["text"]  # type: ignore[index]


def test_a_crafted_post_changes_nothing_but_words(flow: Flow) -> None:
    other = make_flow(flow.store, [{**STEPS[0], "id": "other"}], name="Other")
    client = as_role("Copywriter", flow.store)
    before, others = raw(flow), raw(other)
    client.post(
        url("words", flow.pk),
        {
            **posted(
                **{"s-2/text": "New words.", "other/text": "Hijacked", "n-1/body": "Hijacked", "w-1/amount": "99"}
            ),
            "name": "Renamed",
            "store": str(make_store(name="Another", domain="another.myshopify.com").pk),
            "message_class": "service",
            "audience-count": "0",
            "triggers-count": "1",
            "triggers-0-type": "manual",
            "triggers-0-order": "0",
            "triggers-0-deleted": "",
            "steps-count": "0",
            "exits": "order_created",
            "go_live_at": "2030-01-01 10:00",
            "live": "on",
            "action-publish": "1",
            "action-unpublish": "1",
        },
    )
    after = raw(flow)
    expected = copy.deepcopy(before)
    expected[2]["value"]["options"][0]["value"]["steps"][0]["value"]["text"] = "New words."
    assert after == expected
    assert raw(other) == others
    draft = flow.get_latest_revision_as_object()
    assert (draft.name, draft.store_id, draft.message_class, draft.exits) == ("Welcome", flow.store_id, "marketing", [])
    assert [child.block_type for child in draft.triggers] == ["event"]
    assert not draft.live and draft.go_live_at is None and not FlowVersion.objects.exists()


@pytest.mark.parametrize(
    ("view", "method"),
    [("add", "get"), ("copy", "get"), ("delete", "post"), ("unpublish", "post"), ("lock", "post"), ("edit", "post")],
)
def test_no_other_way_to_change_a_flow_is_open(flow: Flow, view: str, method: str) -> None:
    client = as_role("Copywriter", flow.store)
    before = raw(flow)
    address = url(view) if view == "add" else url(view, flow.pk)
    response = getattr(client, method)(address, {"name": "Renamed", "steps-count": "0"})
    assert response.status_code in (302, 404)
    flow.refresh_from_db()
    assert flow.name == "Welcome" and not flow.locked and raw(flow) == before


def test_history_preview_and_older_drafts_are_open(flow: Flow) -> None:
    client = as_role("Copywriter", flow.store)
    client.post(url("words", flow.pk), posted(**{"s-1/text": "Hello, 20% off."}))
    assert client.get(url("history", flow.pk)).status_code == 200
    assert client.get(url("revisions_compare", flow.pk, "earliest", "latest")).status_code == 200
    preview = url("words_preview", flow.pk)
    assert client.post(preview, posted(**{"s-1/text": "Unsaved words."})).json() == {
        "is_valid": True,
        "is_available": True,
    }
    assert "Unsaved words." in client.get(preview, {"mode": "diagram"}).content.decode()


def test_words_that_cannot_be_a_text_are_kept_as_a_draft_but_not_published(flow: Flow) -> None:
    client = as_role("Store admin", flow.store)
    client.post(url("words", flow.pk), posted(**{"s-1/text": "Hi {{ cart.nothing }"}))
    assert raw(flow)[0]["value"]["text"] == "Hi {{ cart.nothing }"
    response = client.post(
        url("words", flow.pk), {**posted(**{"s-1/text": "Hi {{ cart.nothing }"}), "action-publish": "1"}
    )
    assert "This is not closed." in response.content.decode()
    assert not FlowVersion.objects.exists()


def test_an_admin_goes_on_from_the_words_to_publishing_and_may_open_the_whole_flow(flow: Flow) -> None:
    client = as_role("Store admin", flow.store)
    assert url("edit", flow.pk) in client.get(url("words", flow.pk)).content.decode()
    response = client.post(url("words", flow.pk), {**posted(**{"s-1/text": "Hello, 20% off."}), "action-publish": "1"})
    assert response["Location"] == url("publish", flow.pk)
    assert raw(flow)[0]["value"]["text"] == "Hello, 20% off."


def test_saving_without_a_change_keeps_every_byte(flow: Flow) -> None:
    lines = copy.deepcopy(STEPS)
    lines[0]["value"]["text"] = "One, 5%.\nTwo."  # type: ignore[index]
    flow = make_flow(flow.store, lines, name="Lines")
    client = as_role("Copywriter", flow.store)
    client.post(url("words", flow.pk), posted(**{"s-1/text": "One, 5%.\r\nTwo."}))
    assert raw(flow) == lines


def test_a_flow_of_another_store_is_not_there(flow: Flow, danish_store: Any) -> None:
    client = as_role("Copywriter", danish_store)
    assert client.get(url("words", flow.pk)).status_code == 404
    assert client.post(url("words", flow.pk), posted(**{"s-1/text": "x"})).status_code == 404
    assert client.post(url("words_preview", flow.pk)).status_code == 404


def test_support_does_not_reword(flow: Flow) -> None:
    client = as_role("Support", flow.store)
    assert client.get(url("words", flow.pk)).status_code == 302
    before = raw(flow)
    client.post(url("words", flow.pk), posted(**{"s-1/text": "x"}))
    assert raw(flow) == before
