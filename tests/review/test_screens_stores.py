"""What the screens would tell of people and of other stores to somebody who tries."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.test.utils.form_data import nested_form_data, streamfield

from smsflow_plugin.flows.portable import CannotImport, export_flow, import_flow, read_file
from smsflow_plugin.models import Flow, Segment
from tests.admin.people import client_of, make_user
from tests.factories import make_contact
from tests.flows.people import rule, saved_flow
from tests.flows.test_editor import form, url
from tests.versions.flows import make_flow, publish, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def both(store: Any, danish_store: Any) -> Client:
    """An agency that works for two stores."""
    return client_of(make_user("Agneta", "Agency", store, danish_store))


@pytest.fixture
def local(danish_store: Any) -> Client:
    """Somebody who works in the Danish store only."""
    return client_of(make_user("Dorte", "Store admin", danish_store))


def count(client: Client, store: Any, *rules: Any) -> Any:
    data = nested_form_data({"store": store.pk, "rules": streamfield(rules)})
    return client.post(reverse("smsflow_segments:count", args=["segment"]), data)


@pytest.mark.parametrize(("role", "told"), [("Copywriter", False), ("Support", True), ("Agency", True)])
def test_nobody_asks_about_people_whom_they_may_not_see(store: Any, role: str, told: bool) -> None:
    """With rules of one's own choice, a count of one tells anything about anybody."""
    make_contact(store, email="ada@example.com")
    asked = ("compare", {"field": "email", "custom": "", "operator": "eq", "value": "ada@example.com"})
    assert (count(client_of(make_user("Somebody", role, store)), store, asked).status_code == 200) is told


def steps_to(flow: Flow) -> Any:
    return streamfield([("go_to", {"flow": flow.pk, "leave": "on"})])


def audience_of(segment: Segment) -> Any:
    return streamfield([("segment", {"segment": segment.pk, "within": "yes"})])


def test_a_copy_in_another_store_names_nothing_of_the_first(
    store: Any, danish_store: Any, both: Client, local: Client
) -> None:
    secret = make_flow(store, name="Secret launch")
    segment = Segment.objects.create(store=store, name="Secret people", rules=[rule()])
    source = make_flow(store, text("A"), name="Source")
    data = form(store=danish_store.pk, steps=steps_to(secret), audience=audience_of(segment))
    assert both.post(url("copy", source.pk), data).status_code == 302
    copy = Flow.objects.get(store=danish_store)
    page = local.get(url("edit", copy.pk)).content.decode()
    assert "Secret launch" not in page
    assert "Secret people" not in page


def test_an_edited_flow_names_nothing_of_another_store(
    store: Any, danish_store: Any, both: Client, local: Client
) -> None:
    secret = make_flow(store, name="Secret launch")
    segment = Segment.objects.create(store=store, name="Secret people", rules=[rule()])
    flow = make_flow(danish_store, text("A"))
    both.post(url("edit", flow.pk), form(steps=steps_to(secret), audience=audience_of(segment)))
    page = local.get(url("edit", flow.pk)).content.decode()
    assert "Secret launch" not in page
    assert "Secret people" not in page
    own = make_flow(danish_store, name="Own flow")
    both.post(url("edit", flow.pk), form(steps=steps_to(own)))
    flow.refresh_from_db()
    assert flow.get_latest_revision_as_object().steps[0].value["flow"] == own


def test_a_segment_names_no_flow_of_another_store(store: Any, danish_store: Any, both: Client, local: Client) -> None:
    secret = make_flow(store, name="Secret launch")
    rules = streamfield([("in_flow", {"flow": secret.pk, "within": "yes"})])
    data = nested_form_data({"name": "VIP", "description": "", "store": danish_store.pk, "rules": rules})
    page = both.post(reverse("smsflow_segments:add"), data)
    assert page.status_code == 200
    assert not Segment.objects.exists()


