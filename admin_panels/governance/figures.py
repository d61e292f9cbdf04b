"""What the page shows beside the settings: the law's hours, today's use, the state of the breakers.

Where nothing is known, the page leaves the part out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from django.urls import reverse

from smsflow_plugin import clock
from smsflow_plugin.audience.places import Place
from smsflow_plugin.audience.regions import US_STATES
from smsflow_plugin.governance.hours import Hours, every_day
from smsflow_plugin.governance.quiet_hours import week_view
from smsflow_plugin.governance.trip_words import sentence
from smsflow_plugin.measurement.usage import usage as usage_of
from smsflow_plugin.models import BreakerTrip, Store

#: A store that is always open, so that the law alone is seen.
ANY_HOURS = Hours(every_day(time(0), time.max))

#: What the law leaves open on each weekday from Monday on, in minutes since midnight; None is a closed day.
Floor = Sequence[tuple[int, int] | None]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a store's texts have cost today and this month, in its currency, and where the gateway counts otherwise."""

    day: Decimal
    month: Decimal
    difference: str = ""


@dataclass(frozen=True, slots=True)
class BreakerState:
    """A flow that a breaker has stopped, and why, as a sentence."""

    flow: str
    sentence: str
    url: str = ""


def law_floor(place: Place) -> Floor | None:
    """Return the hours that the law of a place leaves open, None if it says nothing."""
    days = week_view(ANY_HOURS, place)
    if not any(day.rows for day in days):
        return None
    return [(day.law[0] // 60, day.law[1] // 60) if day.law else None for day in days]


def usage(store: Store) -> Usage | None:
    """Return what texts have cost, None if nobody knows what they cost."""
    spent = usage_of(store, clock.now())
    if spent.part_price is None and not spent.month.total:
        return None
    return Usage(spent.today.total, spent.month.total, spent.difference)


def breaker_states(store: Store) -> list[BreakerState]:
    """Return what a breaker has stopped: flows, or the store as a whole."""
    trips = BreakerTrip.objects.filter(store=store, state=BreakerTrip.State.OPEN).select_related("store", "flow")
    return [
        BreakerState(str(trip.flow or store), sentence(trip), reverse("smsflow_breakers:inspect", args=(trip.pk,)))
        for trip in trips.order_by("-tripped_at")
    ]


def floors(store: Store | None) -> dict[str, Floor]:
    """Return the law's hours by the name of the place: the states of the USA, and the store's own country."""
    found = {name: law_floor(Place(zones[0], "US", code)) for code, (name, *zones) in US_STATES.items()}
    if store is not None and store.country != "US":
        found = {store.country: law_floor(Place(store.timezone, store.country)), **found}
    return {name: floor for name, floor in found.items() if floor is not None}
