"""A store's own hours for texts. Pure: no Django."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

#: When texts may go on one day, in wall time: from the first up to, not including, the second.
#: One that opens later than it closes runs past midnight.
Window = tuple[time, time]

NINE_TO_EIGHT: tuple[Window | None, ...] = ((time(9), time(20)),) * 7


@dataclass(frozen=True, slots=True)
class LawRow:
    """A stricter row that an administrator added."""

    country: str


@dataclass(frozen=True, slots=True)
class Hours:
    """When a store texts people; ``week`` runs from Monday to Sunday, None is a closed day.

    ``strict``: a text goes only when all places where the person may be are open. ``law``: whether the
    law's floor counts as well. ``stricter`` are rows that narrow it further.
    """

    week: tuple[Window | None, ...] = NINE_TO_EIGHT
    holidays_off: bool = False
    strict: bool = True
    law: bool = True
    stricter: tuple[LawRow, ...] = ()
