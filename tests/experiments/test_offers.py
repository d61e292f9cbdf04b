"""Other offers of a discount, tried inside its step: the code that is made, and what texts say of it, are the arm's."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.admin_panels.flows.copy_hints import flow_hints
from smsflow_plugin.admin_panels.flows.telling_walk import lines
from smsflow_plugin.audience.filters import Facts
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.engine.interpreter import interpret
from smsflow_plugin.engine.state import State
from smsflow_plugin.engine.transfer import Passage
from smsflow_plugin.engine.trials import experiment_of, offer_experiment, offer_of
from smsflow_plugin.flows.arm_words import arm_words
from smsflow_plugin.flows.chart import summary
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.outline import outline
from smsflow_plugin.flows.portable import export_flow, import_flow
from smsflow_plugin.flows.program import Discount, Jump, Offer, Program, Send, Split, Trigger
from smsflow_plugin.flows.trying import meeting, mixes_units, promised
from smsflow_plugin.governance.effective import StoreRules
from smsflow_plugin.governance.policy import PolicyRules
from smsflow_plugin.governance.rules import Decision, Reason, Verdict
from smsflow_plugin.measurement.applying import ApplyWinner
from smsflow_plugin.measurement.entry import Kind
from smsflow_plugin.measurement.experiments import experiments, title
from smsflow_plugin.measurement.timeline import timeline
from smsflow_plugin.models import Contact, Effect, Exposure, Flow, Incentive, Message, Store
from smsflow_plugin.simulation.people import edge_case
from smsflow_plugin.simulation.script import read_script
from smsflow_plugin.simulation.walk import walk
from tests.admin.people import make_user
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened
from tests.engine.helpers import make_flow as run_flow
from tests.experiments.test_running import exposures, people
from tests.flows.people import send as form_send
from tests.flows.steps import flow as form
from tests.flows.steps import instructions, items, refused, said, step
from tests.money.shop import Pool, allow, live
from tests.words.people import make_flow, send

TRIED = Discount("d", "save", amount="10", variants=(Offer("B", 30, "15"), Offer("C", 20, "20")))
TEXT = Send(
    "t", {"": "{{ offers.save }} % off: {{ codes.save }}"}, {"": "Come and see. {{ offers.save | default: 'None' }}."}
)


def offers(*others: tuple[Any, ...], **values: Any) -> dict[str, Any]:
    variants = items(
        *({"weight": weight, "amount": amount, "kind": kind[0] if kind else ""} for weight, amount, *kind in others)
    )
    own = {"name": "save", "kind": "percent", "amount": Decimal(10), "minimum": None, "valid_days": 7, "prefix": ""}
    return step("discount", **{**own, "variants": variants, **values})


# The form -----------------------------------------------------------------------------------------


def test_other_offers_of_the_form_are_offers_of_the_program() -> None:
    made, _text = instructions(offers((30, Decimal("15.00")), (20, Decimal(20))), form_send())
    assert made == Discount("s1", "save", amount="10", variants=(Offer("B", 30, "15"), Offer("C", 20, "20")))
    assert isinstance(made, Discount)
    assert made.weights == (50, 30, 20)


SAME = "This is the same as another one. There is nothing to compare."
MANY = "The shares of all other offers together must leave something for the step's own."


@pytest.mark.parametrize(
    ("raw", "place", "message"),
    [
        (offers((0, 15)), (0, "weight"), "Give a number of at least 1."),
        (offers((60, 15), (40, 20)), (1, "weight"), MANY),
        (offers((50, 0)), (0, "amount"), "Give a number above 0."),
        (offers((50, None)), (0, "amount"), "Give a number above 0."),
        (offers((50, 101)), (0, "amount"), "More than 100 percent is more than everything."),
        (offers((50, Decimal("10.0"))), (0, "amount"), SAME),
        (offers((30, 15), (30, 15), kind="amount"), (1, "amount"), SAME),
        (offers((50, 15), kind="shipping"), (0, "kind"), SAME),
        (offers((50, None, "shipping"), kind="shipping"), (0, "kind"), SAME),
        (offers((30, None, "shipping"), (30, 15, "shipping")), (1, "kind"), SAME),
        (offers((50, None, "amount")), (0, "amount"), "Give a number above 0."),
        (offers((50, 101, "percent"), kind="amount"), (0, "amount"), "More than 100 percent is more than everything."),
        (offers((50, 15, "cheese")), (0, "kind"), "Choose a kind."),
    ],
)
def test_what_is_wrong_with_an_offer_stands_beside_it(raw: Any, place: Any, message: str) -> None:
    assert said(refused(raw, form_send())) == [(("steps", 0, "variants", *place), message)]


MIXED = Discount(
    "d", "save", amount="10", variants=(Offer("B", 30, "50", "amount"), Offer("C", 30, "", "shipping"))
)  # fmt: skip
ASKS = (
    "{% if offer_kinds.save == 'percent' %}{{ offers.save }} % off{% elsif offer_kinds.save == 'amount' %}"
    "{{ offers.save }} kr. off{% else %}Free delivery{% endif %}: {{ codes.save }}"
)


def test_offers_may_be_of_other_kinds() -> None:
    made, text, _more = instructions(
        offers((30, Decimal(50), "amount"), (30, 77, "shipping")), form_send(ASKS, fallback="Come."), form_send()
    )
    assert made == Discount("s1", "save", amount="10", variants=MIXED.variants)
    assert isinstance(text, Send)
    # the same number of another kind is another offer
    assert instructions(offers((30, 10, "amount")), form_send())
    # and a discount of free shipping may try an amount: texts can say that one then
    [own, _text] = instructions(
        offers((30, 10, "percent"), kind="shipping", amount=None), form_send(ASKS, fallback="C")
    )
    assert own == Discount("s1", "save", "shipping", amount="", variants=(Offer("B", 30, "10"),))


def test_arms_of_other_kinds_have_words() -> None:
    assert arm_words(MIXED) == {"A": "10 %", "B": "50 off", "C": "free shipping"}
    assert summary(MIXED) == "save: A: 10 % / B: 50 off (30 %) / C: free shipping (30 %)"
    [made, _text] = outline(form(offers((30, 50, "amount"), (20, None, "shipping")), form_send()).steps)
    assert made.summary == "A: 10 Percent / B: 50 Amount (30 %) / C: Free shipping (20 %)"
    assert summary(Discount("d", "save", "shipping", amount="")) == "save: free shipping"
    program = Program((Trigger("opted_in"),), (MIXED, TEXT))
    assert Program.from_json(json.loads(json.dumps(program.to_json()))) == program


def test_texts_may_say_what_is_taken_off_behind_the_step_alone() -> None:
    text = form_send("{{ offers.save }} % off: {{ codes.save }}", fallback="Come and see.")
    assert instructions(offers(), text)
    problems = said(refused(text, offers()))
    assert any("offers.save" in message for _path, message in problems)
    # a parcel's price is no amount of the discount, but one of the others may be
    assert said(refused(offers(kind="shipping"), text))


def test_a_field_may_keep_what_was_taken_off() -> None:
    kept = step("set_field", name="offer", value="", source="offers.save")
    assert instructions(offers(), kept)[-1].path == "run.offers.save"  # type: ignore[union-attr]


def test_a_discount_that_tries_nothing_is_written_as_before() -> None:
    plain = Program((Trigger("opted_in"),), (Discount("d", "save"), TEXT))
    assert "variants" not in plain.to_json()["instructions"][0]
    tried = Program((Trigger("opted_in"),), (TRIED, TEXT))
    assert Program.from_json(tried.to_json()) == tried
    assert meeting(Program(tried.triggers, (Split("x", (1, 1), (1, 2)), Jump("x", 2), TRIED, TEXT))) == [("x", "d")]


def test_the_diagram_says_what_is_tried() -> None:
    assert summary(TRIED) == "save: A: 10 % / B: 15 % (30 %) / C: 20 % (20 %)"
    [made, _text] = outline(form(offers((30, 15)), form_send()).steps)
    assert made.summary == "A: 10 Percent / B: 15 Percent (30 %)"


def test_other_amounts_and_other_terms_are_another_experiment() -> None:
    name = offer_experiment(12, TRIED)
    assert experiment_of(12, TRIED) == name
    others = (
        Discount("d", "save", amount="12", variants=TRIED.variants),
        Discount("d", "save", amount="10", variants=TRIED.variants[:1]),
        Discount("d", "save", amount="10", minimum="50", variants=TRIED.variants),
        Discount("d", "save", "amount", amount="10", variants=TRIED.variants),
        Discount("d", "save", amount="10", variants=(Offer("B", 30, "15", "amount"), Offer("C", 20, "20"))),
    )
    assert len({name, *(offer_experiment(12, other) for other in others)}) == 6
    # what the code begins with is no part of the offer
    assert offer_experiment(12, Discount("d", "save", amount="10", prefix="X", variants=TRIED.variants)) == name


@given(st.integers(-3, 9))
def test_an_arm_that_is_gone_is_the_steps_own(place: int) -> None:
    amount = {1: "15", 2: "20"}.get(place, "10")
    assert offer_of(TRIED, place).amount == amount


# Texts that promise one offer of several ----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10 % off today", "10 %"),
        ("15% off", "15 %"),
        ("Save 10 percent", "10 %"),
        ("10,0 % Rabatt", "10,0 %"),
        # another discount than any that is tried, but beside this code
        ("12 % off with {{ codes.save }}", "12 %"),
        ("12 % of people like it", ""),
        ("{{ offers.save }} % off with {{ codes.save }}", ""),
        ("{{ offers.save | default: '10 %' }} off with {{ codes.save }}", ""),
        ("Only 10 left, use {{ codes.save }}", ""),
        ("Call 1-800-10 or 10-15", ""),
        ("", ""),
    ],
)
def test_a_percentage_that_is_written_down_is_found(text: str, found: str) -> None:
    assert promised(text, TRIED) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$10 off with {{ codes.save }}", "10"),
        ("15 kr. med {{ codes.save }}", "15"),
        ("25 kr. med {{ codes.save }}", ""),
        ("$10 off", ""),
        ("10 % off with {{ codes.other }}", ""),
    ],
)
def test_an_amount_that_is_written_down_beside_the_code_is_found(text: str, found: str) -> None:
    discount = Discount("d", "save", "amount", amount="10", variants=(Offer("B", 50, "15", "amount"),))
    assert promised(text, discount) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10 % off with {{ codes.save }}", "10 %"),
        ("50 kr. off with {{ codes.save }}", "50"),
        (ASKS, ""),
        # the only amount of its kind, for those who are offered it
        ("{% if offer_kinds.save == 'percent' %}10 % off{% endif %} {{ codes.save }}", ""),
        ("{% if offer_kinds.save == 'percent' %}12 % off{% endif %} {{ codes.save }}", "12 %"),
    ],
)
def test_what_is_promised_of_several_kinds_is_found(text: str, found: str) -> None:
    assert promised(text, MIXED) == found


def test_an_amount_of_which_nobody_knows_the_unit_is_found() -> None:
    assert mixes_units("{{ offers.save }} % off: {{ codes.save }}", MIXED)
    assert not mixes_units(ASKS, MIXED)
    assert not mixes_units("A gift: {{ codes.save }}", MIXED)
    assert not mixes_units("{{ offers.save }} % off: {{ codes.save }}", TRIED)


@given(st.text(max_size=80), st.sampled_from(["percent", "amount"]))
def test_whatever_a_text_says_it_is_read(text: str, kind: str) -> None:
    discount = Discount("d", "save", kind, amount="10", variants=(Offer("B", 50, "15", kind),))
    found = promised(text, discount)
    assert not found or re.search(r"\d", text)


@pytest.mark.django_db
def test_who_publishes_a_text_that_promises_one_of_several_offers_is_told(store: Store) -> None:
    flow = trying(store, "10 % off with {{ codes.save }}, dear friend of the mountains.")
    [found] = [each for each in flow_hints(flow) if each.hint.code == "offers"]
    assert (found.step, found.where) == ("s1", "Step 2, Send a text · Text")
    assert "Write “{{ offers.save }} %” here, and not “10 %”." in found.hint.message
    right = trying(store, "{{ offers.save }} % off with {{ codes.save }}, dear friend of the mountains.")
    assert [each for each in flow_hints(right) if each.hint.code == "offers"] == []


# Runs ---------------------------------------------------------------------------------------------


@pytest.fixture
def _shop(settings: Any, still: TestClock, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "PERFORMERS": {"discount": "tests.money.shop.make"}}
    monkeypatch.setattr(Pool, "empty", False)


def let_in(store: Store, who: list[Contact]) -> None:
    for contact in who:
        happened(store, "opted_in", phone=str(contact.phone))
    ingest()
    live()


AMOUNTS = {"A": 10, "B": 15, "C": 20}


@pytest.mark.django_db
@pytest.mark.usefixtures("_shop")
def test_the_code_and_the_text_are_those_of_the_arm(store: Store) -> None:
    allow()
    who = people(store)
    flow = run_flow(store, TRIED, TEXT, name="Welcome")
    let_in(store, who)
    shown = exposures()
    assert {name for name, _arm in shown.values()} == {offer_experiment(flow.pk, TRIED)}
    assert {arm for _name, arm in shown.values()} == set(AMOUNTS)
    given_to = {row.contact_id: row for row in Incentive.objects.all()}
    asked = {row.contact_id: row.payload for row in Effect.objects.all()}
    for text in Message.objects.all():
        amount = AMOUNTS[shown[text.contact_id][1]]
        incentive = given_to[text.contact_id]
        assert f"{amount} % off: {incentive.code}" in text.body
        assert (incentive.amount, incentive.state) == (amount, "given")
        assert asked[text.contact_id]["amount"] == str(amount)
    assert Message.objects.count() == Exposure.objects.count() == 40
    [experiment] = experiments(store)
    assert title(experiment) == "“Welcome”: a discount that tries offers"
    assert dict(experiment.words) == {"A": "10 %", "B": "15 %", "C": "20 %"}
    assert dict(experiment.weights) == {"A": 50, "B": 30, "C": 20}
    bea = next(contact for contact in who if shown[contact.pk][1] == "B")
    [entry] = [each for each in timeline(bea) if each.kind is Kind.TRIED]
    assert entry.detail == "Is offered 15 % (B)."


@pytest.mark.django_db
@pytest.mark.usefixtures("_shop")
def test_the_code_and_the_text_are_of_the_kind_of_the_arm(store: Store) -> None:
    allow()
    who = people(store)
    run_flow(store, MIXED, Send("t", {"": ASKS}, {"": "Come and see."}))
    let_in(store, who)
    shown = exposures()
    words = {"A": "10 % off", "B": "50 kr. off", "C": "Free delivery"}
    assert {arm for _name, arm in shown.values()} == set(words)
    given_to = {row.contact_id: row for row in Incentive.objects.all()}
    for text in Message.objects.all():
        arm = shown[text.contact_id][1]
        incentive = given_to[text.contact_id]
        assert f"{words[arm]}: {incentive.code}" in text.body
        assert incentive.kind == {"A": "percent", "B": "amount", "C": "shipping"}[arm]
    assert Message.objects.count() == 40
    [experiment] = experiments(store)
    assert dict(experiment.words) == {"A": "10 %", "B": "50 off", "C": "free shipping"}


@pytest.mark.django_db
@pytest.mark.usefixtures("_shop")
def test_without_a_code_no_text_promises_anything(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    allow()
    monkeypatch.setattr(Pool, "empty", True)
    run_flow(store, TRIED, TEXT)
    let_in(store, people(store, 6))
    assert {"Come and see. None." in text.body for text in Message.objects.all()} == {True}
    # they came to it all the same
    assert Exposure.objects.count() == 6


@pytest.mark.django_db
@pytest.mark.usefixtures("_shop")
def test_a_discount_that_tries_nothing_says_its_amount_and_exposes_nobody(store: Store) -> None:
    allow()
    run_flow(store, Discount("d", "save", amount="10"), TEXT)
    let_in(store, people(store, 3))
    assert all("10 % off: " in text.body for text in Message.objects.all())
    assert (Message.objects.count(), Exposure.objects.count()) == (3, 0)


def test_a_walk_says_what_is_offered_and_writes_it() -> None:
    store = Store(
        pk=1, name="Sierra Gear", brand="Sierra Gear", sender="+12025550100", country="US",
        timezone="America/New_York", language="en", status="active",
    )  # fmt: skip
    script, _dropped = read_script([{"do": "answer", "works": True}])
    rules = StoreRules(PolicyRules(cart_countries=frozenset()))
    tried = Discount("d", "save", amount="10", variants=(Offer("B", 99, "15"),))
    program = Program((Trigger("opted_in"),), (tried, TEXT))
    walked = walk(program, edge_case("example", store), script, rules=rules, store=store, start=NOON)
    spoken = [line.text for line in lines(walked, {})]
    assert spoken.index("Chance decides: B: 15 %.") == spoken.index("A discount code is made: save.") - 1
    [text] = walked.texts
    assert "15 % off: TEST1234" in text.text


# Keeping one --------------------------------------------------------------------------------------


def trying(store: Store, text: str = "{{ codes.save }}", kind: str = "") -> Flow:
    amount = None if kind == "shipping" else "15.5"
    other = {"type": "item", "id": "v1", "value": {"weight": 40, "kind": kind, "amount": amount}}
    own = {"name": "save", "kind": "percent", "amount": "10", "minimum": None, "valid_days": 7, "prefix": ""}
    discount = {"type": "discount", "id": "d1", "value": {**own, "variants": [other], "failed": []}}
    return make_flow(store, [discount, send(text, "s1", fallback="Come and see us, dear friend of ours.")])


@pytest.mark.django_db
@pytest.mark.parametrize(("arm", "amount"), [("A", "10"), ("B", "15.5")])
def test_keeping_one_makes_a_draft_with_its_offer_alone(store: Store, arm: str, amount: str) -> None:
    flow = trying(store)
    flow.latest_revision.publish()
    flow.refresh_from_db()
    before = compile_flow(flow).instructions
    user = make_user("ann", "Store admin", store)
    draft = ApplyWinner(flow, user, experiment=experiment_of(flow.pk, before[0]), arm=arm).execute()
    made, *rest = compile_flow(draft).instructions
    assert made == Discount("d1", "save", amount=amount)
    assert rest == list(before[1:])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "arm", "kept"),
    [
        ("shipping", "A", ("percent", "10")),
        ("shipping", "B", ("shipping", "")),
        ("amount", "B", ("amount", "15.5")),
        ("percent", "B", ("percent", "15.5")),
    ],
)
def test_keeping_an_offer_of_another_kind(store: Store, kind: str, arm: str, kept: tuple[str, str]) -> None:
    flow = trying(store, kind=kind)
    name = experiment_of(flow.pk, compile_flow(flow).instructions[0])
    user = make_user("ann", "Store admin", store)
    draft = ApplyWinner(flow, user, experiment=name, arm=arm).execute()
    assert compile_flow(draft).instructions[0] == Discount("d1", "save", kept[0], amount=kept[1])


@pytest.mark.django_db
def test_who_publishes_a_text_for_one_kind_of_several_is_told(store: Store) -> None:
    def told(text: str, kind: str) -> list[str]:
        return [each.hint.message for each in flow_hints(trying(store, text, kind)) if each.hint.code == "offers"]

    assert told("10 % off with {{ codes.save }}, dear friend.", "shipping") == [
        "Not everybody is offered “10 %”. Let the text ask for “offer_kinds.save”."
    ]
    assert told("{{ offers.save }} % off with {{ codes.save }}, dear friend.", "amount") == [
        "Some are offered percent and others money. Let the text ask for “offer_kinds.save”, and then say "
        "“{{ offers.save }}”."
    ]
    assert told(ASKS, "amount") == []


@pytest.mark.django_db
def test_offers_are_taken_to_another_store_with_their_flow(store: Store) -> None:
    flow = trying(store)
    imported = import_flow(export_flow(flow), store)
    assert imported.problems == []
    assert compile_flow(imported.flow).instructions == compile_flow(flow).instructions


def test_what_was_asked_for_is_promised_whatever_a_later_version_offers() -> None:
    facts = Facts({"tags": ()}, NOON, {}, (), key="ann")
    old = Program((Trigger("opted_in"),), (MIXED, TEXT))
    asked = interpret(old, State(), facts, NOON, zone="UTC", ask=skip)
    [place] = asked.state.gathered["ways"].values()
    kind, amount = MIXED.offers[place]
    promise = {"offers": {"save": amount or None}, "offer_kinds": {"save": kind}}
    assert {name: asked.state.gathered[name] for name in promise} == promise
    assert asked.doings[0].instruction == offer_of(MIXED, place)  # type: ignore[union-attr]

    kept = Program(old.triggers, (Discount("d", "save", amount="33"), TEXT))
    moved = Passage(old, kept).transfer(asked.state)
    assert moved is not None
    answered = replace(facts, results={"d:0": {"value": "SAVE-1"}})
    after = interpret(kept, moved, answered, NOON + timedelta(minutes=1), zone="UTC", ask=skip)
    assert {name: after.state.gathered[name] for name in promise} == promise
    assert after.state.gathered["codes"] == {"save": "SAVE-1"}

    # and nothing is promised where no code is to be had
    refused = replace(facts, results={"d:0": {"error": "None left."}})
    without = interpret(old, asked.state, refused, NOON + timedelta(minutes=1), zone="UTC", ask=skip)
    assert {name: without.state.gathered[name]["save"] for name in promise} == {"offers": None, "offer_kinds": None}


def skip(_ask: Any) -> Decision:
    return Decision(Verdict.SKIP, Reason.AUDIENCE)
