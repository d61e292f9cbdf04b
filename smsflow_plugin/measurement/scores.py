"""What people's points come to: the average, and the Net Promoter Score. One query, whatever the number of people."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Count
from django.db.models.fields.json import KeyTextTransform

from smsflow_plugin.audience.comparing import number_of
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.flows.program import Listen, Program
from smsflow_plugin.stores.models import Store

#: Different answers that are looked at, the most frequent first: scores have few.
MOST_VALUES = 1_000
_TENTH = Decimal("0.1")
#: The scale of the Net Promoter Score, and from where on people are promoters, or at least passive.
_LOWEST, _HIGHEST, _PASSIVE, _PROMOTER = 0, 10, 7, 9


@dataclass(frozen=True, slots=True)
class Scores:
    """How many people have given which number."""

    given: Counter[Decimal]

    @property
    def count(self) -> int:
        return sum(self.given.values())

    @property
    def average(self) -> Decimal | None:
        """To a tenth; None if nobody has given any."""
        total = sum((number * times for number, times in self.given.items()), Decimal())
        return (total / self.count).quantize(_TENTH, ROUND_HALF_UP) if self.count else None

    @property
    def nps(self) -> int | None:
        """Promoters (9, 10) less detractors (0 to 6) of a hundred; None where a number is on no such scale."""
        if not self.count or any(not _LOWEST <= number <= _HIGHEST for number in self.given):
            return None
        promoters = sum(times for number, times in self.given.items() if number >= _PROMOTER)
        detractors = sum(times for number, times in self.given.items() if number < _PASSIVE)
        balance = Decimal(100 * (promoters - detractors)) / self.count
        return int(balance.quantize(Decimal(1), ROUND_HALF_UP))


def scores(store: Store, field: str) -> Scores:
    """Return what the people of ``store`` have in their own field ``field``, as far as it is a number.

    Of each person the newest counts. Whoever was erased is not among them.
    """
    rows = (
        Contact.objects.filter(store=store, fields__has_key=field)
        .annotate(said=KeyTextTransform(field, "fields"))
        .order_by()
        .values_list("said")
        .annotate(times=Count("pk"))
        .order_by("-times", "said")[:MOST_VALUES]
    )
    given: Counter[Decimal] = Counter()
    for said, times in rows:
        number = _number(said)
        if number is not None:
            given[number] += times
    return Scores(given)


def score_fields(program: Program) -> tuple[str, ...]:
    """Return the fields in which a flow keeps points, each once, in the order of its steps."""
    found = (each.score_as for each in program.instructions if isinstance(each, Listen) and each.score_as)
    return tuple(dict.fromkeys(found))


def _number(said: Any) -> Decimal | None:
    return number_of(str(said).strip()) if said is not None else None
