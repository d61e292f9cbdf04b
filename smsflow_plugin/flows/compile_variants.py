"""Compiles what a step tries beside its own: the shares of its variants, and that no two of them are the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.flows.assembly import Step, whole
from smsflow_plugin.flows.problems import Path
from smsflow_plugin.flows.program import VARIANTS, Delay
from smsflow_plugin.flows.ways import items

#: Minutes in units that do not follow the calendar. Days do, so 24 hours and one day are not the same.
_MINUTES = {"minutes": 1, "hours": 60}
_DAYS = {"days": 1, "weeks": 7}


@dataclass(frozen=True, slots=True)
class Tried:
    """One variant in the form: what it is called, its share in percent, and where it stands."""

    name: str
    weight: int
    path: Path
    value: Any


def tried(step: Step, too_much: str) -> Iterator[Tried]:
    """Yield the variants of a step; report what is wrong with their shares.

    :param too_much: what is said where they leave nothing for the step's own.
    """
    taken = 0
    for number, each in enumerate(items(step.value.get("variants")), start=1):
        path: Path = ("variants", each.index)
        weight = whole(each.value.get("weight")) or 0
        if weight < 1:
            step.report((*path, "weight"), _("Give a number of at least 1."))
        elif weight + taken > 99:
            step.report((*path, "weight"), too_much)
        if number >= len(VARIANTS):
            step.report(path, _("There are too many variants."))
            return
        taken += weight
        yield Tried(VARIANTS[number], weight, path, each.value)


def delays(step: Step, amount: int, unit: str) -> tuple[Delay, ...]:
    """Return the other times that a wait tries against its own."""
    found = []
    is_new = different(step, _as_long(amount, unit), _("This is as long as another one. There is nothing to compare."))
    for each in tried(step, _("The shares of all other delays together must leave something for the step's own.")):
        length = step.length(_("Wait at least one minute."), each.value, each.path)
        is_new((*each.path, "amount"), _as_long(*length))
        found.append(Delay(each.name, each.weight, *length))
    return tuple(found)


def different(step: Step, own: Hashable, problem: str) -> Callable[[Path, Hashable], None]:
    """Return what reports ``problem`` for values that are the step's ``own`` or that it has seen before."""
    seen = {own}

    def is_new(path: Path, value: Hashable) -> None:
        if value in seen:
            step.report(path, problem)
        seen.add(value)

    return is_new


def _as_long(amount: int, unit: str) -> tuple[str, int]:
    """Return the same for times that are equally long, whatever units they are given in."""
    if unit in _MINUTES:
        return "minutes", amount * _MINUTES[unit]
    return ("days", amount * _DAYS[unit]) if unit in _DAYS else (unit, amount)
