"""Half-filled, mutilated and strange input: an answer of the page, never an error of the server."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from wagtail import blocks

from smsflow_plugin.admin_panels.flows.copy_hints import flow_hints
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.library import TEMPLATES, build
from smsflow_plugin.flows.portable import export_flow
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.models import Flow, Segment
from tests.admin.people import client_of, make_user
from tests.factories import make_contact
from tests.flows.people import rule
from tests.flows.test_editor import form, url
from tests.versions.flows import enter, make_flow, pause, publish, text

pytestmark = pytest.mark.django_db

STRANGE = [
    "", " ", "\x00", "²", "9" * 40, "-1", "0", "0.5", "<script>", "{{", "{{ a", "{% if %}", "{% render 'x' %}",
    "{% for i in (1..999999999) %}x{% endfor %}", "NaN", "Infinity", "1e999", "2026-13-45", "25:61", "[]", "None",
    "null", "on", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16") * 40, "a" * 5000, "+4520000000",
    "https://[", "javascript:alert(1)", ",,,", "true", "\r\n", "٣",
]  # fmt: skip

#: Where Wagtail itself cannot cope with what no browser sends.
WAGTAILS_OWN = ("-count", "-order", "-FORMS", "-type", "-deleted")


@pytest.fixture
def ada(store: Any) -> Client:
    return client_of(make_user("Ada", "Store admin", store))


def posted(block: Any, value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield what a browser posts for a block's raw value."""
    if isinstance(block, blocks.StreamBlock):
        yield f"{name}-count", str(len(value or ()))
        for number, item in enumerate(value or ()):
            here = f"{name}-{number}"
            yield from _item(here, number, item)
            yield f"{here}-type", item["type"]
            yield from posted(block.child_blocks[item["type"]], item["value"], f"{here}-value")
    elif isinstance(block, blocks.ListBlock):
        yield f"{name}-count", str(len(value or ()))
        for number, item in enumerate(value or ()):
            here = f"{name}-{number}"
            yield from _item(here, number, item)
            yield from posted(block.child_block, item["value"], f"{here}-value")
    elif isinstance(block, blocks.StructBlock):
        for key, child in block.child_blocks.items():
            yield from posted(child, (value or {}).get(key), f"{name}-{key}")
    elif value is True:
        yield name, "on"
    elif value is not False:
        yield name, "" if value is None else value


def _item(here: str, number: int, item: Any) -> Iterator[tuple[str, Any]]:
    yield f"{here}-deleted", ""
    yield f"{here}-order", str(number)
    yield f"{here}-id", item.get("id") or ""


def form_of(flow: Flow) -> dict[str, Any]:
    """What a browser posts for the whole flow as it is."""
    data = {k: v for k, v in form().items() if not k.startswith(("triggers", "steps", "audience"))}
    for name in ("triggers", "audience", "steps"):
        block = Flow._meta.get_field(name).stream_block
        data |= dict(posted(block, block.get_prep_value(getattr(flow, name)), name))
    return data


def everything() -> list[Any]:
    """One step of each type, with nothing filled in."""
    block = Flow._meta.get_field("steps").stream_block
    return [
        {"type": name, "value": child.get_prep_value(child.get_default()), "id": f"step-{name}"}
        for name, child in block.child_blocks.items()
    ]


def every_rule(name: str) -> list[Any]:
    block = Flow._meta.get_field(name).stream_block
    return [
        {"type": kind, "value": child.get_prep_value(child.get_default()), "id": f"rule-{kind}"}
        for kind, child in block.child_blocks.items()
    ]


