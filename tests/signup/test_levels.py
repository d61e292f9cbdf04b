"""How surely people have agreed: what raises it, and what lowers it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.audience.consent import (
    CONFIRMED,
    GRANTED,
    PENDING,
    REVOKED,
    SINGLE,
    Consent,
    ConsentState,
    Proof,
    apply,
)
from tests.conftest import NOON


def statement(
    action: str, minutes: int, level: str = "", *, own_words: bool = False, scope: str = "marketing"
) -> Consent:
    proof = Proof(opt_in_level=level)
    return Consent(action, scope, "test", at(minutes), key="k", own_words=own_words, proof=proof)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def after(*statements: Consent) -> ConsentState:
    state = ConsentState()
    for one in statements:
        state = apply(state, one, at(1000))
    return state


def test_who_has_confirmed_need_not_do_it_again() -> None:
    confirmed = statement(GRANTED, 1, CONFIRMED)
    assert after(statement(GRANTED, 1)).level == SINGLE
    assert after(statement(GRANTED, 1), statement(GRANTED, 2, CONFIRMED)).level == CONFIRMED
    assert after(confirmed, statement(GRANTED, 2)).level == CONFIRMED
    assert after(confirmed, statement(REVOKED, 2)).level == ""
    assert after(confirmed, statement(REVOKED, 2), statement(GRANTED, 3)).level == SINGLE


def test_only_the_persons_own_request_reopens_a_refusal() -> None:
    refused = statement(REVOKED, 1, scope="all")
    assert after(refused, statement(PENDING, 2)).marketing == REVOKED
    asked = after(refused, statement(PENDING, 2, own_words=True))
    assert (asked.marketing, asked.service) == (PENDING, REVOKED)


def test_a_question_that_nobody_answers_leaves_nothing() -> None:
    assert after(statement(PENDING, 1), statement("expired", 2)).marketing == "unknown"
    assert after(statement(GRANTED, 1), statement("expired", 2)).marketing == GRANTED
    assert after(statement(REVOKED, 1), statement("expired", 2)).marketing == REVOKED


@given(
    st.lists(
        st.builds(
            statement,
            st.sampled_from([GRANTED, REVOKED, PENDING, "expired"]),
            st.integers(0, 900),
            st.sampled_from(["", SINGLE, CONFIRMED]),
            own_words=st.booleans(),
            scope=st.sampled_from(["marketing", "all"]),
        ),
        max_size=8,
    )
)
def test_there_is_a_level_exactly_while_somebody_agrees(statements: list[Consent]) -> None:
    state = after(*statements)
    assert bool(state.level) is (state.marketing == GRANTED)
    if state.level == CONFIRMED:
        assert any(one.proof.opt_in_level == CONFIRMED for one in statements)
    undated = [replace(one, dated=False) for one in statements if one.action == GRANTED]
    refused = ConsentState(REVOKED, REVOKED, at(0))
    for one in undated:
        assert apply(refused, one, at(1000)).marketing == REVOKED
