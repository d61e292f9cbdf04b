"""Who can close a moment to a text: the store's window and the law, each on a clock. Pure.

A layer is one closer on one clock. A moment is open when all layers of all places are open.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from smsflow_plugin.audience.places import Place
from smsflow_plugin.governance.clocks import date_of, moments
from smsflow_plugin.governance.hours import Hours
from smsflow_plugin.governance.law.days_off import holiday
from smsflow_plugin.governance.law.row import LawRow
from smsflow_plugin.governance.law.table import open_piece, rows_about
from smsflow_plugin.governance.windows import WHOLE_DAY, Piece, Week, common, merged, seconds

#: In how many days the places must have a moment in common; else those that are known best count alone.
COMMON_WITHIN = 7

#: Where nothing is known at all.
NOWHERE = Place("UTC")

_BEST_KNOWN = ("captured", "address", "country")


class StoreLayer(NamedTuple):
    """A store's own window on a clock; ``country`` and ``region`` are those whose holidays it takes off."""

    zone: str
    week: Week
    holidays_off: bool = False
    country: str = ""
    region: str = ""

    def open_on(self, day: int) -> tuple[Piece, ...]:
        """Return the open pieces of a day.

        A holiday is closed from midnight to midnight, and the window that would begin on it does not
        begin at all. A weekday that is closed has no window of its own, but the one of the evening
        before still runs out on it.
        """
        if self._is_off(day):
            return ()
        found = []
        window = self.week[date_of(day).weekday()]
        if window:
            opens, closes = map(seconds, window)
            found.append((opens, closes if opens < closes else WHOLE_DAY))
        before = self.week[date_of(day - 1).weekday()]
        if before and before[1] < before[0] and not self._is_off(day - 1):
            found.append((0, seconds(before[1])))
        return merged(piece for piece in found if piece[0] < piece[1])

    def _is_off(self, day: int) -> bool:
        return self.holidays_off and bool(holiday(self.country, self.region, date_of(day)))


class LawLayer(NamedTuple):
    """Rows of the law of one place on a clock."""

    zone: str
    rows: tuple[LawRow, ...]
    country: str = ""
    region: str = ""

    def open_on(self, day: int) -> tuple[Piece, ...]:
        on = date_of(day)
        day_off = holiday(self.country, self.region, on) if any(row.holidays_off for row in self.rows) else ""
        piece = open_piece(self.rows, on, day_off)
        return (piece,) if piece else ()


Layer = StoreLayer | LawLayer


@lru_cache(maxsize=16_384)
def layers(places: tuple[Place, ...], hours: Hours) -> tuple[Layer, ...]:
    """Return everything that must be open for these places."""
    found: dict[Layer, None] = {}
    for place in places:
        zone = place.zone if hours.strict else places[0].zone
        if hours.strict or place is places[0]:
            found[store_layer(place, hours)] = None
        if hours.law:
            found.update(dict.fromkeys(law_layers(zone, place, hours)))
    return tuple(found)


def store_layer(place: Place, hours: Hours) -> StoreLayer:
    if hours.holidays_off:
        return StoreLayer(place.zone, hours.week, True, place.country, place.region)
    return StoreLayer(place.zone, hours.week)


def law_layers(zone: str, place: Place, hours: Hours) -> tuple[LawLayer, ...]:
    """Return the law of a place on the clock of ``zone``, and apart from it the rows that have a clock of their own."""
    rows = rows_about(place.country, place.region, hours.practice, hours.stricter)
    by_clock = groupby(sorted(rows, key=lambda row: row.clock), key=lambda row: row.clock)
    return tuple(LawLayer(clock or zone, tuple(group), place.country, place.region) for clock, group in by_clock)


@lru_cache(maxsize=65_536)
def open_by(layer: Layer, day: int) -> tuple[Piece, ...]:
    """Return when a layer is open within a day of UTC."""
    return moments(layer.zone, day, layer.open_on)


@lru_cache(maxsize=65_536)
def open_in(places: tuple[Place, ...], hours: Hours, day: int) -> tuple[Piece, ...]:
    """Return when all of these places are open within a day of UTC."""
    found: tuple[Piece, ...] = ((day * WHOLE_DAY, (day + 1) * WHOLE_DAY),)
    for layer in layers(places, hours):
        found = common(found, open_by(layer, day))
        if not found:
            break
    return found


@lru_cache(maxsize=65_536)
def counted(places: tuple[Place, ...], hours: Hours, day: int) -> tuple[Place, ...]:
    """Return the places that count on a day of UTC.

    Those that have no moment in common in seven days, as far apart as New York and Tokyo, would close
    each other for ever. Then the captured zone and the address count alone, if there is either.
    """
    places = places or (NOWHERE,)
    if len(places) == 1 or any(open_in(places, hours, later) for later in range(day, day + COMMON_WITHIN)):
        return places
    return best_known(places) or places


def best_known(places: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return the places that were captured or stand in the address, with the other zones of its state."""
    best = [place for place in places if place.source in _BEST_KNOWN]
    states = {(place.country, place.region) for place in best if place.region}
    others = (p for p in places if p.source == "split_state" and (p.country, p.region) in states)
    return (*best, *others)
