"""What flows do beside texting, and what is refused about it."""

from __future__ import annotations

from typing import Any

import pytest

from smsflow_plugin.flows.models import Flow
from smsflow_plugin.flows.program import (
    Discount,
    Exit,
    Goal,
    GoTo,
    HandOver,
    Instruction,
    Jump,
    Notify,
    SetField,
    Tag,
    Webhook,
)
from smsflow_plugin.models import Store
from tests.flows.people import send
from tests.flows.steps import OTHER_FLOW, instructions, refused, said, step

URL = "https://erp.example.com/hook"
CODE = {"name": "ten", "kind": "percent", "amount": "10.00", "minimum": None, "valid_days": 7, "prefix": ""}
NEWS = {"subject": "News", "body": "Hello."}


@pytest.mark.parametrize(
    ("raw", "instruction"),
    [
        (step("tag", action="add", tag=" vip "), Tag("s1", "vip")),
        (step("tag", action="remove", tag="vip"), Tag("s1", "vip", add=False)),
        (step("set_field", name="size", value="L", source=""), SetField("s1", "size", "L")),
        (step("set_field", name="contact.fields.size", value="", source=""), SetField("s1", "size")),
        (
            step("set_field", name="size", value="L", source="answers.size"),
            SetField("s1", "size", path="run.answers.size"),
        ),
        (step("set_field", name="o", source="trigger.order.name"), SetField("s1", "o", path="trigger.order.name")),
        (step("discount", **CODE), Discount("s1", "ten", "percent", "10", "", 7, "")),
        (
            step("discount", **{**CODE, "kind": "shipping", "minimum": "50.50", "prefix": "ADA-"}),
            Discount("s1", "ten", "shipping", "", "50.5", 7, "ADA-"),
        ),
        (step("hand_over", note="Call."), HandOver("s1", "Call.")),
        (step("notify", to="a@x.com, b@x.com", **NEWS), Notify("s1", ("a@x.com", "b@x.com"), "News", "Hello.")),
        (step("webhook", url=URL, body="", save_as=""), Webhook("s1", URL)),
        (
            step("webhook", url=URL, body='{"a": "{{ contact.language }}"}', save_as="erp"),
            Webhook("s1", URL, '{"a": "{{ contact.language }}"}', "erp"),
        ),
        (step("goal", name="Confirmed", leave=False), Goal("s1", "Confirmed")),
    ],
)
def test_every_action_becomes_its_instruction(raw: Any, instruction: Instruction) -> None:
    assert instructions(raw, send())[0] == instruction


def test_an_action_alone_is_a_flow() -> None:
    assert instructions(step("tag", action="add", tag="vip")) == (Tag("s1", "vip"),)


@pytest.mark.parametrize("kind", ["discount", "webhook"])
def test_what_fails_goes_a_way_of_its_own(kind: str) -> None:
    values = CODE if kind == "discount" else {"url": URL, "body": "", "save_as": "erp"}
    sorry = {**send("Sorry."), "id": "f"}
    first, jump, failed, last = instructions(step(kind, **values, failed=[sorry]), send())
    assert first.on_failure == 2  # type: ignore[union-attr]
    assert (jump, failed.step, last.step) == (Jump("s1", 3, "done"), "f", "s2")


def test_copy_may_use_codes_and_answers_of_systems_with_a_default() -> None:
    steps = [step("discount", **CODE), step("webhook", url=URL, body="", save_as="erp")]
    copy = "{{ codes.ten | default: 'none' }} {{ webhooks.erp.points.sum | default: 0 }}"
    assert instructions(*steps, send(copy))
    assert "may be missing" in refused(*steps, send("{{ codes.ten }}"))[0].message
    assert "may be missing" in refused(*steps, send("{{ webhooks.erp.points }}"))[0].message
    assert instructions(*steps, send("{{ codes.ten }} {{ webhooks.erp.points.sum }}", fallback="Hello."))
    assert refused(*steps, send("{{ codes.twenty | default: '' }}"))[0].message == "There is no “codes.twenty” here."


def test_a_person_s_own_fields_have_any_name_and_may_be_missing() -> None:
    assert instructions(send("{{ contact.fields.size | default: 'M' }}"))
    assert "may be missing" in refused(send("{{ contact.fields.size }}"))[0].message
    assert instructions(send("{{ contact.fields.size }}", fallback="Hello."))


