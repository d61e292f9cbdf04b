"""Try it: the verdict, the rules that spoke, and that nothing is written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.utils.html import escape

from smsflow_plugin.flows.program import Program, Send, Trigger, Wait
from smsflow_plugin.governance import sends
from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.governance.rules import Reason, Sent, Verdict
from smsflow_plugin.models import Contact, Enrollment, Flow, FlowVersion, PanicStop, Policy
from smsflow_plugin.simulation.try_it import try_it
from tests.admin.people import client_of, make_user
from tests.conftest import NOON, TestClock
from tests.factories import make_contact, make_store
from tests.panel.forms import address

pytestmark = pytest.mark.django_db


def flow_of(store: Any, name: str, **values: Any) -> Flow:
    """A flow that runs: it waits an hour and sends a text."""
    columns = {key: values.pop(key) for key in ("priority", "stage") if key in values}
    flow = Flow.objects.create(store=store, name=name, live=True, **columns)
    program = Program(
        (Trigger("opted_in"),),
        (Wait("w", 1, "hours"), Send("s", {"": f"Hello from {name}"}, expires_minutes=values.pop("hold", None))),
        **columns,
        **values,
    )
    version = FlowVersion.objects.create(store=store, flow=flow, number=1, content_hash=name, program=program.to_json())
    Flow.objects.filter(pk=flow.pk).update(current_version=version)
    flow.refresh_from_db()
    return flow


def texted(contact: Contact, *hours_ago: float) -> None:
    rows = sends.write([Sent(NOON - timedelta(hours=hours)) for hours in sorted(hours_ago, reverse=True)], NOON)
    Contact.objects.filter(pk=contact.pk).update(recent_sends=rows)


@pytest.fixture
def promo(still: TestClock, store: Any) -> Flow:
    return flow_of(store, "Spring sale", priority="promo")


@pytest.fixture
def grace(still: TestClock, store: Any) -> Contact:
    return make_contact(store, first_name="Grace", last_name="Hopper")


def ask(client: Client, policy: Policy, flow: Flow, **asked: Any) -> str:
    page = client.get(address("try_it", policy), {"rules": "published", "edge": "example", "flow": flow.pk} | asked)
    assert page.status_code == 200
    return page.content.decode()


def test_somebody_in_a_cap_waits_and_the_page_says_until_when(
    client: Client, policy: Policy, promo: Flow, grace: Contact
) -> None:
    texted(grace, 3, 2)
    page = ask(client, policy, promo, who="Hopper")
    assert "It waits until 09:00 on Thursday: quiet hours in America/New_York." in page
    assert "Full: at most 2 texts in 24 hours." in page
    assert "rules that did not object" in page and "Grace Hopper" in page


def test_nobody_objects_to_a_first_text_at_noon(client: Client, policy: Policy, promo: Flow, grace: Contact) -> None:
    assert "It may go at once: no rule objects." in ask(client, policy, promo, who="Grace")


def test_a_moment_is_on_the_clock_of_the_store(client: Client, policy: Policy, promo: Flow, grace: Contact) -> None:
    night = ask(client, policy, promo, who="Grace", day="2026-03-04", time="22:30")
    assert "It waits until 09:00 on Thursday: quiet hours in America/New_York." in night
    assert "22:30 on 4 March 2026" in night
    assert "<dt>America/New_York (US)</dt>" in night


def test_what_another_flow_plans_is_seen(client: Client, policy: Policy, promo: Flow, grace: Contact) -> None:
    cart = flow_of(policy.store, "Cart", priority="lifecycle")
    Enrollment.objects.create(
        store=policy.store, flow=cart, version=cart.current_version, contact=grace, wake_at=NOON + timedelta(minutes=30)
    )
    page = ask(client, policy, promo, who="Grace")
    assert escape("The flow “Cart”, which is more important, wants to text at 11:30.") in page


def test_the_draft_can_be_asked_instead(client: Client, policy: Policy, promo: Flow, grace: Contact) -> None:
    texted(grace, 3)
    draft = policy.get_latest_revision_as_object()
    draft.caps = [{"limit": 1, "window": "day"}]
    draft.save_revision()
    policy.refresh_from_db()
    assert "It may go at once" in ask(client, policy, promo, who="Grace")
    assert "Full: at most 1 text in 24 hours." in ask(client, policy, promo, who="Grace", rules="draft")


def test_the_panic_switch_speaks(client: Client, policy: Policy, promo: Flow, grace: Contact) -> None:
    PanicStop.objects.create(store=policy.store)
    assert "Panic switch" in ask(client, policy, promo, who="Grace").partition("rules that did not object")[0]


@pytest.mark.parametrize(
    ("edge", "rule"), [("opted_out", "Consent"), ("no_phone", "Phone number"), ("far", "Quiet hours")]
)
def test_people_who_are_made_up_can_be_asked_about(
    client: Client, policy: Policy, promo: Flow, edge: str, rule: str
) -> None:
    objected, _line, _rest = ask(client, policy, promo, edge=edge).partition("<details")
    assert f"<dt>{rule}</dt>" in objected


def test_several_people_of_a_name_are_offered(client: Client, policy: Policy, promo: Flow, grace: Contact) -> None:
    other = make_contact(policy.store, first_name="Grace", last_name="Kelly")
    page = ask(client, policy, promo, who="Grace")
    assert "Choose one of them" in page and "Kelly" in page
    assert "It may go at once" in ask(client, policy, promo, who="Grace", contact=other.pk)


@pytest.mark.parametrize("asked", [{"who": "Nobody"}, {"flow": 999_999}, {"flow": "x"}, {"day": "x"}, {"contact": "x"}])
def test_nonsense_is_answered_with_a_sentence(
    client: Client, policy: Policy, promo: Flow, grace: Contact, asked: dict[str, Any]
) -> None:
    page = client.get(
        address("try_it", policy), {"rules": "published", "edge": "example", "flow": promo.pk, "who": "Grace"} | asked
    )
    assert page.status_code == 200
    assert "It may go at once" not in page.content.decode() or asked == {"contact": "x"}


def test_people_and_flows_of_another_store_are_not_found(client: Client, policy: Policy, promo: Flow) -> None:
    other = make_store(name="Bolt", domain="bolt.myshopify.com")
    stranger = make_contact(other, first_name="Stranger")
    foreign = flow_of(other, "Foreign")
    assert "Nobody in this store has such a name" in ask(client, policy, promo, who="Stranger")
    assert "Nobody in this store" in ask(client, policy, promo, who="Stranger", contact=stranger.pk)
    assert "Foreign" not in ask(client, policy, foreign)


def test_who_sees_no_people_asks_about_made_up_ones(policy: Policy, promo: Flow, grace: Contact) -> None:
    user = make_user("dora", "Support", policy.store)
    role = user.store_memberships.get().role
    role.permissions.set(role.permissions.exclude(codename__contains="contact"))
    page = ask(client_of(user), policy, promo, who="Grace")
    assert "Grace" not in page and "It may go at once" in page


def test_asking_writes_nothing(client: Client, policy: Policy, promo: Flow, grace: Contact) -> None:
    def counts() -> dict[str, int]:
        models = apps.get_app_config("smsflow").get_models()
        return {model.__name__: model._default_manager.count() for model in models}

    before = counts()
    for rules in ("published", "draft"):
        ask(client, policy, promo, who="Grace", rules=rules)
    assert counts() == before


def test_a_cart_that_is_made_up_may_be_reminded_of_once(store: Any, still: TestClock, grace: Contact) -> None:
    flow = flow_of(store, "Cart", stage="cart")
    rules = rules_of([store])[store.pk]
    program = Program.from_json(flow.current_version.program)
    assert try_it(grace, store, flow, program, rules, NOON).decision.allowed
    grace.opt_in_level = "single"
    trial = try_it(grace, store, flow, program, rules, NOON)
    assert (trial.decision.verdict, trial.decision.reason) == (Verdict.SKIP, Reason.CART_OPT_IN)


def test_a_text_that_may_not_wait_long_is_dropped(store: Any, still: TestClock, grace: Contact) -> None:
    flow = flow_of(store, "Flash", hold=30)
    texted(grace, 0.1)
    program = Program.from_json(flow.current_version.program)
    send = program.instructions[1]
    grace.refresh_from_db()
    assert isinstance(send, Send)
    trial = try_it(grace, store, flow, program, rules_of([store])[store.pk], NOON, text=send)
    assert trial.decision.reason is Reason.STALE
    assert {finding.reason for finding in trial.spoke} == {Reason.MINIMUM_GAP}


def test_asking_takes_three_queries(
    store: Any, still: TestClock, grace: Contact, django_assert_max_num_queries: Any
) -> None:
    flow = flow_of(store, "Cart", stage="cart")
    rules = rules_of([store])[store.pk]
    program = Program.from_json(flow.current_version.program)
    for number in range(5):
        other = flow_of(store, f"Other {number}")
        Enrollment.objects.create(store=store, flow=other, version=other.current_version, contact=grace, wake_at=NOON)
    with django_assert_max_num_queries(3):
        try_it(grace, store, flow, program, rules, NOON)