def test_a_preview_of_another_stores_flow_cannot_be_had_by_its_number(store: Any, local: Client) -> None:
    secret = make_flow(store, text("A", "Secret words."), name="Secret launch")
    for name in ("preview_on_edit", "words_preview"):
        assert local.post(url(name, secret.pk), form("x")).status_code == 404
        assert local.get(f"{url(name, secret.pk)}?mode=phone").status_code == 404
    assert local.post(reverse("smsflow_flow_tools:walk", args=[secret.pk]), {"do": "reset"}).status_code == 404


@pytest.mark.parametrize("number", ["²", "9" * 40, "-1", "0", "1; drop", "٣"])
def test_numbers_that_are_none_are_told_as_nothing(store: Any, both: Client, number: str) -> None:
    flow = publish(make_flow(store, text("A")))
    tools = reverse("smsflow_copy:look")
    asked = [
        both.post(reverse("smsflow_segments:count", args=["segment"]), {"audience-pk": number, "rules-count": "0"}),
        both.post(reverse("smsflow_segments:count", args=["segment"]), {"store": number, "rules-count": "0"}),
        both.post(tools, {"flow": number, "copy": "x"}),
        both.post(tools, {"store": number, "copy": "x"}),
        both.get(url("compare", flow.pk), {"old": number}),
        both.get(url("compare", flow.pk), {"new": number}),
        both.get(url("people", flow.pk), {"at": f"{number}-{number}", "p": number}),
        both.get(url("versions", flow.pk), {"p": number}),
        both.get(reverse("smsflow_test_send:send", args=[flow.pk]), {"copy": number}),
        both.post(url("copy", flow.pk), {**form("x"), "store": number}),
        both.post(url("add"), {**form("x"), "store": number}),
        both.get(url("list"), {"store": number, "owner": number, "state": number}),
        both.get(reverse("smsflow_segments:index"), {"store": number}),
        both.post(reverse("smsflow_flow_tools:walk", args=[flow.pk]), {"do": "trigger", "trigger": number}),
        both.post(reverse("smsflow_flow_tools:walk", args=[flow.pk]), {"do": "who", "who": f"contact:{number}"}),
        both.post(
            reverse("smsflow_flow_tools:walk", args=[flow.pk]), {"do": "wait", "amount": number, "unit": "hours"}
        ),
    ]
    assert {response.status_code for response in asked} <= {200, 302, 400, 404}
    both.post(url("preview_on_edit", flow.pk), form("Hello"))
    assert both.get(f"{url('preview_on_edit', flow.pk)}?mode=phone").status_code == 200


def test_a_form_that_was_refused_does_not_read_all_people(store: Any, both: Client) -> None:
    flow = publish(make_flow(store, text("A")))
    for _number in range(30):
        make_contact(store, first_name="Manifold")
    for address in (url("let_in", flow.pk), reverse("smsflow_flow_tools:test", args=[flow.pk])):
        with CaptureQueriesContext(connection) as caught:
            page = both.post(address, {"who": "people"})
        assert page.status_code == 200
        assert "Manifold" not in page.content.decode()
        everybody = [
            query["sql"]
            for query in caught
            if query["sql"].startswith('SELECT "smsflow_contact"') and "LIMIT" not in query["sql"]
        ]
        assert everybody == []