def mutilated(data: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    changed = copy.copy(data)
    names = [name for name in data if not name.endswith(WAGTAILS_OWN)]
    for name in chance.sample(names, min(len(names), chance.randint(1, 12))):
        if chance.random() < 0.2:
            del changed[name]
        else:
            changed[name] = chance.choice(STRANGE)
    return changed


def try_all(client: Client, flow: Flow, data: dict[str, Any]) -> None:
    edit = url("edit", flow.pk)
    answers = [client.post(edit, data), client.post(edit, {**data, "action-publish": "1"}), client.get(edit)]
    preview = url("preview_on_edit", flow.pk)
    answers.append(client.post(preview, data))
    answers += [client.get(f"{preview}?mode={mode}") for mode in ("phone", "diagram")]
    answers += [client.get(url(page, flow.pk)) for page in ("publish", "words", "versions", "export")]
    assert {answer.status_code for answer in answers} <= {200, 302, 404}


def test_a_flow_of_every_step_with_nothing_filled_in_has_all_its_pages(store: Any, ada: Client) -> None:
    flow = make_flow(store, *everything(), triggers=every_rule("triggers"), audience=every_rule("audience"))
    try_all(ada, flow, form_of(flow))
    for page in (
        reverse("smsflow_flow_tools:diagram", args=[flow.pk]),
        reverse("smsflow_test_send:send", args=[flow.pk]),
    ):
        assert ada.get(page).status_code == 200
    with pytest.raises(CannotCompile):
        compile_flow(flow)


@pytest.mark.parametrize("seed", range(2))
def test_no_form_of_a_flow_brings_the_server_down(store: Any, ada: Client, seed: int) -> None:
    chance = random.Random(seed)
    flow = make_flow(store, *everything(), triggers=every_rule("triggers"), audience=every_rule("audience"))
    whole = form_of(flow)
    for _variant in range(1):
        try_all(ada, flow, mutilated(whole, chance))


@pytest.mark.parametrize("seed", range(2))
def test_no_form_of_a_template_brings_the_server_down(store: Any, ada: Client, seed: int) -> None:
    chance = random.Random(seed)
    for key in chance.sample(sorted(TEMPLATES), 2):
        flow = build(TEMPLATES[key], store)
        flow.save()
        flow.save_revision(clean=False)
        try_all(ada, flow, mutilated(form_of(flow), chance))


@pytest.mark.parametrize("value", ["", "\x00", "²", "9" * 40, "{{ a", "1e999", "https://[", "a" * 5000], ids=range(8))
def test_no_other_form_brings_the_server_down(store: Any, ada: Client, value: str) -> None:
    flow = publish(make_flow(store, text("A"), pause("W"), text("B")))
    run = enter(flow)
    draft = flow.get_latest_revision_as_object()
    draft.steps = [text("C")]
    draft.save_revision(clean=False)
    flow.refresh_from_db()
    segment = Segment.objects.create(store=store, name="VIP", rules=[rule()])
    make_contact(store)
    words = dict.fromkeys(("words-A.text", "words-C.text", "words-C", "action-submit"), value)
    rules = dict(posted(Segment._meta.get_field("rules").stream_block, every_rule("audience"), "rules"))
    strange = {name: value for name in rules if not name.endswith(WAGTAILS_OWN)}
    # a number that SQLite cannot hold is beyond Django's own fields for several choices
    several = "" if len(value) == 40 and value.isdecimal() else value
    people = {"who": value, "found": several, "numbers": value, "segment": value}
    answers = [
        ada.post(url("publish", flow.pk), {"revision": value, "who": value, f"others-{run.version_id}": value}),
        ada.post(url("let_in", flow.pk), people),
        ada.post(url("let_in", flow.pk), {**people, "who": "people"}),
        ada.post(url("let_in", flow.pk), {**people, "who": "segment"}),
        ada.get(url("people", flow.pk), {"at": value, "p": value}),
        ada.get(url("versions", flow.pk), {"p": value}),
        ada.get(url("list"), {"q": value, "p": value, "owner": value, "trigger": value}),
        ada.post(url("import"), {"store": value, "file": value}),
        ada.post(url("words", flow.pk), words),
        ada.post(reverse("smsflow_segments:add"), {"name": value, "store": store.pk, **rules, **strange}),
        ada.post(reverse("smsflow_segments:edit", args=[segment.pk]), {"name": value, **rules, **strange}),
        ada.post(reverse("smsflow_segments:count", args=["segment"]), {"store": store.pk, **rules, **strange}),
        ada.post(
            reverse("smsflow_test_send:send", args=[flow.pk]),
            {"copy": value, "language": value, "contact": value, "number": value, "key": value},
        ),
        ada.post(reverse("smsflow_test_send:numbers", args=[store.pk]), {"to": value, "label": value}),
        ada.post(
            reverse("smsflow_flow_tools:test", args=[flow.pk]), {"contacts": several, "version": value, "pace": value}
        ),
        ada.post(
            reverse("smsflow_copy:look"),
            {"flow": flow.pk, "copy": value, "language": value, "kind": value, "trigger": value, "gathered": value},
        ),
        ada.post(reverse("smsflow_copy:names"), {"flow": flow.pk, "trigger": value, "gathered": f"ask_text:{value}"}),
        ada.post(reverse("smsflow_gallery:enable", args=["welcome"]), {"store": value, "another": value}),
    ]
    for do in ("who", "search", "trigger", "reply", "wait", "event", "webhook", value):
        told = {"do": do, "who": value, "search": value, "trigger": value, "text": value, "kind": value}
        answers.append(
            ada.post(
                reverse("smsflow_flow_tools:walk", args=[flow.pk]),
                {**told, "minutes": value, "works": value, "amount": value, "unit": "hours"},
            )
        )
    ada.post(url("preview_on_edit", flow.pk), form_of(flow))
    answers.append(ada.get(f"{url('preview_on_edit', flow.pk)}?mode=phone"))
    assert {answer.status_code for answer in answers} <= {200, 302, 400, 404, 413}


def test_what_is_not_installed_outlives_every_way_of_saving(store: Any, ada: Client) -> None:
    pigeon = {"type": "carrier_pigeon", "value": {"to": [1, {"deep": "ü"}]}, "id": "P"}
    branch = {
        "type": "if_else",
        "id": "I",
        "value": {"condition": [], "yes": [pigeon | {"id": "Q"}], "no": []},
    }
    flow = make_flow(store, text("A"), pigeon, branch)

    def kept() -> list[Any]:
        steps = Flow.objects.get(pk=flow.pk).get_latest_revision_as_object().steps
        raw = steps.stream_block.get_prep_value(steps)
        return [(raw[1]["type"], raw[1]["value"]), raw[2]["value"]["yes"][0]["value"]]

    expected = [("carrier_pigeon", pigeon["value"]), pigeon["value"]]
    assert kept() == expected
    page = ada.get(url("words", flow.pk))
    names = [name for name in page.context["form"].fields if name.startswith("words-")]
    ada.post(url("words", flow.pk), dict.fromkeys(names, "New words."))
    assert kept() == expected
    flow.refresh_from_db()
    assert flow.get_latest_revision_as_object().steps[0].value["text"] == "New words."
    assert export_flow(flow)["flow"]["steps"][1]["type"] == "carrier_pigeon"
    copied = {**form(store=store.pk), **{k: v for k, v in form_with_retired(flow).items() if k.startswith("steps")}}
    assert ada.post(url("edit", flow.pk), copied).status_code == 302
    assert kept() == expected


def form_with_retired(flow: Flow) -> dict[str, Any]:
    # the editor posts what is kept as the text that it was shown
    raw = flow.get_latest_revision_as_object().steps.get_prep_value()
    block = Flow._meta.get_field("steps").stream_block
    data = dict(posted(block, block.to_python(raw).get_prep_value() and _retired(raw), "steps"))
    return {name: value for name, value in data.items() if name != ""}


def _retired(raw: list[Any]) -> list[Any]:
    block = Flow._meta.get_field("steps").stream_block
    found = []
    for item in raw:
        made = block._kept(item)
        if made["type"] == "if_else":
            value = {**made["value"], "yes": _retired(made["value"]["yes"])}
            made = {**made, "value": value}
        found.append(made)
    return found


def test_a_flow_whose_choices_are_gone_can_still_be_opened_and_saved(store: Any, ada: Client) -> None:
    other, segment = make_flow(store, name="Other"), Segment.objects.create(store=store, name="VIP", rules=[rule()])
    go = {"type": "go_to", "id": "G", "value": {"flow": other.pk, "leave": True}}
    inside = {"type": "segment", "id": "S", "value": {"segment": segment.pk, "within": "yes"}}
    into = {"type": "segment", "id": "T", "value": {"segment": segment.pk}}
    flow = make_flow(store, text("A"), go, audience=[inside], triggers=[into])
    Flow.objects.filter(pk=other.pk).delete()
    Segment.objects.filter(pk=segment.pk).delete()
    flow = Flow.objects.get(pk=flow.pk)
    assert flow_hints(flow) == []
    try_all(ada, flow, form_of(flow))
    with pytest.raises(CannotCompile):
        compile_flow(Flow.objects.get(pk=flow.pk).get_latest_revision_as_object())


def test_a_revision_of_the_release_before_is_restored_with_what_starts_it(store: Any, ada: Client) -> None:
    flow = make_flow(store, text("A"))
    revision = flow.latest_revision
    old = {
        name: value
        for name, value in revision.content.items()
        if name in ("pk", "name", "store", "trigger", "steps", "audience", "exits", "reentry", "reentry_days", "live")
    } | {"trigger": "cart_updated"}
    type(revision).objects.filter(pk=revision.pk).update(content=old)
    newer = flow.get_latest_revision_as_object()
    newer.triggers = []
    newer.save_revision(clean=False)
    address = url("revisions_revert", flow.pk, revision.pk)
    page = ada.get(address)
    assert page.status_code == 200
    restored = page.context["form"].instance
    assert [child.value["kind"] for child in restored.triggers] == ["cart_updated"]
    assert ada.post(address, {**form_of(restored), "revision": revision.pk}).status_code == 302
    flow.refresh_from_db()
    assert [child.value["kind"] for child in flow.get_latest_revision_as_object().triggers] == ["cart_updated"]


def test_every_address_that_changes_something_wants_a_token(store: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("Ada", "Store admin", store))
    flow = publish(make_flow(store, text("A")))
    addresses = [url(name, flow.pk) for name in ("publish", "let_in", "pause", "resume", "words", "edit", "unpublish")]
    addresses += [url("import"), reverse("smsflow_segments:count", args=["flow"])]
    addresses += [reverse(f"smsflow_flow_tools:{name}", args=[flow.pk]) for name in ("test", "stop", "walk")]
    addresses += [reverse("smsflow_test_send:send", args=[flow.pk]), reverse("smsflow_copy:look")]
    assert {client.post(address, {"flow": flow.pk}).status_code for address in addresses} == {403}


def test_one_save_of_a_draft_lets_nobody_in_and_starts_nothing(store: Any, ada: Client) -> None:
    """The editor saves while somebody types."""
    flow = publish(make_flow(store, text("A"), pause("W")))
    version = flow.current_version_id
    data = {**form("Changed."), "exits": ["opted_in"], "message_class": "service"}
    for _second in range(3):
        ada.post(url("edit", flow.pk), QueryDict("", mutable=True) | data)
    flow.refresh_from_db()
    assert (flow.current_version_id, flow.message_class, flow.exits) == (version, "marketing", [])
    assert flow.intakes.count() == 0
