"""Governance as runs meet it: levels, the order of flows, what is planned, what people chose, and the ledger."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smsflow_plugin.audience.preference_links import contact_of
from smsflow_plugin.engine import governor
from smsflow_plugin.engine.advance import advance
from smsflow_plugin.flows.program import Reentry, Send, Wait
from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.models import Contact, Decision, Enrollment, Message, PanicStop, Policy, PolicyVersion, Store
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened, make_flow, pump
from tests.factories import caps, make_contact

ADA = "+12025550101"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def ada(store: Store) -> Contact:
    return make_contact(store, phone=ADA)


def send(text: str = "Hello", step: str = "s1") -> Send:
    return Send(step, {"": text})


def told() -> dict[str, tuple[str, str]]:
    return {d.flow.name: (d.verdict, d.reason) for d in Decision.objects.select_related("flow").order_by("pk")}


def test_a_promotion_waits_for_the_reminder_that_is_planned_within_the_hour(store: Store, ada: Contact) -> None:
    Policy.objects.update(caps=caps(1))
    make_flow(store, Wait("w", 1, "hours"), send("Cart"), name="Cart")
    make_flow(store, send("Sale"), name="Sale", priority="promo", trigger="order_created")
    happened(store, "opted_in")
    pump()
    happened(store, "order_created")
    pump()
    assert not Message.objects.exists()
    assert told() == {"Sale": ("defer", "look_ahead")}
    assert Enrollment.objects.get(flow__name="Sale").wake_at == NOON + 25 * HOUR


def test_the_reminder_then_goes_at_its_own_time(store: Store, ada: Contact, still: TestClock) -> None:
    Policy.objects.update(caps=caps(1))
    make_flow(store, Wait("w", 1, "hours"), send("Cart"), name="Cart")
    make_flow(store, send("Sale"), name="Sale", priority="promo", trigger="order_created")
    happened(store, "opted_in")
    pump()
    happened(store, "order_created")
    pump()
    still.move(hours=1)
    pump()
    assert [m.flow.name for m in Message.objects.all()] == ["Cart"]
    still.move(hours=24)
    pump()
    assert [m.flow.name for m in Message.objects.order_by("pk")] == ["Cart", "Sale"]


def test_the_order_of_the_store_s_policy_decides_within_a_class(store: Store, ada: Contact) -> None:
    first = make_flow(store, send("A"), name="A", priority_number=1)
    second = make_flow(store, send("B"), name="B", priority_number=2)
    Policy.objects.update(flow_order=[second.pk, first.pk])
    happened(store, "opted_in")
    pump()
    assert Message.objects.get().flow == second


def test_the_order_of_the_policy_never_lifts_a_promotion_above_a_lifecycle_flow(store: Store, ada: Contact) -> None:
    cart = make_flow(store, send("Cart"), name="Cart")
    sale = make_flow(store, send("Sale"), name="Sale", priority="promo")
    Policy.objects.update(flow_order=[sale.pk, cart.pk])
    happened(store, "opted_in")
    pump()
    assert Message.objects.get().flow == cart


def test_a_cap_of_one_stage_leaves_others_alone(store: Store, ada: Contact) -> None:
    rows = [{"limit": 1, "window": "day", "scope": "stage", "of": "news"}]
    Policy.objects.update(caps=rows, minimum_gap=0)
    for n in (1, 2):
        make_flow(store, send(f"News {n}"), name=f"News {n}", stage="news", priority_number=n)
    make_flow(store, send("Welcome"), name="Welcome", stage="welcome", priority_number=3)
    happened(store, "opted_in")
    pump()
    assert told() == {
        "News 1": ("allow", "allowed"), "News 2": ("defer", "cap_day"), "Welcome": ("allow", "allowed"),
    }  # fmt: skip


def test_a_flow_s_own_limit_holds_beside_the_store_s(store: Store, ada: Contact) -> None:
    Policy.objects.update(caps=caps(9, 9), minimum_gap=0)
    make_flow(store, send(), name="Few", trigger="order_created", reentry=Reentry("always"), cap_day=1)
    for n in (1, 2):
        happened(store, "order_created", key=str(n))
        pump()
    assert [d.reason for d in Decision.objects.order_by("pk")] == ["allowed", "cap_day"]


def test_the_site_s_rules_hold_in_every_store(store: Store, ada: Contact) -> None:
    Policy.objects.create(store=None, caps=caps(1, 1))
    Policy.objects.filter(store=store).update(caps=caps(5, 9), minimum_gap=0)
    for n in (1, 2):
        make_flow(store, send(), name=str(n), priority_number=n)
    happened(store, "opted_in")
    pump()
    assert told()["2"][0] == "defer"


def test_a_draft_of_the_rules_counts_only_when_it_is_published(store: Store, ada: Contact) -> None:
    policy = Policy.objects.get(store=store)
    policy.minimum_gap = 500
    revision = policy.save_revision()
    assert rules_of([store])[store.pk].rules.minimum_gap == 60
    revision.publish()
    assert rules_of([store])[store.pk].rules.minimum_gap == 500


def test_what_people_chose_holds(store: Store) -> None:
    make_contact(store, phone=ADA, preferences={"refused": ["news"]})
    make_flow(store, send(), name="News", stage="news")
    make_flow(store, send(), name="Welcome", stage="welcome")
    happened(store, "opted_in")
    pump()
    assert told() == {"News": ("skip", "preference"), "Welcome": ("allow", "allowed")}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"doubtful_at": NOON}, "unclear_reply"),
        ({"open_case_at": NOON}, "open_case"),
        ({"opt_in_level": "single"}, "cart_opt_in"),
    ],
)
def test_what_is_known_of_a_person_reaches_the_rules(store: Store, change: dict[str, object], reason: str) -> None:
    make_contact(store, phone=ADA, **change)
    about_cart = reason == "cart_opt_in"
    make_flow(
        store, send(), priority="promo", stage="cart" if about_cart else "", trigger="checkout_updated",
        reentry=Reentry("subject"),
    )  # fmt: skip
    happened(store, "checkout_updated", subject="c1")
    pump()
    assert [d.reason for d in Decision.objects.all()] == [reason]


def test_nobody_gets_a_promotion_while_a_case_of_theirs_is_open(store: Store, ada: Contact, still: TestClock) -> None:
    """Events told of cases and nothing was kept of them: the setting had nothing to go by."""
    make_flow(store, send(), priority="promo", reentry=Reentry("always"), trigger="browsed")
    happened(store, "case_opened", subject="1")
    happened(store, "case_opened", subject="2", at=NOON + timedelta(minutes=5))
    still.move(minutes=10)
    happened(store, "case_closed", subject="1")
    pump()
    ada.refresh_from_db()
    assert ada.open_case_at == NOON + timedelta(minutes=5), "the other one is open"
    happened(store, "browsed")
    pump()
    assert [d.reason for d in Decision.objects.all()] == ["open_case"]
    happened(store, "case_closed", subject="2")
    happened(store, "case_opened", subject="2", at=NOON + timedelta(minutes=1))  # told late
    happened(store, "browsed")
    pump()
    ada.refresh_from_db()
    assert (ada.open_case_at, Decision.objects.filter(verdict="allow").count()) == (None, 1)


def test_a_cart_is_reminded_of_once_whatever_flows_are_about_it(store: Store, ada: Contact, still: TestClock) -> None:
    Policy.objects.update(minimum_gap=0)
    for name in ("Early", "Late"):
        make_flow(
            store, Wait("w", 1 if name == "Early" else 2, "hours"), send(name), name=name, stage="cart",
            trigger="checkout_updated", reentry=Reentry("subject"),
        )  # fmt: skip
    happened(store, "checkout_updated", subject="c1")
    pump()
    still.move(hours=3)
    pump()
    assert told() == {"Early": ("allow", "allowed"), "Late": ("skip", "cart_rule")}


def test_every_decision_names_the_rules_that_it_was_made_by(store: Store, ada: Contact, still: TestClock) -> None:
    make_flow(store, send(), trigger="order_created", reentry=Reentry("always"))
    happened(store, "order_created", key="1")
    pump()
    before = PolicyVersion.objects.get()
    Policy.objects.update(minimum_gap=5)
    still.move(hours=2)
    happened(store, "order_created", key="2")
    pump()
    first, second = Decision.objects.order_by("pk").values_list("policy_id", flat=True)
    assert (first, before.rules["minimum_gap"]) == (before.pk, 60)
    assert PolicyVersion.objects.get(pk=second).rules["minimum_gap"] == 5


def test_rules_that_come_back_are_the_same_version(store: Store) -> None:
    first = rules_of([store])[store.pk].rules.version
    Policy.objects.update(minimum_gap=5)
    other = rules_of([store])[store.pk].rules.version
    Policy.objects.update(minimum_gap=None)
    assert rules_of([store])[store.pk].rules.version == first != other


def test_nothing_leaves_while_the_panic_switch_is_pressed_and_everything_after(
    store: Store, ada: Contact, still: TestClock
) -> None:
    make_flow(store, send())
    happened(store, "opted_in")
    stop = PanicStop.objects.create(store=store)
    pump()
    assert not Message.objects.exists()
    stop.released_at = NOON
    stop.save()
    still.move(minutes=20)
    pump()
    assert Message.objects.count() == 1
    PanicStop.objects.create(store=None)
    dispatch()
    assert Message.objects.get().state == "queued"


def test_texts_that_count_are_forgotten_when_no_cap_can_see_them(store: Store, ada: Contact, still: TestClock) -> None:
    make_flow(store, send(), trigger="order_created", reentry=Reentry("always"))
    for days in (0, 10, 25):
        still.at = NOON + timedelta(days=days)
        happened(store, "order_created", key=str(days), at=still.at)
        pump()
    ada.refresh_from_db()
    assert [row[0] for row in ada.recent_sends] == [(NOON + timedelta(days=n)).timestamp() for n in (0, 10, 25)]
    still.at = NOON + timedelta(days=35)
    happened(store, "order_created", key="last", at=still.at)
    pump()
    ada.refresh_from_db()
    assert len(ada.recent_sends) == 3


def test_texts_that_an_older_version_noted_count_as_well(store: Store, ada: Contact) -> None:
    Contact.objects.update(recent_sends=[(NOON - 2 * HOUR).timestamp(), (NOON - HOUR).timestamp()])
    make_flow(store, send())
    happened(store, "opted_in")
    pump()
    assert told() == {"Flow": ("defer", "cap_day")}
    assert advance() == 0


def test_a_text_carries_the_link_to_the_person_s_own_page_and_nobody_else_s(store: Store, ada: Contact) -> None:
    bea = make_contact(store, phone="+12025550102")
    make_flow(store, send("Your texts: {{ contact.preferences_link }}"))
    happened(store, "opted_in", phone=ADA)
    happened(store, "opted_in", phone="+12025550102")
    pump()
    for contact in (ada, bea):
        text = Message.objects.get(contact=contact).body
        token = text.partition("/preferences/")[2].partition("/")[0]
        assert contact_of(token) == contact


def test_no_link_is_signed_for_copy_without_it(store: Store, ada: Contact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(governor, "preference_url", lambda contact: pytest.fail("signed for nothing"))
    make_flow(store, send("Hello {{ contact.first_name }}"))
    happened(store, "opted_in")
    pump()
    assert Message.objects.count() == 1
