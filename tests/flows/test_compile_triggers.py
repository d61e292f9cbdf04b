"""What starts a flow, and the settings that must fit it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.models import CopySnippet, Flow, Segment
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.flows.program import Reentry, Throttle, Trigger
from smsflow_plugin.flows.trigger_blocks import event_trigger
from smsflow_plugin.models import Store
from tests.flows.people import rule, saved_flow, send
from tests.flows.steps import Lookups, flow, instructions, program, refused, said, step

DATE = {
    "field": "birthday", "custom": "", "direction": "before", "amount": 2, "unit": "weeks", "time": "10:00:00",
    "yearly": True,
}  # fmt: skip
DUE = {"field": "birthday", "amount": -2, "unit": "weeks", "time": "10:00", "yearly": True}


@pytest.mark.parametrize(
    ("raw", "trigger"),
    [
        (event_trigger("order_created"), Trigger("order_created")),
        (
            step("event", kind="order_created", rules=[rule("trigger.order.total", "ge", "100")]),
            Trigger("order_created", {"all": [{"field": "trigger.order.total", "op": "ge", "value": "100"}]}),
        ),
        (
            step("custom", name="quiz"),
            Trigger("custom", {"field": "trigger.name", "op": "eq", "value": "quiz"}),
        ),
        (step("keyword", words="VIP, Gøld!"), Trigger("message_received", options={"words": ["gold", "vip"]})),
        (step("any_text"), Trigger("message_received", options={"any": True})),
        (
            step("tag", tag="vip", change="added"),
            Trigger("tag_added", {"field": "trigger.tag", "op": "eq", "value": "vip"}),
        ),
        (
            step("tag", tag="vip", change="removed"),
            Trigger("tag_removed", {"field": "trigger.tag", "op": "eq", "value": "vip"}),
        ),
        (
            step("field", name="size"),
            Trigger("field_changed", {"field": "trigger.field", "op": "eq", "value": "size"}),
        ),
        (step("date", **DATE), Trigger("date_due", options=DUE)),
        (
            step("date", **{**DATE, "direction": "on", "amount": None}),
            Trigger("date_due", options={**DUE, "amount": 0}),
        ),
        (
            step("date", **{**DATE, "field": "own", "custom": "renewal", "direction": "after"}),
            Trigger("date_due", options={**DUE, "field": "fields.renewal", "amount": 2}),
        ),
        (step("lapsed", days=90), Trigger("lapsed", options={"days": 90})),
        (
            step("replenishment", early_days=3, default_days=30),
            Trigger("replenishment_due", options={"early_days": 3, "default_days": 30}),
        ),
        (
            step("schedule", at="2026-12-24T10:00:00+01:00", repeat="once"),
            Trigger("scheduled", options={"at": "2026-12-24T09:00:00+00:00", "repeat": "once"}),
        ),
        (step("manual"), Trigger("entered_by_hand")),
    ],
)
def test_each_trigger_of_the_form_becomes_a_trigger(raw: Any, trigger: Trigger) -> None:
    assert program(send(), triggers=[raw]).triggers == (trigger,)


@pytest.mark.parametrize(
    ("raw", "path", "message"),
    [
        (event_trigger("message_failed"), ("kind",), "Choose what starts the flow."),
        (
            step("event", kind="opted_in", rules=[rule("trigger.order.total")]),
            ("rules", 0, "field"),
            "What starts this flow does not bring such a value.",
        ),
        (step("custom", name=""), ("name",), "Give the name of the event."),
        (step("keyword", words=","), ("words",), "Give at least one word."),
        (step("keyword", words="STOP"), ("words",), "“STOP” always means opting in or out, or help."),
        (step("keyword", words="Join"), ("words",), "“Join” always means opting in or out, or help."),
        (step("keyword", words="basta"), ("words",), "“basta” always means opting in or out, or help."),
        (step("keyword", words="hjælp"), ("words",), "“hjælp” always means opting in or out, or help."),
        (step("keyword", words="vip, VIP"), ("words",), "“VIP” stands here twice."),
        (step("tag", tag="", change="added"), ("tag",), "Give the name of a tag."),
        (step("field", name=""), ("name",), "Give the name of the field."),
        (step("date", **{**DATE, "field": "own"}), ("custom",), "Give the name of your own date."),
        (step("date", **{**DATE, "amount": None}), ("amount",), "Give a number from 1 to 3650."),
        (step("date", **{**DATE, "time": None}), ("time",), "Give a time of day."),
        (step("lapsed", days=None), ("days",), "Give a number from 1 to 3650."),
        (
            step("replenishment", early_days=30, default_days=30),
            ("early_days",),
            "This must be less than the days between orders.",
        ),
        (step("schedule", at=None, repeat="once"), ("at",), "Give a date and a time."),
        (step("schedule", at="2026-12-24T10:00:00Z", repeat="hourly"), ("repeat",), "Choose how often."),
        (step("carrier_pigeon", speed=9), (), "This comes from an app that is not installed."),
    ],
)
def test_what_is_wrong_with_a_trigger_is_said_at_its_field(raw: Any, path: Any, message: str) -> None:
    assert said(refused(send(), triggers=[raw])) == [(("triggers", 0, *path), message)]


def test_a_flow_needs_a_trigger_and_one_word_starts_it_once() -> None:
    assert said(refused(send(), triggers=[])) == [(("triggers",), "Choose what starts the flow.")]
    twice = [step("keyword", words="gold"), step("keyword", words="Gold!")]
    assert said(refused(send(), triggers=twice)) == [(("triggers", 1, "words"), "“Gold!” stands here twice.")]


def test_a_segment_must_be_one_of_the_store(db: Any, store: Store, danish_store: Store) -> None:
    own, foreign = (Segment.objects.create(store=s, name="VIP") for s in (store, danish_store))
    raw = [step("segment", segment=segment.pk) for segment in (own, foreign)]
    a_flow = Flow(store=store, steps=[send()], triggers=raw)
    with pytest.raises(CannotCompile) as refusal:
        compile_flow(a_flow)
    assert said(refusal.value.problems) == [(("triggers", 1, "segment"), "There is no such segment in this store.")]
    a_flow.triggers = raw[:1]
    assert compile_flow(a_flow).triggers == (Trigger("segment_entered", options={"segment": own.pk}),)


def test_what_only_some_triggers_bring_may_be_missing() -> None:
    both = [event_trigger("order_created"), event_trigger("parcel_sent")]
    assert instructions(send("{{ order.name }}"), triggers=both[:1])
    assert "“order.name” may be missing" in refused(send("{{ order.name }}"), triggers=both)[0].message
    assert instructions(
        send("{{ order.name | default: 'your order' }} {{ parcel.status | default: '' }}"), triggers=both
    )
    alike = [event_trigger("order_created"), event_trigger("order_paid")]
    assert instructions(send("{{ order.name }}"), triggers=alike)


def test_an_event_of_one_s_own_brings_anything() -> None:
    own = [step("custom", name="quiz")]
    assert instructions(send("{{ data.score | default: 0 }}"), triggers=own)
    assert "may be missing" in refused(send("{{ data.score }}"), triggers=own)[0].message


# Settings ------------------------------------------------------------------------------------

ORDER, CART = [event_trigger("order_created")], [event_trigger("checkout_updated")]
HAND = [step("manual")]


def test_limits_and_the_goal_reach_the_program() -> None:
    found = program(
        send(), goal="order_created", goal_leaves=True, entry_limit=50, entry_unit="day", max_people=1000,
        leave_unmatched=True,
    )  # fmt: skip
    assert (found.goal, found.goal_leaves, found.leave_unmatched) == ("order_created", True, True)
    assert (found.throttle, found.max_people) == (Throttle(50, "day"), 1000)


def test_settings_that_nobody_asks_for_make_no_other_program() -> None:
    assert program(send(), goal="", goal_leaves=True) == program(send(), goal="", goal_leaves=False, entry_unit="day")


@pytest.mark.parametrize(
    ("triggers", "exits", "own"),
    [
        ([event_trigger("order_created")], ["order_cancelled", "opted_out"], ("order_cancelled",)),
        ([event_trigger("checkout_updated")], ["order_created"], ()),
        ([event_trigger("order_created"), event_trigger("parcel_sent")], ["order_refunded"], ("order_refunded",)),
        ([event_trigger("order_created"), event_trigger("case_opened")], ["case_closed"], ()),
    ],
)
def test_exits_about_the_same_thing_count_for_the_own_one_only(triggers: Any, exits: Any, own: Any) -> None:
    assert program(send(), triggers=triggers, exits=exits, reentry="subject").own_exits == own
    assert program(send(), triggers=triggers, exits=exits, reentry="always").own_exits == ()


@pytest.mark.parametrize(
    ("values", "path", "message"),
    [
        ({"triggers": [*ORDER, *CART], "exits": ["checkout_updated"]}, "exits", "What starts the flow cannot end it"),
        ({"goal": "moon_landing"}, "goal", "There is no event “moon_landing”."),
        ({"triggers": [*ORDER, step("lapsed", days=9)], "reentry": "subject"}, "reentry", "is not about a cart"),
        ({"triggers": HAND, "reentry": "subject"}, "reentry", "is not about a cart"),
        ({"triggers": [*CART, step("keyword", words="vip")], "restart": True}, "restart", "is not about a cart"),
        ({"triggers": [*ORDER, *CART], "message_class": "service"}, "message_class", "the person's own order"),
        ({"triggers": HAND, "message_class": "service"}, "message_class", "the person's own order"),
        ({"triggers": ORDER, "message_class": "optin"}, "message_class", "have just asked for texts"),
        ({"entry_limit": 0}, "entry_limit", "Give a number of at least 1."),
        ({"max_people": 0}, "max_people", "Give a number of at least 1."),
    ],
)
def test_settings_that_do_not_fit_are_refused(values: Any, path: str, message: str) -> None:
    ((where, what),) = said(refused(send(), **values))
    assert where == (path,) and message in what


@pytest.mark.parametrize(
    "kind",
    ["order_created", "parcel_delivered", "pickup_ready", "appointment_moved", "case_closed", "message_received"],
)
def test_news_about_the_person_s_own_business_are_service(kind: str) -> None:
    assert program(send(), triggers=[event_trigger(kind)], message_class="service").message_class == "service"


def test_confirming_an_opt_in_is_a_class_of_its_own() -> None:
    asked = [event_trigger("opt_in_requested")]
    assert program(send(), triggers=asked, message_class="optin").message_class == "optin"
    assert refused(send(), triggers=asked, message_class="service")


def test_people_let_in_by_hand_do_not_stand_in_the_way_of_one_run_per_order() -> None:
    assert program(send(), triggers=[*ORDER, *HAND], reentry="subject").reentry == Reentry("subject")


# The model -----------------------------------------------------------------------------------


def test_the_kind_of_the_first_trigger_is_kept_in_step(db: Any, store: Store) -> None:
    a_flow = Flow.objects.create(store=store, name="F", triggers=[step("keyword", words="vip"), *ORDER])
    assert a_flow.trigger == "message_received"
    a_flow.triggers = ORDER
    a_flow.save(update_fields=["triggers"])
    a_flow.refresh_from_db()
    assert a_flow.trigger == "order_created"
    a_flow.triggers = []
    a_flow.save()
    assert a_flow.trigger == ""


def test_a_revision_from_before_there_were_several_triggers_is_read(db: Any, store: Store) -> None:
    a_flow = saved_flow(store)
    content = a_flow.latest_revision.content
    content.pop("triggers")
    content["trigger"] = "checkout_updated"
    old = a_flow.with_content_json(json.loads(json.dumps(content, default=str)))
    assert [child.value["kind"] for child in old.triggers] == ["checkout_updated"]
    assert compile_flow(old, lookups=Lookups()).triggers == (Trigger("checkout_updated"),)


def test_compiling_asks_the_database_once_for_each_kind_of_thing(
    db: Any, store: Store, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    others = [Flow.objects.create(store=store, name=str(n)) for n in range(3)]
    segments = [Segment.objects.create(store=store, name=str(n)) for n in range(3)]
    CopySnippet.objects.create(store=store, name="sign", text="Bye.")
    steps = [send("{% render 'sign' %}") for _ in range(5)]
    steps += [step("go_to", flow=other.pk, leave=False) for other in others]
    triggers = [step("segment", segment=segment.pk) for segment in segments]
    a_flow = flow(*steps, triggers=triggers, store=store)
    # flows and segments twice: the form reads those it names, the compiler asks for the store's
    with django_assert_num_queries(5):
        compile_flow(a_flow)
