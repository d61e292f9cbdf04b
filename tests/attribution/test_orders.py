"""What an order comes to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.attribution.orders import Fact, money, order_of

AT = datetime(2026, 3, 4, 16, 0, tzinfo=UTC)


def fact(kind: str, pk: int = 1, hours: int = 0, **values: Any) -> Fact:
    return Fact(pk, kind, AT + timedelta(hours=hours), 5, **values)


CREATED = fact("order_created", total="100.00", currency="USD", codes=["A"])


def test_refunds_add_up_and_never_take_more_than_there_was() -> None:
    facts = [CREATED, fact("order_refunded", 2, 1, refunded="30.00"), fact("order_refunded", 3, 2, refunded="20.00")]
    order = order_of(facts, "USD")
    assert order is not None and (order.refunded, order.revenue) == (Decimal("50.00"), Decimal("50.00"))
    order = order_of([*facts, fact("order_refunded", 4, 3, refunded="80.00")], "USD")
    assert order is not None and order.revenue == 0


def test_nothing_is_left_of_a_cancelled_order() -> None:
    order = order_of([CREATED, fact("order_cancelled", 2, 1)], "USD")
    assert order is not None and order.cancelled and order.revenue == 0 and order.total == 100


def test_an_order_that_was_edited_comes_to_what_was_last_said() -> None:
    order = order_of([CREATED, fact("order_paid", 2, 1, total="80.00", currency="USD")], "USD")
    assert order is not None and order.revenue == 80


def test_a_refund_alone_is_no_order() -> None:
    assert order_of([fact("order_refunded", refunded="10.00")], "USD") is None


def test_what_was_blanked_says_so() -> None:
    order = order_of([fact("order_created")], "USD")
    assert order is not None and order.blank


def test_money_is_read_carefully() -> None:
    assert money("12.345") == Decimal("12.34")
    assert [money(value) for value in (None, "", "x", "NaN", "-3", True, [], {})] == [None] * 8


kinds = st.sampled_from(("order_created", "order_paid", "order_refunded", "order_cancelled", "order_edited"))
amounts = st.none() | st.integers(0, 500).map(str)
facts = st.lists(
    st.builds(fact, kinds, st.integers(1, 99), st.integers(0, 3), total=amounts, currency=st.just("USD"),
              refunded=amounts),
    max_size=6,
    unique_by=lambda one: one.pk,
)  # fmt: skip


@given(facts, st.randoms(use_true_random=False))
def test_it_does_not_matter_in_which_order_facts_are_heard(facts: Any, random: Any) -> None:
    order = order_of(facts, "USD")
    assert order == order_of(random.sample(facts, len(facts)), "USD")
    assert order is None or 0 <= order.revenue <= order.total
