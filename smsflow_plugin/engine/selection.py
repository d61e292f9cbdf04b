"""Conditions of ``audience.filters`` as SQL: everybody in a store for whom one holds.

``matches`` asks the same of one person in memory. Both must give the same answer, at the
moment of entry, for every condition and every contact: tests prove it on both databases.
"""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Count, DecimalField, Exists, Expression, F, OuterRef, Q, QuerySet, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, NullIf
from django.utils.translation import gettext as _

from smsflow_plugin.audience import filters
from smsflow_plugin.audience.behaviour import UNREACHED
from smsflow_plugin.audience.comparing import number_of, text_of
from smsflow_plugin.audience.dates import DATE_OPERATORS, Span, span
from smsflow_plugin.audience.filters import DATE_PATHS, NUMBER_PATHS, PRESENCE, BadCondition, Condition
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.values import TEXT_PATHS
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.engine.sql_values import ColumnText, Compares, HasTag, InSpan, JSONText, Overdue, Present
from smsflow_plugin.events.models import Event

#: Digits behind the point that a number's column keeps.
_PLACES = {"orders_count": 0, "total_spent": 2}
#: More than any such column holds, yet within what every database takes for an integer.
_MOST = {"orders_count": Decimal(2**31 - 1), "total_spent": Decimal(10**12) - Decimal("0.01")}

_MONEY = DecimalField(max_digits=15, decimal_places=2)

#: ``Q()`` is neither: Django drops it, negated or not.
NOBODY = Q(pk__in=[])
EVERYBODY = ~NOBODY


class NotSelectable(Exception):
    """Only a run can answer the condition. The message is a sentence for people."""


def select(condition: Condition, *, store_id: int, now: datetime, flow_id: int | None = None) -> QuerySet[Contact]:
    """Return the contacts of a store for whom ``condition`` holds now.

    "Since entry" means now. ``flow_id`` is the flow that asks: being in it is not being in another.

    :raises NotSelectable: if the condition asks for something that only a run has.
    :raises BadCondition: if it has an unknown shape.
    """
    asked = condition_q(condition, store_id=store_id, now=now, flow_id=flow_id)
    return Contact.objects.filter(asked, store_id=store_id)


def condition_q(condition: Condition, *, store_id: int, now: datetime, flow_id: int | None = None) -> Q:
    """Return what ``select`` filters by, for queries over contacts that ask several conditions at once.

    :raises NotSelectable: and
    :raises BadCondition: as ``select`` does.
    """
    return _Selection(store_id, now, flow_id).q(condition)


def count(
    condition: Condition, *, store_id: int, now: datetime, limit: int | None = None, flow_id: int | None = None
) -> int:
    """Return how many contacts ``select`` finds; with ``limit`` it stops counting there."""
    found = select(condition, store_id=store_id, now=now, flow_id=flow_id)
    return found.count() if limit is None else found.order_by()[:limit].count()


