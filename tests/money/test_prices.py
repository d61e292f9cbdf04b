"""What a text costs, what is left of a budget, and which country a number is of."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.audience.number_countries import country_of
from smsflow_plugin.governance.policy import PolicyRules
from smsflow_plugin.governance.rules import Reason
from smsflow_plugin.governance.spend import Budget, Till, day_of, laid_over, price_of, price_problem, read_prices

PRICES = read_prices({"us": "0.0083", "": "0.05", "FR": 0})


@pytest.mark.parametrize(
    ("country", "parts", "cost"),
    [("US", 1, "0.0083"), ("US", 3, "0.0249"), ("DK", 2, "0.1"), ("", 1, "0.05"), ("FR", 9, "0")],
)
def test_a_text_costs_its_parts_at_the_price_of_its_country(country: str, parts: int, cost: str) -> None:
    assert price_of(PRICES, country, parts) == Decimal(cost)


def test_what_nobody_has_named_a_price_for_is_unknown_and_not_nothing() -> None:
    assert price_of({"US": Decimal(1)}, "DK", 1) is None
    assert price_of({}, "", 1) is None


@pytest.mark.parametrize("table", [[], {"USA": "1"}, {"U1": "1"}, {"US": "x"}, {"US": "-1"}, {"US": "NaN"}, "US"])
def test_a_table_that_makes_no_sense_is_refused(table: object) -> None:
    with pytest.raises(ValueError):
        read_prices(table)


def test_a_store_changes_some_prices_of_the_site_and_one_for_everywhere_changes_all() -> None:
    last, site = {"": Decimal(9)}, {"US": Decimal(1), "DK": Decimal(2)}
    assert laid_over([last, site, {"US": Decimal(3)}]) == {"": Decimal(9), "US": Decimal(3), "DK": Decimal(2)}
    assert laid_over([last, site, {"": Decimal(4)}]) == {"": Decimal(4)}


def test_a_text_above_the_ceiling_is_refused_with_its_values() -> None:
    rules = PolicyRules(price_ceiling=Decimal("0.1"))
    assert price_problem(rules, Decimal("0.1"), "DK", 2) is None
    assert price_problem(rules, None, "DK", 9) is None
    problem = price_problem(rules, Decimal("0.15"), "DK", 3)
    assert problem is not None
    assert problem.reason is Reason.PRICE
    assert problem.values == {"cost": "0.15", "ceiling": "0.1", "parts": 3, "country": "DK"}


@pytest.mark.parametrize(
    ("at", "zone", "day", "next_day", "next_month"),
    [
        ("2026-03-04T16:00+00:00", "America/New_York", "2026-03-04", "2026-03-05T05:00", "2026-04-01T04:00"),
        ("2026-03-05T04:59+00:00", "America/New_York", "2026-03-04", "2026-03-05T05:00", "2026-04-01T04:00"),
        ("2026-03-08T12:00+00:00", "America/New_York", "2026-03-08", "2026-03-09T04:00", "2026-04-01T04:00"),
        ("2026-12-31T22:59+00:00", "Europe/Copenhagen", "2026-12-31", "2026-12-31T23:00", "2026-12-31T23:00"),
        ("2028-02-29T11:00+00:00", "UTC", "2028-02-29", "2028-03-01T00:00", "2028-03-01T00:00"),
    ],
)
def test_days_and_months_are_those_of_the_store(at: str, zone: str, day: str, next_day: str, next_month: str) -> None:
    found = day_of(datetime.fromisoformat(at), zone)
    assert found.date == date.fromisoformat(day)
    assert found.next_day == datetime.fromisoformat(next_day).replace(tzinfo=UTC)
    assert found.next_month == datetime.fromisoformat(next_month).replace(tzinfo=UTC)


TODAY = day_of(datetime(2026, 3, 4, 16, tzinfo=UTC), "UTC")


@pytest.mark.parametrize(
    ("day", "month", "today", "this_month", "more", "until"),
    [
        ("1", None, "0.99", "50", "0.01", None),
        ("1", None, "0.99", "50", "0.02", "next_day"),
        ("1", None, "1", "50", "0", "next_day"),
        (None, "50", "1", "50", "0", "next_month"),
        ("1", "50", "1", "50", "0", "next_month"),
        ("1", "50", "0", "49.99", "0.01", None),
        (None, None, "9", "9", "9", None),
    ],
)
def test_marketing_waits_until_there_is_money_again(
    day: str | None, month: str | None, today: str, this_month: str, more: str, until: str | None
) -> None:
    budget = Budget(day and Decimal(day), month and Decimal(month), Decimal(today), Decimal(this_month), TODAY)
    assert budget.broke_until(Decimal(more)) == (until and getattr(TODAY, until))


@given(st.decimals(0, 5, places=2), st.lists(st.decimals(0, 2, places=3), max_size=30))
def test_a_till_never_pays_more_than_there_is(limit: Decimal, costs: list[Decimal]) -> None:
    till = Till(Budget(limit, None, Decimal(0), Decimal(0), TODAY))
    for cost in costs:
        if till.broke_until(cost) is None:
            till.take(cost)
    assert till.taken <= limit


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_country_of_a_number_is_what_the_library_says(region: str) -> None:
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is not None:
            number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            assert country_of(number) == phonenumbers.region_code_for_number(example)


@pytest.mark.parametrize("number", ["", "+", "x", "+882123456", "+1", "+99999999999"])
def test_what_is_no_countrys_number_has_none(number: str) -> None:
    assert country_of(number) == ""


def test_midnight_is_that_of_the_wall_clock() -> None:
    assert day_of(datetime(2026, 3, 8, 3, tzinfo=UTC), "America/New_York").next_day == datetime(
        2026, 3, 8, tzinfo=ZoneInfo("America/New_York")
    )
