"""A promotion never takes the place that a more important text needs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_plugin.audience.places import Place
from smsflow_plugin.governance.decide import decide
from smsflow_plugin.governance.policy import Cap, PolicyRules
from smsflow_plugin.governance.rules import Intent, MessageClass, Planned, Reason, Recipient, Sent, Verdict

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ALWAYS_OPEN = PolicyRules(week=((time(0), time.max),) * 7, caps=(Cap(2, "day"),), minimum_gap=60, look_ahead=24 * 60)
ADA = Recipient(True, "granted", "unknown", (Place("UTC"),), confirmed=True)
CART, PROMO = 1001, 2001


def promo(**values: object) -> Intent:
    return replace(Intent(MessageClass.MARKETING, flow=2, priority="promo", rank=PROMO), **values)  # type: ignore[arg-type]


def planned(*moments: datetime, rank: int = CART) -> tuple[Planned, ...]:
    return tuple(Planned(at, rank, 1, "lifecycle") for at in moments)


def test_a_promotion_waits_until_the_cart_reminder_of_the_next_hour_is_out_and_has_had_its_gap() -> None:
    ada = replace(ADA, planned=planned(NOON + 30 * MINUTE))
    decision = decide(promo(), ALWAYS_OPEN, ada, NOON)
    assert (decision.verdict, decision.reason) == (Verdict.DEFER, Reason.LOOK_AHEAD)
    assert decision.until == NOON + 90 * MINUTE
    assert decision.notes[0]["flow"] == 1


def test_a_promotion_leaves_the_last_place_of_the_day_to_the_reminder() -> None:
    ada = replace(ADA, sends=(Sent(NOON - 3 * HOUR),), planned=planned(NOON + 5 * HOUR))
    decision = decide(promo(), ALWAYS_OPEN, ada, NOON)
    assert (decision.reason, decision.until) == (Reason.LOOK_AHEAD, NOON + 21 * HOUR)


def test_a_reminder_beyond_the_horizon_holds_up_nothing() -> None:
    rules = replace(ALWAYS_OPEN, look_ahead=60)
    assert decide(promo(), rules, replace(ADA, planned=planned(NOON + 2 * HOUR)), NOON).allowed


def test_neither_an_equal_nor_a_lesser_text_is_waited_for() -> None:
    for rank in (PROMO, PROMO + 1):
        assert decide(promo(), ALWAYS_OPEN, replace(ADA, planned=planned(NOON + MINUTE, rank=rank)), NOON).allowed


def test_a_cap_that_does_not_count_the_promotion_is_not_its_business() -> None:
    rules = replace(ALWAYS_OPEN, minimum_gap=0, caps=(Cap(1, "day", "stage", "cart"),))
    ada = replace(ADA, planned=(Planned(NOON + HOUR, CART, 1, "lifecycle", "cart"),))
    assert decide(promo(), rules, ada, NOON).allowed


def test_a_promotion_that_would_rather_be_dropped_is_dropped_with_the_reason() -> None:
    ada = replace(ADA, planned=planned(NOON + 30 * MINUTE))
    decision = decide(promo(when_blocked="drop"), ALWAYS_OPEN, ada, NOON)
    assert (decision.verdict, decision.reason) == (Verdict.SKIP, Reason.LOOK_AHEAD)
    assert decision.notes[-1] == {"dropped": True}


minutes = st.integers(0, 30 * 60)
rules_of_any_kind = st.builds(
    lambda day, week, gap: replace(ALWAYS_OPEN, caps=(Cap(day, "day"), Cap(week, "week")), minimum_gap=gap),
    st.integers(1, 3), st.integers(2, 5), st.integers(0, 180),
)  # fmt: skip


@settings(max_examples=300)
@given(
    rules_of_any_kind,
    st.lists(minutes, max_size=3),
    st.lists(minutes, min_size=1, max_size=3),
    st.lists(minutes, min_size=1, max_size=4),
)
def test_a_lower_class_never_delays_a_higher_one_that_is_planned(
    rules: PolicyRules, past: list[int], reminders: list[int], promos: list[int]
) -> None:
    sends = tuple(Sent(NOON - timedelta(minutes=n)) for n in sorted(past, reverse=True))
    alone = day_of(rules, sends, reminders, [])
    together = day_of(rules, sends, reminders, promos)
    assert together["lifecycle"] == alone["lifecycle"]


def day_of(
    rules: PolicyRules, sends: tuple[Sent, ...], reminders: list[int], promos: list[int]
) -> dict[str, list[datetime]]:
    """Play everything that one person is due, minute by minute of what happens, and return when what went.

    The reminders are planned from the start, all within the horizon; what is put off comes back when it was told to.
    """
    rules = replace(rules, look_ahead=100 * 24 * 60)
    waiting = [
        *((NOON + timedelta(minutes=n), CART + place, "lifecycle") for place, n in enumerate(sorted(reminders))),
        *((NOON + timedelta(minutes=n), PROMO + place, "promo") for place, n in enumerate(sorted(promos))),
    ]
    went: dict[str, list[datetime]] = {"lifecycle": [], "promo": []}
    while waiting:
        at, rank, name = min(waiting)
        waiting.remove((at, rank, name))
        others = tuple(Planned(due, other, 0, kind) for due, other, kind in waiting)
        person = replace(ADA, sends=sends, planned=others)
        decision = decide(Intent(MessageClass.MARKETING, priority=name, rank=rank), rules, person, at)
        if decision.until:
            waiting.append((decision.until, rank, name))
        elif decision.allowed:
            sends = (*sends, Sent(at))
            went[name].append(at)
    return went


@given(st.lists(minutes, min_size=2, max_size=4), st.lists(minutes, max_size=4))
def test_the_order_in_which_plans_are_listed_changes_nothing(plans: list[int], past: list[int]) -> None:
    sends = tuple(Sent(NOON - timedelta(minutes=n)) for n in sorted(past, reverse=True))
    texts = [Planned(NOON + timedelta(minutes=n), CART + n) for n in plans]
    answers = {
        decide(promo(), ALWAYS_OPEN, replace(ADA, sends=sends, planned=tuple(order)), NOON).until
        for order in permutations(texts)
    }
    assert len(answers) == 1
