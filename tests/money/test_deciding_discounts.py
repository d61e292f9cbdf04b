"""May this person be given a discount now? Rules by example, and what must hold whatever happens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.governance.incentives import ABOUT_AS_LONG, Given, Wanted, code_key, decide_discount, number
from smsflow_plugin.governance.policy import PolicyRules

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
DAY = timedelta(days=1)


def wanted(amount: float = 10, kind: str = "percent", **values: Any) -> Wanted:
    return Wanted(kind, Decimal(str(amount)), **values)


def had(amount: float = 10, days_ago: float = 1, kind: str = "percent", *, lasts: float = -1, **values: Any) -> Given:
    """What the person was given; ``lasts`` so many days from now on."""
    return Given(kind, Decimal(str(amount)), NOW - days_ago * DAY, NOW + lasts * DAY, code="OLD", **values)


FREE = PolicyRules()
ONE = PolicyRules(discounts=1, discount_days=30)
TWO = PolicyRules(discounts=2, discount_days=30)
MARGIN = PolicyRules(margin_floor=Decimal(20), gross_margin=Decimal(45))


@pytest.mark.parametrize(
    ("want", "ledger", "rules", "why"),
    [
        pytest.param(wanted(90), [], FREE, None, id="no rules, anything goes"),
        pytest.param(wanted(), [had()], ONE, "count", id="one in 30 days"),
        pytest.param(wanted(), [had(days_ago=30)], ONE, None, id="exactly 30 days later"),
        pytest.param(wanted(), [had()], TWO, None, id="two are allowed"),
        pytest.param(wanted(), [had(), had(days_ago=9)], TWO, "count", id="and no third"),
        pytest.param(wanted(), [], PolicyRules(discounts=0), "count", id="none at all"),
        pytest.param(wanted(15), [had(redeemed=True)], TWO, "escalation", id="who bought with 10 is not offered 15"),
        pytest.param(wanted(10), [had(redeemed=True)], TWO, None, id="but 10 again"),
        pytest.param(wanted(5), [had(redeemed=True)], TWO, None, id="and 5"),
        pytest.param(wanted(15), [had()], TWO, None, id="who did not use 10 may be offered 15"),
        pytest.param(wanted(15), [had(20, 5), had(redeemed=True)], FREE, "escalation", id="the last one counts"),
        pytest.param(wanted(15), [had(days_ago=31, redeemed=True)], TWO, None, id="long ago is over"),
        pytest.param(
            wanted(15),
            [had(redeemed=True)],
            PolicyRules(escalate_unredeemed=False),
            None,
            id="a store may offer more to buyers",
        ),
        pytest.param(
            wanted(0, "shipping"), [had(redeemed=True)], TWO, "escalation", id="what cannot be compared is bigger"
        ),
        pytest.param(
            wanted(5, "amount", order_value=Decimal(100)), [had(redeemed=True)], TWO, None, id="5 off 100 is less"
        ),
        pytest.param(
            wanted(15, "amount", order_value=Decimal(100)), [had(redeemed=True)], TWO, "escalation", id="15 off is more"
        ),
        pytest.param(wanted(25), [], MARGIN, None, id="45 less 25 leaves 20"),
        pytest.param(wanted(25.01), [], MARGIN, "margin", id="a hundredth too much"),
        pytest.param(wanted(10), [], PolicyRules(margin_floor=Decimal(20)), "margin_unknown", id="margin unknown"),
        pytest.param(wanted(0, "shipping"), [], MARGIN, None, id="a parcel is no part of the margin"),
        pytest.param(wanted(25, "amount", order_value=Decimal(100)), [], MARGIN, None, id="25 off a cart of 100"),
        pytest.param(wanted(25, "amount", order_value=Decimal(99)), [], MARGIN, "margin", id="25 off a cart of 99"),
        pytest.param(wanted(25, "amount", minimum=Decimal(100)), [], MARGIN, None, id="25 off a minimum of 100"),
        pytest.param(
            wanted(25, "amount", minimum=Decimal(100), order_value=Decimal(10)), [], MARGIN, None, id="it must grow"
        ),
        pytest.param(wanted(5, "amount"), [], MARGIN, "margin_unknown", id="nothing tells what the order will be"),
    ],
)
def test_the_rules_by_example(want: Wanted, ledger: list[Given], rules: PolicyRules, why: str | None) -> None:
    offer = decide_discount(want, ledger, rules, NOW)
    assert (offer.allowed, offer.notes.get("why"), offer.reuse) == (why is None, why, None)


@pytest.mark.parametrize(
    ("held", "again"),
    [
        pytest.param(had(lasts=14), True, id="as good"),
        pytest.param(had(20, lasts=14), True, id="better"),
        pytest.param(had(5, lasts=14), False, id="worse"),
        pytest.param(had(lasts=7), True, id="as long"),
        pytest.param(had(lasts=6), True, id="a day less"),
        pytest.param(had(lasts=5), False, id="the text would promise too much"),
        pytest.param(had(lasts=14, redeemed=True), False, id="used"),
        pytest.param(had(lasts=-1), False, id="run out"),
        pytest.param(had(lasts=14, minimum=Decimal(50)), False, id="it asks for a bigger order"),
        pytest.param(Given("percent", Decimal(10), NOW), False, id="not made yet"),
        pytest.param(had(10, kind="amount", lasts=14), False, id="another kind"),
    ],
)
def test_a_code_that_is_as_good_is_given_again(held: Given, again: bool) -> None:
    offer = decide_discount(wanted(valid_days=7), [held], FREE, NOW)
    assert offer.allowed
    assert (offer.reuse is held, dict(offer.notes)) == ((True, {"why": "reused"}) if again else (False, {}))


def test_a_code_that_they_hold_is_no_new_discount() -> None:
    assert decide_discount(wanted(), [had(lasts=14)], ONE, NOW).reuse is not None


def test_the_reason_comes_with_its_values() -> None:
    assert decide_discount(wanted(), [had()], ONE, NOW).notes == {"why": "count", "limit": 1, "days": 30, "given": 1}
    notes = decide_discount(wanted(30), [], MARGIN, NOW).notes
    assert notes == {"why": "margin", "left": "15.00", "floor": "20", "wanted": "percent 30"}


PAST = st.builds(
    Given,
    st.sampled_from(["percent", "amount", "shipping"]),
    st.decimals(0, 100, places=2),
    st.integers(1, 100_000).map(lambda minutes: NOW - timedelta(minutes=minutes)),
    st.integers(-5, 30).map(lambda days: NOW + days * DAY),
    code=st.sampled_from(["", "X"]),
    redeemed=st.booleans(),
)


@given(
    st.lists(PAST, max_size=8),
    st.decimals("0.01", 100, places=2),
    st.integers(0, 4),
    st.integers(1, 60),
    st.randoms(use_true_random=False),
)
def test_whatever_was_given_never_more_than_the_count_and_in_any_order(
    ledger: list[Given], amount: Decimal, limit: int, days: int, chance: Any
) -> None:
    rules = PolicyRules(discounts=limit, discount_days=days, margin_floor=Decimal(10), gross_margin=Decimal(50))
    want = Wanted("percent", amount)
    offer = decide_discount(want, ledger, rules, NOW)
    shuffled = list(ledger)
    chance.shuffle(shuffled)
    assert decide_discount(want, shuffled, rules, NOW).allowed == offer.allowed
    if offer.allowed and offer.reuse is None:
        assert sum(NOW - given.at < timedelta(days=days) for given in ledger) < limit
        assert Decimal(50) - amount >= 10
    if offer.reuse is not None:
        assert not offer.reuse.redeemed
        assert offer.reuse.valid_until is not None
        assert offer.reuse.valid_until >= NOW + timedelta(days=want.valid_days) - ABOUT_AS_LONG
    assert offer.allowed == ("why" not in offer.notes or offer.notes["why"] == "reused")


@pytest.mark.parametrize(("one", "other"), [("welcome-1", " WELCOME-1 "), ("Straße", "STRASSE")])
def test_codes_are_compared_without_regard_to_capitals(one: str, other: str) -> None:
    assert code_key(one) == code_key(other)


@pytest.mark.parametrize(
    ("text", "value"), [("10", Decimal(10)), ("-1", None), ("NaN", None), ("Infinity", None), ("", None), (None, None)]
)
def test_an_amount_is_a_number_or_none(text: Any, value: Decimal | None) -> None:
    assert number(text) == value
