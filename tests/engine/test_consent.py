"""Which statement about consent holds: the newest, and the person's own words over all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.audience.consent import ConsentState, apply
from smsflow_plugin.events.facts import Consent

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)


def consent(action: str, minutes: int = 0, *, scope: str = "marketing", own: bool = False) -> Consent:
    return Consent(action, scope, "test", NOW + timedelta(minutes=minutes), key="k", own_words=own)


def after(*statements: Consent) -> ConsentState:
    state = ConsentState()
    for statement in statements:
        state = apply(state, statement, NOW + timedelta(days=1))
    return state


def test_an_older_grant_never_undoes_a_stop() -> None:
    stop = consent("revoked", 10, scope="all", own=True)
    assert after(stop, consent("granted", 5)).opted_out
    assert after(stop, consent("granted", 10)).opted_out
    assert after(consent("granted", 5), stop).opted_out


def test_a_later_grant_lets_texts_in_again() -> None:
    state = after(consent("revoked", 10, scope="all", own=True), consent("granted", 11, own=True))
    assert (state.marketing, state.opted_out) == ("granted", False)


def test_a_marketing_opt_out_leaves_order_news() -> None:
    state = after(consent("granted"), consent("revoked", 1))
    assert (state.marketing, state.opted_out) == ("revoked", False)


def test_asking_again_does_not_take_consent_away() -> None:
    assert after(consent("granted"), consent("pending", 1)).marketing == "granted"
    assert after(consent("pending", 1)).marketing == "pending"


def test_a_clock_that_is_ahead_cannot_overrule_tomorrow() -> None:
    ahead = consent("granted", 60 * 24 * 365)
    state = apply(ConsentState(), ahead, NOW)
    assert apply(state, consent("revoked", 1, scope="all", own=True), NOW + timedelta(minutes=2)).opted_out


def test_saying_it_again_outdates_what_was_said_in_between() -> None:
    assert after(consent("granted"), consent("granted", 5), consent("revoked", 3)).marketing == "granted"


statements = st.builds(
    consent,
    st.sampled_from(["granted", "revoked"]),
    st.integers(0, 5),
    scope=st.sampled_from(["marketing", "all"]),
)


@given(st.lists(statements, min_size=1, max_size=4, unique_by=lambda c: c.effective_at))
def test_the_order_in_which_statements_arrive_does_not_matter(given_statements: list[Consent]) -> None:
    outcomes = {after(*order).marketing for order in permutations(given_statements)}
    newest = max(given_statements, key=lambda c: c.effective_at)
    assert outcomes == {"granted" if newest.action == "granted" else "revoked"}


def test_a_grant_without_a_date_never_undoes_a_refusal() -> None:
    undated = replace(consent("granted", 60), dated=False)
    assert after(consent("revoked", 1), undated).marketing == "revoked"
    assert after(consent("granted", 1), undated).marketing == "granted"
    assert after(undated).marketing == "granted"
