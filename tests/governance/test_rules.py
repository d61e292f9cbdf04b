"""Each rule alone: when it objects, with which reason, until when, and what it saw."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from smsflow_plugin.audience.places import Place
from smsflow_plugin.governance.decide import Finding, decide, explain
from smsflow_plugin.governance.policy import Cap, PolicyRules, Scope
from smsflow_plugin.governance.rules import Intent, MessageClass, Planned, Reason, Recipient, Sent, Situation, Verdict
from smsflow_plugin.governance.ruling import FIRM, PASSING

#: 11:00 in New York, a Wednesday.
NOON = datetime(2026, 3, 4, 16, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEW_YORK = Place("America/New_York", "US", "NY")
ADA = Recipient(True, "granted", "unknown", (NEW_YORK,), confirmed=True)
PROMO = Intent(MessageClass.MARKETING, flow=2, priority="promo", rank=2001, stage="news")
CART = Intent(
    MessageClass.MARKETING, flow=1, priority="lifecycle", rank=1001, stage="cart", cart="c1", cart_at=NOON - HOUR
)
SERVICE = Intent(MessageClass.SERVICE, flow=3, priority="service", rank=1)
REPLY = Intent(MessageClass.REPLY)
RULES = PolicyRules(recent_buyer_hours=48, exclusive_flows=frozenset({1}), blocked_countries=frozenset({"FR"}))


def reason(intent: Intent, person: Recipient, rules: PolicyRules = RULES, **situation: Any) -> Reason:
    return decide(intent, rules, person, NOON, Situation(**situation)).reason


@pytest.mark.parametrize(
    ("expected", "change"),
    [
        (Reason.SUPPRESSED, {"suppressed": "by_hand"}),
        (Reason.UNCLEAR_REPLY, {"doubtful": True}),
        (Reason.HANDED_OVER, {"handed_over": True}),
        (Reason.PREFERENCE, {"refused": frozenset({"news"})}),
        (Reason.OPEN_CASE, {"open_case": True}),
        (Reason.RECENT_BUYER, {"last_order_at": NOON - 47 * HOUR}),
        (Reason.IN_OTHER_FLOW, {"in_flows": frozenset({1})}),
        (Reason.COUNTRY, {"places": (NEW_YORK, Place("Europe/Paris", "FR"))}),
        (Reason.COUNTRY, {"places": (Place("Asia/Kolkata", "IN"),)}),
    ],
)
def test_what_waiting_cannot_heal_skips_a_promotion(expected: Reason, change: dict[str, Any]) -> None:
    decision = decide(PROMO, RULES, replace(ADA, **change), NOON)
    assert (decision.verdict, decision.reason) == (Verdict.SKIP, expected)
    assert decide(PROMO, RULES, ADA, NOON).allowed


@pytest.mark.parametrize(
    "change",
    [
        {"refused": frozenset({"news"})},
        {"open_case": True},
        {"last_order_at": NOON - 49 * HOUR},
        {"in_flows": frozenset({7})},
        {"doubtful": True, "refused": frozenset({"cart"}), "open_case": True},
    ],
)
def test_what_the_rules_for_promotions_do_not_say_holds_up_no_service_text(change: dict[str, Any]) -> None:
    assert decide(SERVICE, RULES, replace(ADA, **change), NOON).allowed


def test_a_reminder_goes_to_somebody_with_an_open_case_and_a_recent_order() -> None:
    assert decide(CART, RULES, replace(ADA, open_case=True, last_order_at=NOON - HOUR), NOON).allowed


def test_somebody_on_the_suppression_list_gets_no_service_text_either_but_stop_is_confirmed() -> None:
    listed = replace(ADA, suppressed="erased")
    assert reason(SERVICE, listed) is Reason.SUPPRESSED
    assert decide(REPLY, RULES, listed, NOON).allowed


def test_the_panic_switch_holds_up_everything_but_answers_to_stop() -> None:
    for intent in (PROMO, CART, SERVICE, replace(PROMO, answers=NOON)):
        held = decide(intent, RULES, ADA, NOON, Situation(panic=True))
        assert (held.verdict, held.reason) == (Verdict.DEFER, Reason.PANIC)
    assert decide(REPLY, RULES, ADA, NOON, Situation(panic=True)).allowed


# Carts in the US --------------------------------------------------------------------------------


def test_a_cart_reminder_needs_a_confirmed_opt_in_in_the_us() -> None:
    single = replace(ADA, confirmed=False)
    assert reason(CART, single) is Reason.CART_OPT_IN
    assert decide(CART, replace(RULES, cart_confirmed=False), single, NOON).allowed
    assert decide(CART, RULES, replace(single, places=(Place("Europe/Copenhagen", "DK"),)), NOON).allowed
    assert decide(PROMO, RULES, single, NOON).allowed


def test_a_second_text_about_the_same_cart_is_one_too_many_in_the_us_whatever_flow_sends_it() -> None:
    texted = replace(ADA, sends=(Sent(NOON - 3 * DAY, 9, "lifecycle", "cart", "c1"),))
    assert reason(CART, texted) is Reason.CART_RULE
    assert decide(replace(CART, cart="c2"), RULES, texted, NOON).allowed
    assert decide(CART, RULES, replace(texted, places=(Place("Europe/Copenhagen", "DK"),)), NOON).allowed


@pytest.mark.parametrize(("hours", "allowed"), [(47, True), (48, False), (100, False)])
def test_no_reminder_comes_later_than_48_hours_after_the_cart_was_left(hours: int, allowed: bool) -> None:
    late = replace(CART, cart_at=NOON - hours * HOUR)
    assert decide(late, RULES, ADA, NOON).allowed is allowed


def test_a_reminder_that_would_have_to_wait_beyond_the_48_hours_is_dropped_at_once() -> None:
    tired = replace(ADA, sends=(Sent(NOON - HOUR), Sent(NOON - 2 * HOUR)))
    waiting = decide(replace(CART, cart_at=NOON - 20 * HOUR), RULES, tired, NOON)
    assert (waiting.verdict, waiting.reason) == (Verdict.DEFER, Reason.CAP_DAY)
    dropped = decide(replace(CART, cart_at=NOON - 30 * HOUR), RULES, tired, NOON)
    assert (dropped.verdict, dropped.reason) == (Verdict.SKIP, Reason.CART_RULE)
    assert [note["rule"] for note in dropped.notes] == ["cap_day", "cart_rule"]
    assert dropped.notes[1]["which"] == "48 hours"


# Caps -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cap", "expected"),
    [
        (Cap(1, "hour"), Reason.CAP_HOUR),
        (Cap(1, "day"), Reason.CAP_DAY),
        (Cap(1, "week"), Reason.CAP_WEEK),
        (Cap(1, "month"), Reason.CAP_MONTH),
        (Cap(1, "day", Scope.PRIORITY, "promo"), Reason.CAP_DAY),
        (Cap(1, "day", Scope.STAGE, "news"), Reason.CAP_DAY),
        (Cap(1, "day", Scope.FLOW, "2"), Reason.CAP_DAY),
    ],
)
def test_a_cap_counts_what_it_is_about_and_holds_up_the_same(cap: Cap, expected: Reason) -> None:
    rules = PolicyRules(caps=(cap,), minimum_gap=0)
    sent = Sent(NOON - timedelta(minutes=30), 2, "promo", "news")
    held = decide(PROMO, rules, replace(ADA, sends=(sent,)), NOON)
    assert held.reason is expected
    assert {"limit": 1, "per": cap.window}.items() <= held.notes[0].items()
    if cap.of:
        other = replace(sent, flow=3, priority="lifecycle", stage="cart")
        assert decide(PROMO, rules, replace(ADA, sends=(other,)), NOON).allowed
        assert decide(CART, rules, replace(ADA, sends=(sent,)), NOON).allowed


def test_the_person_s_own_wish_is_a_cap_of_its_own() -> None:
    texted = replace(ADA, sends=(Sent(NOON - 3 * DAY),), per_week=1)
    held = decide(PROMO, PolicyRules(caps=()), texted, NOON)
    assert held.reason is Reason.PREFERENCE_WEEK
    assert held.until == NOON + 4 * DAY


def test_florida_and_oklahoma_allow_three_texts_in_24_hours() -> None:
    sends = tuple(Sent(NOON - n * HOUR) for n in (23, 22, 21))
    rules = PolicyRules(caps=(), minimum_gap=0)
    in_florida = replace(ADA, sends=sends, places=(Place("America/New_York", "US", "FL"),))
    assert decide(PROMO, rules, in_florida, NOON).reason is Reason.CAP_LAW
    assert decide(PROMO, rules, replace(in_florida, places=(NEW_YORK,)), NOON).allowed


def test_a_budget_that_is_spent_puts_marketing_off_and_nothing_else() -> None:
    broke = Situation(broke_until=NOON + 10 * HOUR)
    held = decide(PROMO, PolicyRules(week=((time(0), time(23, 59)),) * 7), ADA, NOON, broke)
    assert held.verdict is Verdict.DEFER
    assert held.until is not None
    assert held.until >= NOON + 10 * HOUR
    assert decide(SERVICE, RULES, ADA, NOON, broke).allowed


# What becomes of a text that may not go -----------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "text", "verdict"),
    [
        ("hold", "", Verdict.DEFER),
        ("drop", "", Verdict.SKIP),
        ("hold", "drop", Verdict.SKIP),
        ("drop", "hold", Verdict.DEFER),
    ],
)
def test_a_text_says_itself_what_becomes_of_it_and_else_the_policy_does(
    policy: str, text: str, verdict: Verdict
) -> None:
    rules = PolicyRules(when_blocked=policy)
    held = decide(replace(PROMO, when_blocked=text), rules, replace(ADA, sends=(Sent(NOON),)), NOON)
    assert (held.verdict, held.reason) == (verdict, Reason.MINIMUM_GAP)


def test_at_the_gate_a_queued_text_has_its_place_already() -> None:
    tired = replace(ADA, sends=(Sent(NOON),) * 9, planned=(Planned(NOON, 1),))
    assert decide(replace(PROMO, queued=True), RULES, tired, NOON, Situation(broke_until=NOON + DAY)).allowed
    night = NOON + 10 * HOUR
    assert decide(replace(PROMO, queued=True), RULES, tired, night).reason is Reason.QUIET_HOURS


def test_near_the_end_of_the_window_a_margin_keeps_the_text_back() -> None:
    ten_to_eight = NOON + 8 * HOUR + timedelta(minutes=50)
    assert decide(PROMO, RULES, ADA, ten_to_eight).allowed
    assert not decide(PROMO, RULES, ADA, ten_to_eight, margin=timedelta(minutes=10)).allowed
    assert decide(PROMO, RULES, ADA, ten_to_eight - timedelta(minutes=1), margin=timedelta(minutes=10)).allowed


# Telling ----------------------------------------------------------------------------------------


def test_every_rule_is_asked_on_its_own_and_says_what_it_saw() -> None:
    tired = replace(ADA, suppressed="by_hand", open_case=True, sends=(Sent(NOON - HOUR / 2), Sent(NOON)))
    findings = {finding.rule: finding for finding in explain(PROMO, RULES, tired, NOON)}
    assert list(findings) == [rule.name for rule in (*FIRM, *PASSING)]
    assert findings["suppression"].values == {"listed": "by_hand"}
    assert findings["open_case"].reason is Reason.OPEN_CASE
    assert findings["caps"].until == NOON - HOUR / 2 + DAY
    assert findings["consent"] == Finding("consent", asked=True)
    assert not any(finding.asked for finding in explain(REPLY, RULES, ADA, NOON) if finding.rule in ("caps", "consent"))


def test_what_decided_is_among_what_every_rule_says() -> None:
    for change in ({"suppressed": "x"}, {"sends": (Sent(NOON),)}, {"planned": (Planned(NOON + HOUR / 2, 1),)}):
        person = replace(ADA, **change)  # type: ignore[arg-type]
        assert decide(PROMO, RULES, person, NOON).reason in {f.reason for f in explain(PROMO, RULES, person, NOON)}


def test_no_two_rules_have_the_same_name() -> None:
    names = [rule.name for rule in (*FIRM, *PASSING)]
    assert len(names) == len(set(names))
