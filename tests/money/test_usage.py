"""What the panel tells of a store's money."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin import clock
from smsflow_plugin.flows.program import Send
from smsflow_plugin.measurement.usage import price_warning, usage
from smsflow_plugin.models import SpendDay, Store
from tests.engine.helpers import happened, make_flow, pump
from tests.money.shop import allow

pytestmark = pytest.mark.django_db


def come(store: Store, people: int, start: int = 100) -> None:
    for n in range(start, start + people):
        happened(store, "opted_in", phone=f"+1202555{n:04d}", consent="granted")
    pump()


def test_it_tells_of_today_the_month_the_flows_and_the_average_price(store: Store) -> None:
    allow(prices={"": "0.01"}, budget_day="1", budget_month="20")
    make_flow(store, Send("s", {"": "Hello"}), name="Short")
    make_flow(store, Send("s", {"": "x" * 150}), name="Long")
    SpendDay.objects.create(store=store, day=date(2026, 3, 1), marketing="3", total="4", texts=5, parts=6)
    SpendDay.objects.create(store=store, day=date(2026, 2, 28), marketing="9")
    come(store, 2)
    found = usage(store, clock.now())
    assert (found.today.marketing, found.today.left) == (Decimal("0.06"), Decimal("0.94"))
    assert (found.month.marketing, found.month.total, found.month.texts) == (Decimal("3.06"), Decimal("4.06"), 9)
    assert [(flow.name, flow.cost, flow.parts) for flow in found.flows] == [
        ("Long", Decimal("0.04"), 4), ("Short", Decimal("0.02"), 2),
    ]  # fmt: skip
    assert (found.part_price, found.warnings) == (Decimal("0.01"), ())


def test_what_nobody_knows_is_never_shown_as_nothing(store: Store) -> None:
    allow(budget_day="1")
    make_flow(store, Send("s", {"": "Hello"}))
    come(store, 1)
    found = usage(store, clock.now())
    assert (found.today.is_known, found.flows[0].cost, found.part_price) == (False, None, None)
    assert found.warnings == ("There is a limit on what texts may cost, but no price: it limits nothing.",)
    assert "names no price" in price_warning(store)
    allow(budget_day="1", prices={"DK": "1"})
    assert usage(store, clock.now()).warnings[0].startswith("1 text of this month")
    allow(budget_day="1", prices={"": "1"})
    assert price_warning(store) == ""


def test_the_number_of_queries_does_not_grow(store: Store) -> None:
    allow(prices={"": "0.01"}, budget_day="9")
    usage(store, clock.now())

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            usage(store, clock.now())
        return len(queries)

    before = count()
    for n in range(8):
        make_flow(store, Send("s", {"": "Hello"}), name=f"F{n}")
    come(store, 5)
    assert count() == before
    assert len(usage(store, clock.now()).flows) == 5
