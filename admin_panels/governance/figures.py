"""What the page shows beside the settings: the law's hours, today's use, the state of the breakers.

Where nothing is known yet, the page leaves the part out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from smsflow_plugin.audience.places import Place
from smsflow_plugin.audience.regions import US_STATES
from smsflow_plugin.models import Store

#: What the law leaves open on each weekday from Monday on, in minutes since midnight; None is a closed day.
Floor = Sequence[tuple[int, int] | None]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a store's texts have cost today and this month, in its currency."""

    day: Decimal
    month: Decimal


@dataclass(frozen=True, slots=True)
class BreakerState:
    """A flow that a breaker has stopped, and why, as a sentence."""

    flow: str
    sentence: str
    url: str = ""


def law_floor(place: Place) -> Floor | None:
    """Return the hours that the law of a place leaves open, None if it says nothing."""
    return None


def usage(store: Store) -> Usage | None:
    """Return what texts have cost, None if nobody counts it."""
    return None


def breaker_states(store: Store) -> list[BreakerState]:
    """Return the flows that a breaker has stopped."""
    return []


def floors(store: Store | None) -> dict[str, Floor]:
    """Return the law's hours by the name of the place: the states of the USA, and the store's own country."""
    found = {name: law_floor(Place(zones[0], "US", code)) for code, (name, *zones) in US_STATES.items()}
    if store is not None and store.country != "US":
        found = {store.country: law_floor(Place(store.timezone, store.country)), **found}
    return {name: floor for name, floor in found.items() if floor is not None}
