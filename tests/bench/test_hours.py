"""What quiet hours cost, printed by ``pytest -s``; what is asserted is only that the answers are right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from time import process_time

from smsflow_plugin.audience.places import Place, candidate_places
from smsflow_plugin.governance.hours import Hours, every_day
from smsflow_plugin.governance.quiet_hours import is_open, next_open

HOURS = Hours(every_day(time(9), time(20)), holidays_off=True)
NOON, NIGHT = datetime(2026, 3, 4, 18, tzinfo=UTC), datetime(2026, 3, 4, 5, tzinfo=UTC)
MARGIN = timedelta(minutes=10)


def where(number: int, country: str = "US", province: str = "TX") -> tuple[Place, ...]:
    """A person with a number of New York and an address in a split state."""
    phone = f"+1212{2000000 + number % 1000000}"
    return candidate_places(phone, timezone="", country=country, province=province, store_timezone="America/New_York")


def microseconds(times: int, call: Callable[[int], object]) -> float:
    began = process_time()
    for number in range(times):
        call(number)
    return (process_time() - began) / times * 1e6


def test_the_cost_of_a_verdict() -> None:
    places = where(0)
    assert len(places) == 3
    assert is_open(NOON, places, HOURS, margin=MARGIN)
    assert next_open(NIGHT, places, HOURS) == datetime(2026, 3, 4, 16, tzinfo=UTC)
    figures = {
        "is_open, one place": microseconds(50_000, lambda n: is_open(NOON, places[:1], HOURS)),
        "is_open, three places with a margin": microseconds(
            50_000, lambda n: is_open(NOON, places, HOURS, margin=MARGIN)
        ),
        "next_open, three places at night": microseconds(50_000, lambda n: next_open(NIGHT, places, HOURS)),
        "is_open on a day not seen before": microseconds(
            300, lambda n: is_open(NOON + timedelta(days=n), places, HOURS)
        ),
        "places of a person not seen before": microseconds(5_000, where),
        "places of a person seen before": microseconds(5_000, where),
    }
    assert all(figure > 0 for figure in figures.values())
    print("".join(f"\n{name}: {figure:.2f} µs" for name, figure in figures.items()))
