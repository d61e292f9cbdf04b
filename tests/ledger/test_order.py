"""Statements come late, twice and in any order: what holds at the end is always the same."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_plugin.audience.consent import CONFIRMED, Consent, ConsentState, Proof, apply

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
DAY = NOW + timedelta(days=1)

#: Who speaks: (source, in the person's own words, dated).
SOURCES = [
    ("keyword", True, True),
    ("double_opt_in", True, True),
    ("staff", True, True),
    ("shopify_customer", False, True),
    ("shopify_customer", False, False),
    ("shopify_checkout", False, True),
]


@st.composite
def consents(draw: st.DrawFn) -> Consent:
    source, own, dated = draw(st.sampled_from(SOURCES))
    action = draw(st.sampled_from(["granted", "revoked"] if own else ["granted", "revoked", "pending"]))
    scope = draw(st.sampled_from(["marketing", "all"])) if action == "revoked" else "marketing"
    level = CONFIRMED if source == "double_opt_in" else ""
    at = NOW + timedelta(minutes=draw(st.integers(0, 6)))
    return Consent(action, scope, source, at, "k", own_words=own, dated=dated, proof=Proof(opt_in_level=level))


def after(statements: list[Consent], *, stored: bool = False) -> ConsentState:
    """What holds after all of them; ``stored``: the state lies in the contact's columns in between."""
    state = ConsentState()
    for statement in statements:
        state = apply(state, statement, DAY)
        if stored:
            state = ConsentState.of(*state.columns, state.marks)
    return state


def held(state: ConsentState) -> tuple[object, ...]:
    return state.columns, state.level


@settings(max_examples=400)
@given(st.lists(consents(), min_size=1, max_size=7), st.randoms(), st.data())
def test_the_outcome_does_not_depend_on_order_or_repetition(
    said: list[Consent], chance: random.Random, data: st.DataObject
) -> None:
    again = said + data.draw(st.lists(st.sampled_from(said), max_size=4))
    shuffled = list(again)
    chance.shuffle(shuffled)
    assert held(after(shuffled, stored=True)) == held(after(said)) == held(after(again))


@settings(max_examples=400)
@given(st.lists(consents(), max_size=6), st.randoms())
def test_a_stop_is_undone_only_by_a_later_word(said: list[Consent], chance: random.Random) -> None:
    stop = Consent("revoked", "all", "keyword", NOW + timedelta(minutes=3), "k", own_words=True)
    shuffled = [*said, stop]
    chance.shuffle(shuffled)
    state = after(shuffled, stored=True)
    later = [one for one in said if one.action == "granted" and one.dated and one.effective_at > stop.effective_at]
    if not later:
        assert (state.marketing, state.service, state.level) == ("revoked", "revoked", "")


@given(st.sampled_from(SOURCES))
def test_of_two_of_the_same_time_the_stop_wins(who: tuple[str, bool, bool]) -> None:
    source, own, dated = who
    stop = Consent("revoked", "all", "keyword", NOW, "k", own_words=True)
    grant = Consent("granted", "marketing", source, NOW, "k", own_words=own, dated=dated)
    assert after([stop, grant]).opted_out
    assert after([grant, stop]).opted_out


def test_of_a_start_and_a_refusal_of_the_shop_of_the_same_time_the_own_word_wins() -> None:
    start = Consent("granted", "marketing", "keyword", NOW, "k", own_words=True)
    shop = Consent("revoked", "marketing", "shopify_customer", NOW, "k")
    assert after([start, shop]).marketing == after([shop, start]).marketing == "granted"


def test_stopping_everything_is_not_forgotten_because_of_a_later_refusal_of_marketing() -> None:
    everything = Consent("revoked", "all", "keyword", NOW, "k", own_words=True)
    marketing = Consent("revoked", "marketing", "shopify_customer", NOW + timedelta(minutes=1), "k")
    assert after([marketing, everything]).opted_out
    assert after([everything, marketing]).opted_out


def test_a_confirmed_opt_in_stays_confirmed_until_it_is_refused() -> None:
    confirmed = Consent(
        "granted", "marketing", "double_opt_in", NOW, "k", own_words=True, proof=Proof(opt_in_level=CONFIRMED)
    )
    box = Consent("granted", "marketing", "shopify_checkout", NOW + timedelta(minutes=1), "k")
    stop = Consent("revoked", "all", "keyword", NOW + timedelta(minutes=2), "k", own_words=True)
    again = replace(box, effective_at=NOW + timedelta(minutes=3))
    assert after([box, confirmed]).level == after([confirmed, box]).level == "confirmed"
    assert after([again, confirmed, stop]).level == "single"


def test_what_somebody_wrote_into_the_columns_overtakes_what_stands_behind_them() -> None:
    granted = after([Consent("granted", "marketing", "keyword", NOW, "k", own_words=True)])
    stopped_by_hand = ConsentState.of("revoked", "revoked", NOW + timedelta(minutes=5), granted.marks)
    late = Consent("granted", "marketing", "shopify_customer", NOW + timedelta(minutes=4), "k")
    assert apply(stopped_by_hand, late, DAY).opted_out


def test_consent_to_emails_says_nothing_about_texts() -> None:
    state = after([Consent("granted", "marketing", "keyword", NOW, "k", own_words=True)])
    assert apply(state, Consent("revoked", "email", "email_link", NOW + timedelta(minutes=1), "k"), DAY) == state