@pytest.mark.parametrize(
    ("raw", "path", "message"),
    [
        (step("tag", action="add", tag=" "), ("tag",), "Give the name of a tag."),
        (step("set_field", name="", value="L"), ("name",), "Give the name of the field."),
        (step("set_field", name="a.b"), ("name",), "The name of a field has no dots and at most 60 characters."),
        (
            step("set_field", name="a", source="moon.phase"),
            ("source",),
            "Start with one of these: trigger.…, fields.…, answers.…, codes.…, offers.…, offer_kinds.…, webhooks.….",
        ),
        (step("discount", **{**CODE, "name": ""}), ("name",), "Give a name, by which texts call the code."),
        (step("discount", **{**CODE, "amount": None}), ("amount",), "Give a number above 0."),
        (step("discount", **{**CODE, "amount": "-1"}), ("amount",), "Give a number above 0."),
        (step("discount", **{**CODE, "amount": "101"}), ("amount",), "More than 100 percent is more than everything."),
        (step("discount", **{**CODE, "minimum": "-1"}), ("minimum",), "Give a number of at least 0."),
        (step("discount", **{**CODE, "valid_days": 0}), ("valid_days",), "Give a number from 1 to 3650."),
        (step("discount", **{**CODE, "prefix": "Æ!"}), ("prefix",), "A code has only letters, digits and hyphens."),
        (step("notify", to="a@x.com, b", **NEWS), ("to",), "“b” is not an e-mail address."),
        (step("notify", to="", **NEWS), ("to",), "Give an address, or give the flow an owner."),
        (step("notify", to="a@x.com", subject="", body="x"), ("subject",), "Write the subject."),
        (step("notify", to="a@x.com", subject="x", body="{{ nope }}"), ("body",), "There is no “nope” here."),
        (step("webhook", url="http://erp.example.com"), ("url",), "Give an address that starts with https://."),
        (step("webhook", url="https://user:pw@erp.example.com"), ("url",), "An address must not hold a password."),
        (step("webhook", url="https://127.0.0.1/x"), ("url",), "This address is not a public one."),
        (step("webhook", url="https://[::1]/x"), ("url",), "This address is not a public one."),
        (step("webhook", url="https://10.1.2.3/x"), ("url",), "This address is not a public one."),
        (step("webhook", url="https://localhost/x"), ("url",), "This address is not a public one."),
        (step("webhook", url="https://db.internal/x"), ("url",), "This address is not a public one."),
        (step("webhook", url=URL, body="hello"), ("body",), "This must be JSON."),
        (
            step("webhook", url=URL, save_as="", failed=[{**send(), "id": "f"}]),
            ("save_as",),
            "Give the answer a name: without one nobody waits to see whether it fails.",
        ),
        (step("go_to", flow=None, leave=False), ("flow",), "Choose a flow."),
    ],
)
def test_what_is_wrong_with_an_action_is_said_at_its_field(raw: Any, path: Any, message: str) -> None:
    assert said(refused(raw, send())) == [(("steps", 0, *path), message)]


def test_staff_mail_without_an_address_goes_to_the_owner() -> None:
    assert instructions(step("notify", to="", **NEWS), owner_id=1)[0] == Notify("s1", (), "News", "Hello.")


@pytest.mark.parametrize("leave", [True, False])
def test_a_goal_and_another_flow_may_end_this_one(db: Any, store: Store, leave: bool) -> None:
    Flow.objects.create(pk=OTHER_FLOW, store=store, name="Other")
    for raw in (step("goal", name="", leave=leave), step("go_to", flow=OTHER_FLOW, leave=leave)):
        if leave:
            assert refused(raw, send())[0].message == "Nobody gets here: the flow ends before this step."
        else:
            assert len(instructions(raw, send())) == 2
    assert instructions(send(), step("go_to", flow=OTHER_FLOW, leave=leave))[1] == GoTo("s2", OTHER_FLOW, leave)


def test_a_flow_leads_neither_to_itself_nor_into_another_store(db: Any, store: Store, danish_store: Store) -> None:
    own = Flow.objects.create(store=store, name="Own")
    foreign = Flow.objects.create(store=danish_store, name="Foreign")
    sibling = Flow.objects.create(store=store, name="Sibling")
    raw = [step("go_to", flow=each.pk, leave=False) for each in (own, foreign, sibling)]
    problems = refused(*raw, lookups=None, pk=own.pk, store=store)
    assert [problem.message for problem in problems] == [
        "A flow cannot lead to itself.",
        "There is no such flow in this store.",
        "There is no such flow in this store.",
    ]


def test_leaving_says_why() -> None:
    assert instructions(send(), step("exit", reason=" enough "))[1] == Exit("s2", "enough")
