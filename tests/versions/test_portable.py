"""Flows as files: out of one store and into another, with nothing of the first."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.portable import CannotImport, export_flow, import_flow, read_file
from smsflow_plugin.models import Flow, Segment, Store, StoreLogEntry
from tests.flows.people import COPYWRITER, STORE_ADMIN, person, saved_flow
from tests.flows.test_editor import signed_in, url
from tests.versions.flows import make_flow, text

pytestmark = pytest.mark.django_db

A = text("A")


def go_to(flow: Flow | None) -> dict[str, Any]:
    return {"type": "go_to", "value": {"flow": flow.pk if flow else None, "leave": True}, "id": "G"}


def in_segment(segment: Segment) -> dict[str, Any]:
    return {"type": "segment", "value": {"segment": segment.pk, "within": "yes"}, "id": "S"}


def file_of(flow: Flow) -> bytes:
    return json.dumps(export_flow(flow)).encode()


def into(store: Store, flow: Flow) -> Any:
    return import_flow(read_file(file_of(flow)), store)


@pytest.mark.parametrize("template", ["abandoned_cart", "welcome", "post_purchase"])
def test_a_flow_that_went_through_a_file_is_the_same(store: Any, template: str) -> None:
    flow = saved_flow(store, template)
    imported = into(store, flow)
    assert imported.problems == []
    again = imported.flow
    assert again.steps.get_prep_value() == flow.steps.get_prep_value()
    assert compile_flow(again).content_hash == compile_flow(flow).content_hash
    assert (again.pk, again.current_version_id, again.template) == (None, None, "")


def test_the_newest_draft_is_exported_and_not_what_runs(store: Any) -> None:
    flow = saved_flow(store)
    flow.name = "Newer"
    flow.save_revision(clean=False)
    assert export_flow(Flow.objects.get(pk=flow.pk))["flow"]["name"] == "Newer"


def test_what_a_flow_needs_is_named_and_found_again_by_name(store: Any, danish_store: Any) -> None:
    other = make_flow(store, A, name="Winback")
    segment = Segment.objects.create(store=store, name="VIPs")
    flow = make_flow(store, text("A", "Hi {% render 'hello' %}"), go_to(other), audience=[in_segment(segment)])
    data = export_flow(flow)
    assert data["needs"] == {"flows": ["Winback"], "segments": ["VIPs"], "snippets": ["hello"]}
    theirs = make_flow(danish_store, A, name="winback")
    their_segment = Segment.objects.create(store=danish_store, name="vips")
    imported = import_flow(json.loads(json.dumps(data)), danish_store)
    assert imported.problems == []
    assert imported.flow.steps.get_prep_value()[1]["value"]["flow"] == theirs.pk
    assert imported.flow.audience.get_prep_value()[0]["value"]["segment"] == their_segment.pk


def test_what_is_missing_is_told_with_its_place(store: Any, danish_store: Any) -> None:
    other = make_flow(store, A, name="Winback")
    imported = into(danish_store, make_flow(store, A, go_to(other)))
    (problem,) = imported.problems
    assert "steps › 2" in problem
    assert "This store has no flow “Winback”. Choose another." in problem
    assert imported.flow.steps.get_prep_value()[1]["value"]["flow"] is None


def test_a_number_in_a_file_never_leads_to_another_store(store: Any, danish_store: Any) -> None:
    other = make_flow(store, A)
    data = export_flow(make_flow(store, A, go_to(None)))
    for number in (other.pk, str(other.pk), [other.pk], {"pk": other.pk}):
        data["flow"]["steps"][1]["value"]["flow"] = number
        imported = import_flow(data, danish_store)
        assert imported.flow.steps.get_prep_value()[1]["value"]["flow"] is None
        assert len(imported.problems) == 1


def test_a_step_that_is_not_installed_is_kept_and_told(store: Any) -> None:
    data = export_flow(make_flow(store, A))
    strange = {"type": "fax", "value": {"number": "12"}, "id": "F"}
    data["flow"]["steps"].append(strange)
    imported = import_flow(data, store)
    assert "There is no “fax” here." in imported.problems[0]
    imported.flow.live = False
    imported.flow.save()
    imported.flow.save_revision(clean=False)
    assert export_flow(imported.flow)["flow"]["steps"][1] == strange


def test_what_does_not_fit_is_left_out_and_told_with_its_place(store: Any) -> None:
    data = export_flow(make_flow(store, A))
    data["flow"].update(reentry="sometimes", max_people=-3, exits="all", owner=1, store=7)
    data["flow"]["steps"][0]["value"].update(colour="red", translations="none")
    imported = import_flow(data, store)
    problems = "\n".join(imported.problems)
    for words in (
        "same person again:",
        "at most so many people in all:",
        "leave when:",
        "“owner”",
        "“store”",
        "“colour”",
    ):
        assert words in problems
    assert (imported.flow.reentry, imported.flow.max_people, imported.flow.exits) == ("never", None, [])
    assert imported.flow.store == store
    assert imported.flow.owner is None


@pytest.mark.parametrize("name", [None, "", "  ", 7, {"a": 1}, "n" * 400])
def test_a_flow_whose_name_does_not_fit_gets_one_by_which_it_can_be_opened(store: Any, name: Any) -> None:
    data = export_flow(make_flow(store, A))
    data["flow"]["name"] = name
    imported = import_flow(data, store)
    assert imported.flow.name == "Imported flow"
    assert bool(imported.problems) == (not isinstance(name, str) or len(name) > 120)


def test_nothing_is_smuggled_in_as_a_step_that_is_not_installed(store: Any, danish_store: Any) -> None:
    data = export_flow(make_flow(store, A))
    packed = json.dumps({"type": "go_to", "value": {"flow": make_flow(store, A).pk, "leave": True}})
    data["flow"]["steps"].append({"type": "retired", "value": packed, "id": "R"})
    data["flow"]["steps"].append({"type": "fax", "value": [go_to(Flow.objects.first())], "id": "F"})
    imported = import_flow(data, danish_store)
    imported.flow.save()
    assert [step["type"] for step in export_flow(imported.flow)["flow"]["steps"]] == ["send", "fax"]
    assert '"flow": null' in json.dumps(export_flow(imported.flow)["flow"]["steps"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe", "it is not JSON"),
        (b"[]", "not the file of a flow"),
        (b'{"kind": "smsflow.flow", "schema": 1, "flow": []}', "not the file of a flow"),
        (b'{"kind": "smsflow.flow", "schema": 99, "flow": {}}', "another version"),
        (b'{"kind": "smsflow.flow", "schema": 1, "flow": {"steps": ' + b"[" * 200 + b"]" * 200 + b"}}", "too deep"),
        (b" " * 1_000_001, "too large"),
    ],
)
def test_what_is_no_flow_is_refused_with_a_reason(content: bytes, words: str) -> None:
    with pytest.raises(CannotImport, match=words):
        read_file(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**12) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "value", "id", "text", "flow", "steps", "ways"]), inner, max_size=3)
    ),
    max_leaves=12,
)
STEPS = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["send", "wait", "if_else", "switch", "go_to", "ask_choice", "x", "retired"]),
            "value": JSON,
        }
    ),
    max_size=3,
)


class AnyFile(TestCase):
    @settings(max_examples=60, deadline=None)
    @given(steps=STEPS | JSON, audience=JSON, reentry=JSON)
    def test_whatever_stands_in_a_file_ends_as_a_draft_or_a_problem(
        self, steps: Any, audience: Any, reentry: Any
    ) -> None:
        store, _new = Store.objects.get_or_create(name="Any", brand="Any", sender="+12025550100")
        data = {"flow": {"name": "Any", "steps": steps, "audience": audience, "reentry": reentry}}
        flow = import_flow(data, store).flow
        flow.live = False
        flow.save()
        flow.save_revision(clean=False)
        kept = Flow.objects.get(pk=flow.pk).get_latest_revision_as_object()
        assert kept.steps.get_prep_value() == flow.steps.get_prep_value()


# Pages -----------------------------------------------------------------------------------------


def upload(client: Client, store: Store, content: bytes) -> Any:
    file = SimpleUploadedFile("flow.json", content, content_type="application/json")
    return client.post(url("import"), {"file": file, "store": store.pk})


def test_a_file_is_saved_and_read_in_again(store: Any) -> None:
    ines = signed_in(person("Ines", (store, STORE_ADMIN)))
    flow = saved_flow(store)
    response = ines.get(url("export", flow.pk))
    assert response["Content-Disposition"] == 'attachment; filename="abandoned-cart.json"'
    done = upload(ines, store, response.content)
    new = Flow.objects.exclude(pk=flow.pk).get()
    assert done.url == url("edit", new.pk)
    assert (new.live, new.name, new.store, new.latest_revision.user.username) == (
        False,
        "Abandoned cart",
        store,
        "Ines",
    )
    logged = set(StoreLogEntry.objects.values_list("action", "object_id"))
    assert logged >= {("smsflow.export", str(flow.pk)), ("smsflow.import", str(new.pk))}


def test_problems_are_told_after_the_import(store: Any) -> None:
    ines = signed_in(person("Ines", (store, STORE_ADMIN)))
    data = export_flow(saved_flow(store))
    data["flow"]["steps"].append({"type": "<b>fax</b>", "value": {}})
    response = upload(ines, store, json.dumps(data).encode())
    page = ines.get(response.url).content.decode()
    assert "Not everything in the file fits here:" in page
    assert "&lt;b&gt;fax&lt;/b&gt;" in page
    assert "<b>fax" not in page


def test_a_bad_file_makes_nothing(store: Any) -> None:
    ines = signed_in(person("Ines", (store, STORE_ADMIN)))
    assert "it is not JSON" in upload(ines, store, b"hello").content.decode()
    assert not Flow.objects.exists()


def test_a_flow_is_imported_only_where_one_may_add_flows(store: Any, danish_store: Any) -> None:
    ines = signed_in(person("Ines", (store, STORE_ADMIN), (danish_store, COPYWRITER)))
    content = file_of(saved_flow(store))
    assert upload(ines, danish_store, content).status_code == 200
    assert not Flow.objects.filter(store=danish_store).exists()
    assert "Nordic Tea" not in ines.get(url("import")).content.decode()
    writer = signed_in(person("Carl", (store, COPYWRITER)))
    assert writer.get(url("import")).status_code == 302
    stranger = signed_in(person("Stella", (danish_store, STORE_ADMIN)))
    assert stranger.get(url("export", Flow.objects.get().pk)).status_code == 404


def test_a_copy_into_another_store_takes_no_reference_along(store: Any, danish_store: Any) -> None:
    from smsflow_plugin.flows.portable import detach

    other = make_flow(store, A)
    flow = make_flow(store, A, go_to(other))
    stays = detach(Flow(store=store, steps=flow.steps), store.pk)
    leaves = detach(Flow(store=store, steps=flow.steps), danish_store.pk)
    assert stays.steps.get_prep_value()[1]["value"]["flow"] == other.pk
    assert leaves.steps.get_prep_value()[1]["value"]["flow"] is None


def test_targets_go_along(store: Any, danish_store: Any) -> None:
    flow = make_flow(store, A, target_clicks="12.50", target_opt_outs="0.5", target_conversion=None)
    imported = into(danish_store, flow)
    assert imported.problems == []
    assert (str(imported.flow.target_clicks), str(imported.flow.target_opt_outs)) == ("12.50", "0.5")
    assert (imported.flow.target_conversion, imported.flow.target_revenue) == (None, None)


def test_a_target_in_money_stays_behind_where_the_money_is_another(store: Any, danish_store: Any) -> None:
    flow = make_flow(store, A, target_revenue="2.50")
    assert export_flow(flow)["needs"]["currency"] == "USD"
    assert str(into(store, flow).flow.target_revenue) == "2.50"
    imported = into(danish_store, flow)
    assert imported.flow.target_revenue is None
    [problem] = imported.problems
    assert "another currency (USD)" in problem


@pytest.mark.parametrize("value", ["", "many", "-1", 0, 101, "NaN", [5], {"a": 1}, True, "1e9999", 12.345])
@pytest.mark.parametrize("field", ["target_clicks", "cap_day"])
def test_a_number_that_does_not_fit_is_told_and_left_out(store: Any, field: str, value: Any) -> None:
    data = export_flow(make_flow(store, A))
    data["flow"][field] = value
    imported = import_flow(json.loads(json.dumps(data)), store)
    imported.flow.save()
    kept = Flow.objects.get(pk=imported.flow.pk)
    assert len(imported.problems) == 1 or getattr(kept, field) is not None
