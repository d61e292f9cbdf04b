"""A store's own window, and how much of the law stands under it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from smsflow_plugin.governance.law.row import LawRow
from smsflow_plugin.governance.windows import Week, Window, check_week, every_day

__all__ = ["Hours", "Week", "Window", "every_day"]


@dataclass(frozen=True, slots=True)
class Hours:
    """A store's own window, Monday to Sunday. Hashable, and cheaply so: every verdict looks something up by it.

    ``holidays_off``: the store's wish to text nobody on public holidays of their place.
    ``strict``: open only when all places are open, each by its own clock and law. Else the clock of the
    most likely place alone counts: the store's window is read on it, and so is the law of every place,
    as a state's law follows its area codes and its people whatever their clock.
    ``law``: whether the law's floor counts; not for service texts that a store holds back over night.
    ``stricter``: an administrator's rows, under the law's. Only what all rows leave open is open.
    ``practice``: whether rows that are custom and no law count as well.
    """

    week: Week
    holidays_off: bool = False
    strict: bool = True
    law: bool = True
    stricter: tuple[LawRow, ...] = ()
    practice: bool = True
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_week(self.week)
        object.__setattr__(self, "_hash", hash(self._values()))

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        # hashes differ between processes
        return type(self), self._values()

    def _values(self) -> tuple[Any, ...]:
        return self.week, self.holidays_off, self.strict, self.law, self.stricter, self.practice