class _Selection:
    """One condition on its way to SQL."""

    def __init__(self, store_id: int, now: datetime, flow_id: int | None) -> None:
        self.store_id, self.now, self.flow_id = store_id, now, flow_id

    def q(self, condition: Condition) -> Q:
        match condition:
            case {"all": list(parts)}:
                return reduce(and_, (self.q(part) for part in parts), EVERYBODY)
            case {"any": list(parts)}:
                return reduce(or_, (self.q(part) for part in parts), NOBODY)
            case {"not": dict(part)}:
                return ~self.q(part)
            case {"tag": str(tag)}:
                return Q(HasTag("tags", tag)) if tag else NOBODY
            case {"event": str(kind)}:
                return self._event(kind, condition)
            case {"field": str(path), "op": str(operator)}:
                return self._field(path, operator, condition.get("value"))
            case {"in_flow": int() | "any" as flow}:
                return self._in_flow(flow)
            case {"handed_over": True}:
                return Q(handed_over_at__isnull=False)
            case {"overdue": dict(how)}:
                percent, days = filters.overdue_after(how)
                return Q(Overdue(self.now, percent=percent, days=days))
            case {"top_spender": int(share)}:
                return _top_spender(filters.share_of(share))
        raise BadCondition(f"Not a condition: {condition!r}.")

    # Fields ----------------------------------------------------------------------------------

    def _field(self, path: str, operator: str, value: Any) -> Q:
        first, _dot, rest = path.partition(".")
        if first in filters.RUN_PATHS:
            raise NotSelectable(_("What started the flow, or was answered in it, is known only for people inside it."))
        filters.check_comparison(path, operator, value, self.now)
        if path in DATE_PATHS:
            return self._date(path, operator, value)
        if path in NUMBER_PATHS:
            return _number(path, operator, value)
        if path in TEXT_PATHS:
            return self._text(ColumnText(F(path)), operator, value)
        if first == "fields" and rest:
            return self._text(JSONText("fields", rest), operator, value)
        return EVERYBODY if operator in ("ne", "unknown") else NOBODY  # always missing

    def _text(self, text: Expression, operator: str, value: Any) -> Q:
        if operator in PRESENCE:
            return Q(Present(text)) if operator == "known" else ~Q(Present(text))
        if operator in DATE_OPERATORS:
            return Q(InSpan(text, operator, value, self.now))
        if operator == "in":
            return reduce(or_, (self._text(text, "eq", one) for one in value), NOBODY)
        wanted = text_of(value)
        if wanted is None:
            return EVERYBODY if operator == "ne" else NOBODY
        return Q(Compares(text, operator, wanted))

    def _date(self, path: str, operator: str, value: Any) -> Q:
        if operator in PRESENCE:
            return Q(**{f"{path}__isnull": operator == "unknown"})
        return _in(path, span(operator, value, self.now))

    # Events and flows ------------------------------------------------------------------------

    def _event(self, kind: str, condition: Condition) -> Q:
        if condition.get("same_subject"):
            raise NotSelectable(_("What is about the same cart, order or appointment is known only for people inside."))
        start, wanted = filters.since(condition, self.now), filters.at_least(condition)
        details = self._details(condition)
        if start is None:
            return NOBODY
        found = Event.objects.filter(details, contact=OuterRef("pk"), kind=kind, occurred_at__gte=start).order_by()
        if wanted > 1:
            found = found.values("contact").annotate(times=Count("pk")).filter(times__gte=wanted)
        return Q(Exists(found))

    def _details(self, condition: Condition) -> Q:
        """Return what the data of an event must be."""
        asked = EVERYBODY
        for path, operator, value in filters.details(condition):
            filters.check_comparison(f"trigger.{path}", operator, value, self.now)
            asked &= self._text(JSONText("data", *path.split(".")), operator, value)
        return asked

    def _in_flow(self, flow: int | str) -> Q:
        inside = Enrollment.objects.filter(contact=OuterRef("pk"), status=Enrollment.Status.WAITING).order_by()
        if flow != "any":
            inside = inside.filter(flow_id=flow)
        if self.flow_id is not None:
            inside = inside.exclude(flow_id=self.flow_id)
        return Q(Exists(inside))


def _top_spender(share: int) -> Q:
    """Return who has spent at least what the store's mark says. The mark comes by a join: no query of its own."""
    said = NullIf(KeyTextTransform(share - 1, "store__spend_marks"), Value(""))
    mark = Coalesce(Cast(said, _MONEY), Value(UNREACHED, _MONEY))
    return Q(total_spent__gt=0, total_spent__gte=mark)


def _number(path: str, operator: str, value: Any) -> Q:
    """Compare a column of numbers. It is never missing, and no text."""
    if operator in PRESENCE:
        return EVERYBODY if operator == "known" else NOBODY
    if operator in (*DATE_OPERATORS, "contains", "starts"):
        return NOBODY
    if operator == "in":
        return reduce(or_, (_number(path, "eq", one) for one in value), NOBODY)
    text = text_of(value)
    wanted = number_of(text) if text is not None else None
    if operator == "ne":
        return ~_equal(path, wanted)
    if operator == "eq":
        return _equal(path, wanted)
    return _bounded(path, operator, wanted) if wanted is not None else NOBODY


def _equal(path: str, wanted: Decimal | None) -> Q:
    if wanted is None or abs(wanted) > _MOST[path] or _rounded(path, wanted, ROUND_FLOOR) != wanted:
        return NOBODY
    return Q(**{path: wanted})


def _bounded(path: str, operator: str, wanted: Decimal) -> Q:
    # no column holds more digits than its own: rounding away from what is asked changes no answer
    limit = max(min(wanted, _MOST[path]), -_MOST[path])
    if operator in ("gt", "le"):
        limit = _rounded(path, limit, ROUND_FLOOR)
    else:
        limit = _rounded(path, limit, ROUND_CEILING)
    if wanted > _MOST[path]:
        return EVERYBODY if operator in ("lt", "le") else NOBODY
    if wanted < -_MOST[path]:
        return EVERYBODY if operator in ("gt", "ge") else NOBODY
    lookup = {"gt": "gt", "ge": "gte", "lt": "lt", "le": "lte"}[operator]
    return Q(**{f"{path}__{lookup}": limit})


def _rounded(path: str, number: Decimal, way: str) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-_PLACES[path]), rounding=way)


def _in(path: str, wanted: Span) -> Q:
    limits: dict[str, Any] = {f"{path}__isnull": False}
    if wanted.start is not None:
        limits[f"{path}__gte"] = wanted.start
    if wanted.end is not None:
        limits[f"{path}__{'lte' if wanted.end_included else 'lt'}"] = wanted.end
    return Q(**limits)
