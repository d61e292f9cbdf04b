"""May this text go to this person now?"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_plugin.audience.places import Place
from smsflow_plugin.governance.decide import consent_problem, decide
from smsflow_plugin.governance.hours import Window
from smsflow_plugin.governance.policy import Cap, PolicyRules
from smsflow_plugin.governance.quiet_hours import is_open
from smsflow_plugin.governance.rules import Intent, MessageClass, Reason, Recipient, Sent, Situation, Verdict

#: 11:00 in New York.
NOON = datetime(2026, 3, 4, 16, 0, tzinfo=UTC)
NIGHT = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)
MORNING = datetime(2026, 3, 5, 14, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

MARKETING = Intent(MessageClass.MARKETING)
SERVICE = Intent(MessageClass.SERVICE)
REPLY = Intent(MessageClass.REPLY)
OPTIN = Intent(MessageClass.OPTIN)
RULES = PolicyRules()
ADA = Recipient(
    has_phone=True, marketing_consent="granted", service_consent="unknown", places=(Place("America/New_York"),)
)


def texts(*moments: datetime) -> tuple[Sent, ...]:
    return tuple(map(Sent, moments))


def test_a_text_to_somebody_who_agreed_goes_at_once_in_the_daytime() -> None:
    decision = decide(MARKETING, RULES, ADA, NOON)
    assert decision.allowed
    assert decision.reason is Reason.ALLOWED
    assert decision.notes == ()


@pytest.mark.parametrize("consent", ["unknown", "pending", ""])
def test_marketing_needs_a_yes(consent: str) -> None:
    decision = decide(MARKETING, RULES, replace(ADA, marketing_consent=consent), NOON)
    assert (decision.verdict, decision.reason) == (Verdict.SKIP, Reason.NO_CONSENT)


def test_somebody_who_opted_out_gets_no_marketing() -> None:
    gone = replace(ADA, marketing_consent="revoked")
    assert decide(MARKETING, RULES, gone, NOON).reason is Reason.OPTED_OUT
    assert decide(SERVICE, RULES, gone, NOON).allowed


def test_order_news_need_no_yes_but_a_no_ends_them() -> None:
    assert decide(SERVICE, RULES, replace(ADA, marketing_consent="unknown"), NOON).allowed
    silent = replace(ADA, service_consent="revoked")
    assert decide(SERVICE, RULES, silent, NOON).reason is Reason.OPTED_OUT


def test_stop_is_confirmed_to_somebody_who_opted_out_even_at_night() -> None:
    gone = replace(ADA, marketing_consent="revoked", service_consent="revoked", sends=(Sent(NIGHT),) * 9)
    assert decide(REPLY, PolicyRules(quiet_service=True), gone, NIGHT).allowed


@pytest.mark.parametrize(
    ("consent", "reason"),
    [
        ("pending", Reason.ALLOWED),
        ("granted", Reason.ALLOWED),
        ("unknown", Reason.NO_CONSENT),
        ("revoked", Reason.OPTED_OUT),
    ],
)
def test_the_question_of_a_double_opt_in_goes_to_those_who_asked_for_texts(consent: str, reason: Reason) -> None:
    ada = replace(ADA, marketing_consent=consent, sends=(Sent(NOON),) * 9)
    assert decide(OPTIN, RULES, ada, NOON).reason is reason


def test_the_question_of_a_double_opt_in_waits_for_the_morning() -> None:
    assert decide(OPTIN, RULES, replace(ADA, marketing_consent="pending"), NIGHT).until == MORNING


@pytest.mark.parametrize("message_class", [MessageClass.MARKETING, MessageClass.SERVICE, MessageClass.OPTIN])
def test_an_answer_goes_at_night_and_above_every_cap_for_an_hour(message_class: MessageClass) -> None:
    rules = PolicyRules(quiet_service=True)
    ada = replace(ADA, sends=(Sent(NIGHT),) * 9)
    answer = Intent(message_class, answers=NIGHT)
    assert decide(answer, rules, ada, NIGHT + HOUR).allowed
    assert not decide(answer, rules, ada, NIGHT + HOUR + timedelta(seconds=1)).allowed


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"marketing_consent": "revoked"}, Reason.OPTED_OUT),
        ({"marketing_consent": "unknown"}, Reason.NO_CONSENT),
        ({"has_phone": False}, Reason.NO_PHONE),
        ({"handed_over": True}, Reason.HANDED_OVER),
    ],
)
def test_an_answer_needs_consent_and_everything_else_all_the_same(change: dict[str, Any], reason: Reason) -> None:
    answer = Intent(MessageClass.MARKETING, answers=NIGHT)
    assert decide(answer, RULES, replace(ADA, **change), NIGHT).reason is reason
    assert decide(replace(answer, expires_at=NIGHT), RULES, ADA, NIGHT).reason is Reason.STALE


def test_no_flow_texts_somebody_whom_staff_has_taken_over_but_stop_is_confirmed() -> None:
    taken = replace(ADA, handed_over=True)
    assert decide(SERVICE, RULES, taken, NOON).reason is Reason.HANDED_OVER
    assert decide(REPLY, RULES, taken, NOON).allowed


def test_the_hard_reasons_come_first_and_in_order() -> None:
    nobody = Recipient(False, "revoked", "revoked", ())
    late = Intent(MessageClass.MARKETING, expires_at=NOON)
    assert decide(late, RULES, nobody, NOON, Situation(active=False, panic=True)).reason is Reason.STORE_OFF
    assert decide(late, RULES, nobody, NOON, Situation(panic=True)).reason is Reason.PANIC
    assert decide(late, RULES, nobody, NOON).reason is Reason.NO_PHONE
    assert decide(late, RULES, replace(ADA, marketing_consent="revoked"), NOON).reason is Reason.OPTED_OUT
    assert decide(late, RULES, ADA, NOON).reason is Reason.STALE


def test_marketing_waits_for_the_morning_and_order_news_only_when_the_store_wants_it() -> None:
    decision = decide(MARKETING, RULES, ADA, NIGHT)
    assert (decision.verdict, decision.reason, decision.until) == (Verdict.DEFER, Reason.QUIET_HOURS, MORNING)
    assert decide(SERVICE, RULES, ADA, NIGHT).allowed
    quiet = decide(SERVICE, PolicyRules(quiet_service=True), ADA, NIGHT)
    assert (quiet.reason, quiet.until) == (Reason.QUIET_HOURS, MORNING)


def test_a_cap_frees_a_place_exactly_24_hours_after_the_text_that_took_it() -> None:
    ada = replace(ADA, sends=texts(NOON - 23 * HOUR, NOON - 2 * HOUR))
    decision = decide(MARKETING, RULES, ada, NOON)
    assert (decision.verdict, decision.reason, decision.until) == (Verdict.DEFER, Reason.CAP_DAY, NOON + HOUR)
    assert not decide(MARKETING, RULES, ada, NOON + HOUR - timedelta(seconds=1)).allowed
    assert decide(MARKETING, RULES, ada, NOON + HOUR).allowed


def test_the_cap_of_a_week_counts_seven_days() -> None:
    sends = tuple(NOON - timedelta(days=days) for days in (6, 5, 4, 3, 2))
    decision = decide(MARKETING, RULES, replace(ADA, sends=texts(*sends)), NOON)
    assert (decision.reason, decision.until) == (Reason.CAP_WEEK, NOON + timedelta(days=1))


def test_two_texts_keep_their_distance() -> None:
    ada = replace(ADA, sends=texts(NOON - timedelta(minutes=10)))
    decision = decide(MARKETING, RULES, ada, NOON)
    assert (decision.reason, decision.until) == (Reason.MINIMUM_GAP, NOON + timedelta(minutes=50))


def test_neither_caps_nor_distance_hold_up_order_news() -> None:
    assert decide(SERVICE, RULES, replace(ADA, sends=(Sent(NOON),) * 9), NOON).allowed


def test_a_cap_that_ends_at_night_waits_on_for_the_morning_and_both_rules_are_noted() -> None:
    ada = replace(ADA, sends=texts(NIGHT - 24 * HOUR, NIGHT - 23 * HOUR))
    decision = decide(MARKETING, RULES, ada, NIGHT - 5 * HOUR)
    assert (decision.reason, decision.until) == (Reason.QUIET_HOURS, MORNING)
    assert [note["rule"] for note in decision.notes] == ["cap_day", "quiet_hours"]
    assert json.loads(json.dumps(decision.notes))[1]["until"] == MORNING.isoformat()


def test_the_rule_that_decides_on_the_time_gives_the_reason() -> None:
    ada = replace(ADA, sends=texts(NIGHT - 4 * HOUR, NIGHT - 3 * HOUR))
    decision = decide(MARKETING, RULES, ada, NIGHT)
    assert (decision.reason, decision.until) == (Reason.CAP_DAY, NIGHT + 20 * HOUR)
    assert {note["rule"] for note in decision.notes} == {"quiet_hours", "cap_day"}


def test_a_text_that_would_come_too_late_is_skipped_now() -> None:
    late = Intent(MessageClass.MARKETING, expires_at=MORNING)
    decision = decide(late, RULES, ADA, NIGHT)
    assert (decision.verdict, decision.reason) == (Verdict.SKIP, Reason.STALE)
    assert decision.notes[0]["rule"] == "quiet_hours"
    in_time = Intent(MessageClass.MARKETING, expires_at=MORNING + timedelta(seconds=1))
    assert decide(in_time, RULES, ADA, NIGHT).until == MORNING


def test_somebody_whose_zones_are_never_open_together_is_skipped() -> None:
    rules = PolicyRules(week=((time(9), time(12)),) * 7)
    both = (Place("America/New_York"), Place("Asia/Tokyo"))
    decision = decide(MARKETING, rules, replace(ADA, places=both), NOON - 9 * HOUR)
    assert (decision.verdict, decision.reason) == (Verdict.SKIP, Reason.NEVER_OPEN)


def test_a_cap_of_nothing_lets_nothing_through() -> None:
    decision = decide(MARKETING, PolicyRules(caps=(Cap(0, "day"),)), ADA, NOON)
    assert (decision.verdict, decision.reason) == (Verdict.SKIP, Reason.CAP_DAY)


moments = st.integers(0, 10 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes))
windows: st.SearchStrategy[Window] = st.tuples(st.integers(0, 12).map(time), st.integers(13, 23).map(time))
policies = st.builds(
    PolicyRules,
    week=windows.map(lambda window: (window,) * 7),
    caps=st.tuples(
        st.builds(Cap, st.integers(1, 3), st.just("day")), st.builds(Cap, st.integers(1, 6), st.just("week"))
    ),
    minimum_gap=st.integers(0, 300),
    quiet_service=st.booleans(),
)
people = st.builds(
    Recipient,
    has_phone=st.sampled_from([True, True, True, False]),
    marketing_consent=st.sampled_from(["granted", "granted", "revoked", "pending", "unknown"]),
    service_consent=st.sampled_from(["granted", "unknown", "revoked"]),
    places=st.lists(
        st.sampled_from(["America/New_York", "America/Los_Angeles", "Europe/Copenhagen", "Asia/Kolkata"]).map(Place),
        min_size=1,
        max_size=3,
    ).map(tuple),
    sends=st.lists(moments, max_size=8).map(lambda sends: texts(*sorted(sends))),
    handed_over=st.sampled_from([False, False, False, True]),
)
intents = st.builds(Intent, st.sampled_from(MessageClass), st.none() | moments, st.none() | st.none() | moments)


@settings(deadline=None, max_examples=400)
@given(intents, policies, people, moments)
def test_whatever_is_allowed_breaks_no_rule(
    intent: Intent, rules: PolicyRules, person: Recipient, now: datetime
) -> None:
    if not decide(intent, rules, person, now).allowed:
        return
    assert person.has_phone
    assert consent_problem(intent.message_class, person) is None
    assert intent.expires_at is None or intent.expires_at > now
    assert not person.handed_over or intent.message_class is MessageClass.REPLY
    if intent.answers and now - intent.answers <= HOUR:
        return  # the person has just written: neither the hour nor a cap counts
    marketing = intent.message_class is MessageClass.MARKETING
    optin = intent.message_class is MessageClass.OPTIN
    if marketing or optin or (intent.message_class is MessageClass.SERVICE and rules.quiet_service):
        assert is_open(now, person.places, rules.hours if marketing or optin else rules.service_hours)
    if marketing:
        sends = sorted([*(sent.at for sent in person.sends), now])
        assert person.marketing_consent == "granted"
        for cap in rules.caps:
            assert sum(now - cap.length < send <= now for send in sends) <= cap.limit
        assert all(abs(now - sent.at) >= timedelta(minutes=rules.minimum_gap) for sent in person.sends)


@settings(deadline=None, max_examples=400)
@given(intents, policies, people, moments, st.integers(1, 10_000))
def test_a_deferral_ends_at_the_first_moment_that_is_allowed(
    intent: Intent, rules: PolicyRules, person: Recipient, now: datetime, seconds: int
) -> None:
    decision = decide(intent, rules, person, now)
    if decision.verdict is not Verdict.DEFER:
        assert decision.until is None
        return
    assert decision.until is not None
    assert decision.until > now
    assert decide(intent, rules, person, decision.until).allowed
    assert decision.reason.value in {note["rule"] for note in decision.notes}
    before = max(now, decision.until - timedelta(seconds=seconds))
    assert not decide(intent, rules, person, before).allowed