@pytest.mark.parametrize(
    "text_of_file",
    [
        r'{"kind": "smsflow.flow", "schema": 1, "flow": {"name": "a\u0000b"}}',
        r'{"kind": "smsflow.flow", "schema": 1, "flow": {"name": "a\ud800b"}}',
        r'{"kind": "smsflow.flow", "schema": 1, "flow": {"name": "a", "steps": [{"type": "x", "value": "\u0000"}]}}',
        r'{"kind": "smsflow.flow", "schema": 1, "flow": {"name": "a", "steps": [{"type": "x", "value": NaN}]}}',
        r'{"kind": "smsflow.flow", "schema": 1, "flow": {"name": "a", "steps": [{"type": "x", "value": 1e999}]}}',
        r'{"kind": "smsflow.flow", "schema": 1, "flow": {"name": "a", "max_people": 99999999999999999999}}',
        r'{"kind": "smsflow.flow", "schema": 1, "flow": {"name": null, "steps": null, "exits": {"a": 1}}}',
        r'{"kind": "smsflow.flow", "schema": 1, "flow": {"name": ["a"], "triggers": 7, "restart": "?"}}',
        r'{"kind": "smsflow.flow", "schema": 1, "flow": {}}',
        r'{"kind": "smsflow.flow", "schema": 1, "flow": {"goal": "no_such", "reentry": 3, "reentry_days": -1}}',
    ],
)
def test_a_file_that_no_database_can_hold_is_refused_or_read_without_it(
    store: Any, both: Client, text_of_file: str
) -> None:
    file = SimpleUploadedFile("flow.json", text_of_file.encode(), "application/json")
    response = both.post(url("import"), {"file": file, "store": store.pk})
    assert response.status_code in (200, 302)
    for flow in Flow.objects.all():
        assert both.get(url("edit", flow.pk)).status_code == 200
        assert both.get(url("list")).status_code == 200
        assert "\x00" not in json.dumps(flow.name)


def test_what_cannot_be_kept_is_refused_with_a_sentence() -> None:
    for bad in (r'"\u0000"', r'"\ud800"', "NaN", "1e999"):
        file = f'{{"kind": "smsflow.flow", "schema": 1, "flow": {{"name": {bad}}}}}'
        with pytest.raises(CannotImport):
            read_file(file.encode())


def test_a_file_of_an_older_release_is_read(store: Any) -> None:
    """Without the fields that came since, and with a step that is not there any more."""
    exported = export_flow(saved_flow(store))
    for name in ("triggers", "owner", "goal_leaves", "entry_unit", "leave_unmatched"):
        exported["flow"].pop(name, None)
    exported["flow"]["trigger"] = "cart_updated"
    exported["flow"]["steps"].append({"type": "carrier_pigeon", "value": {"to": 7}, "id": "old"})
    imported = import_flow(read_file(json.dumps(exported).encode()), store)
    imported.flow.save()
    steps = Flow.objects.get(pk=imported.flow.pk).steps
    assert steps.stream_block.get_prep_value(steps)[-1]["type"] == "carrier_pigeon"
    assert len(imported.problems) == 2


def test_numbers_in_a_file_choose_nothing(store: Any, danish_store: Any) -> None:
    """Not of another store, and not by chance of this one."""
    theirs, own = make_flow(danish_store, name="Theirs"), make_flow(store, name="Own")
    deep = [{"type": "in_flow", "value": {"flow": theirs.pk, "within": "yes"}, "id": "D"}]
    step = {"type": "if_else", "value": {"condition": deep, "yes": [], "no": []}, "id": "I"}
    for pk in (theirs.pk, str(theirs.pk), own.pk, True, "Theirs"):
        go = {"type": "go_to", "value": {"flow": pk, "leave": True}, "id": "G"}
        unknown = {"type": "pigeon", "value": [go, step], "id": "P"}
        data = {"kind": "smsflow.flow", "schema": 1, "flow": {"name": "x", "steps": [go, step, unknown]}}
        flow = import_flow(read_file(json.dumps(data).encode()), store).flow
        kept = json.dumps(flow.steps.get_prep_value())
        assert f'"flow": {theirs.pk}' not in kept
        assert f'"flow": {own.pk}' not in kept


def test_flows_are_filtered_by_their_owner(store: Any, danish_store: Any, local: Client) -> None:
    mine, stranger = make_user("Mine", "Agency", danish_store), make_user("Stranger", "Agency", store)
    make_flow(danish_store, name="Owned flow", owner=mine)
    make_flow(danish_store, name="Nobodys flow")
    make_flow(store, name="Foreign flow", owner=stranger)
    page = local.get(url("list")).content.decode()
    assert "Stranger" not in page
    shown = local.get(url("list"), {"owner": mine.pk}).context["object_list"]
    assert [str(flow) for flow in shown] == ["Owned flow"]
    page = local.get(url("list"), {"owner": stranger.pk}).content.decode()
    assert "Foreign flow" not in page
    assert "Stranger" not in page
