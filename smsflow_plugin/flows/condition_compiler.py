"""Turns the form of a condition into a condition of ``audience.filters``. No queries of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.audience.comparing import number_of
from smsflow_plugin.audience.dates import MOST_DAYS
from smsflow_plugin.audience.filters import Condition
from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.behaviour_blocks import compile_rule
from smsflow_plugin.flows.condition_fields import (
    CUSTOM_FIELD,
    DAY_OPERATORS,
    NAMED_FIELDS,
    NUMBER_FIELDS,
    TEXT_OPERATORS,
)
from smsflow_plugin.flows.problems import Path
from smsflow_plugin.flows.step_lists import RETIRED

Report = Callable[[Path, str], None]
#: Finds the rules of a segment, None if there is no such segment in the store.
Segments = Callable[[int], Any]


class ConditionCompiler:
    """Compiles the conditions of one flow, or of one segment.

    ``triggers`` are the kinds of event that start the flow: rules may ask for what any of them
    brings. ``report`` is told every problem, with the path from the condition downwards;
    compiling goes on, so that a person sees all of them at once. ``at_entry``: the
    condition is asked at the very moment of entry. ``segments`` finds the rules of segments,
    which are taken in; ``segment_id`` is the segment whose own rules these are, 0 if it is a new one.
    """

    def __init__(
        self,
        triggers: Collection[str] | str,
        report: Report,
        *,
        at_entry: bool = False,
        segments: Segments | None = None,
        segment_id: int | None = None,
    ) -> None:
        self.triggers = [triggers] if isinstance(triggers, str) else list(triggers)
        self.report = report
        self.at_entry = at_entry
        self.segments = segments
        # those whose rules are being taken in, from the outside inwards
        self._within: tuple[int, ...] = () if segment_id is None else (segment_id,)

    def compile(self, rules: Any) -> Condition:
        """Return the condition that all ``rules`` hold; no rules hold always."""
        return {"all": self._list(rules, ())}

    def _list(self, rules: Any, path: Path, *, negated: bool = False) -> list[Condition]:
        return [self._rule(rule, (*path, position), negated) for position, rule in enumerate(rules)]

    def _rule(self, rule: Any, path: Path, negated: bool) -> Condition:
        value = rule.value
        match rule.block_type:
            case "compare":
                return self._compare(value, path)
            case "tag":
                return self._tag(value, path)
            case "date":
                return self._date(value, path)
            case "known":
                return self._known(value, path)
            case "happened":
                return self._happened(value, path, negated)
            case "segment":
                return self._segment(value, path, negated)
            case "in_flow":
                flow = value.get("flow")
                return _unless(value.get("within") == "no", {"in_flow": flow.pk if flow else "any"})
            case "handed_over":
                return _unless(value.get("is") == "no", {"handed_over": True})
            case "all_of":
                return {"all": self._group(value, path, negated)}
            case "any_of":
                return {"any": self._group(value, path, negated)}
            case "none_of":
                return {"not": {"any": self._group(value, path, not negated)}}
        behaviour = compile_rule(rule.block_type, value, path, self.report)
        if behaviour is not None:
            return behaviour
        gone = _("This rule comes from an app that is not installed.")
        self.report(path, gone if rule.block_type == RETIRED else _("This kind of rule is unknown."))
        return {"any": []}

    def _group(self, rules: Any, path: Path, negated: bool) -> list[Condition]:
        if not rules:
            self.report(path, _("Add at least one rule to this group."))
        return self._list(rules, path, negated=negated)

    # The person ------------------------------------------------------------------------------

    def _compare(self, value: Any, path: Path) -> Condition:
        field = value.get("field") or ""
        self._check_source(field, (*path, "field"))
        operator, wanted = self._comparison(value, path, field in NUMBER_FIELDS)
        return {"field": self._named(field, value, path), "op": operator, "value": wanted}

    def _comparison(self, value: Any, path: Path, number: bool) -> tuple[str, Any]:
        """Return the operator and what is compared with."""
        operator, typed = value.get("operator") or "", (value.get("value") or "").strip()
        wanted = [word for part in typed.split(",") if (word := part.strip())] if operator == "in" else [typed]
        if not typed or not wanted:
            self.report((*path, "value"), _("Say what to compare with."))
        elif number and operator in TEXT_OPERATORS:
            self.report((*path, "operator"), _("This is a number: compare it with “is”, “is more than” and so on."))
        elif number and any(number_of(one) is None for one in wanted):
            self.report((*path, "value"), _("This must be a number."))
        return operator, wanted if operator == "in" else typed

    def _check_source(self, field: str, path: Path) -> None:
        """Report a field that nobody has where this is asked."""
        source, _dot, rest = field.partition(".")
        if source == "trigger" and rest.split(".")[0] not in self._trigger_data():
            self.report(path, _("What starts this flow does not bring such a value."))
        elif source == "run" and (self.at_entry or self._within):
            self.report(path, _("This is known only further on in a flow, not yet at entry."))

    def _named(self, field: str, value: Any, path: Path) -> str:
        if field not in NAMED_FIELDS:
            return field
        name = (value.get("custom") or "").strip()
        if not name:
            asked = _("Give the name of your own field.") if field == CUSTOM_FIELD else _("Give its name.")
            self.report((*path, "custom"), asked)
        return f"{field}.{name}"

    def _tag(self, value: Any, path: Path) -> Condition:
        tag = (value.get("tag") or "").strip()
        if not tag:
            self.report((*path, "tag"), _("Give the name of a tag."))
        return {"tag": tag}

    def _date(self, value: Any, path: Path) -> Condition:
        field, operator = self._named(value.get("field") or "", value, path), value.get("operator") or ""
        if operator in DAY_OPERATORS:
            day = value.get("date")
            if not day:
                self.report((*path, "date"), _("Choose a day."))
            return {"field": field, "op": operator, "value": day.isoformat() if day else "2000-01-01"}
        return {"field": field, "op": operator, "value": self._amount(value, path, MOST_DAYS)}

    def _known(self, value: Any, path: Path) -> Condition:
        operator = "unknown" if value.get("known") == "no" else "known"
        return {"field": self._named(value.get("field") or "", value, path), "op": operator}

    # What happened ---------------------------------------------------------------------------

    def _happened(self, value: Any, path: Path, negated: bool) -> Condition:
        event, period = value.get("event") or "", value.get("period")
        positive = value.get("happened") == "yes"
        condition: dict[str, Any] = {"event": event}
        if period == "entry":
            condition["since"] = "entry"
            if self._within:
                self.report((*path, "period"), _("Nobody enters a segment: choose another period."))
            elif self.at_entry and positive is not negated:
                # asked at the very moment of entry, when nothing can have happened since
                self.report((*path, "period"), _("Nobody could ever enter: nothing has happened since entry by then."))
        elif period == "ever":
            condition["ever"] = True
        else:
            amount = self._amount(value, path, 366 * 24)
            condition["hours"] = int(timedelta(days=amount).total_seconds() // 3600) if period == "days" else amount
        if (value.get("at_least") or 1) > 1:
            condition["at_least"] = int(value["at_least"])
        if value.get("same_subject"):
            condition["same_subject"] = True
            if not any(KINDS[kind].subject for kind in self.triggers if kind in KINDS):
                self.report((*path, "same_subject"), _("What starts this flow is not about a cart or an order."))
        if event not in KINDS:
            self.report((*path, "event"), _("Choose an event."))
        elif value.get("details"):
            condition["where"] = self._details(event, value["details"], (*path, "details"))
        return _unless(not positive, condition)

    def _details(self, event: str, details: Any, path: Path) -> list[dict[str, Any]]:
        found = []
        for position, detail in enumerate(details):
            place, field = (*path, position), detail.get("path") or ""
            if field.split(".")[0] not in KINDS[event].sample:
                self.report((*place, "path"), _("This event does not bring such a value."))
            operator, wanted = self._comparison(detail, place, f"trigger.{field}" in NUMBER_FIELDS)
            found.append({"path": field, "op": operator, "value": wanted})
        return found

    def _amount(self, value: Any, path: Path, most: int) -> int:
        amount = value.get("amount")
        if not amount or amount < 1:
            self.report((*path, "amount"), _("Give a number of at least 1."))
        elif amount > most:
            self.report((*path, "amount"), _("Give a number of at most %(most)d.") % {"most": most})
        return min(max(int(amount or 1), 1), most)

    def _trigger_data(self) -> set[str]:
        return {name for kind in self.triggers if kind in KINDS for name in KINDS[kind].sample}

    # Segments --------------------------------------------------------------------------------

    def _segment(self, value: Any, path: Path, negated: bool) -> Condition:
        """Take in the rules of a segment, as they are now."""
        path, segment = (*path, "segment"), value.get("segment")
        outside = value.get("within") == "no"
        if segment is None:
            self.report(path, _("Choose a segment."))
            return {"any": []}
        if segment.pk in self._within:
            self.report(path, _("The segment “%(segment)s” would contain itself.") % {"segment": segment})
            return {"any": []}
        rules = self.segments(segment.pk) if self.segments else None
        if rules is None:
            self.report(path, _("Choose a segment of the same store."))
            return {"any": []}
        return _unless(outside, self._inside(segment, rules, path, negated is not outside))

    def _inside(self, segment: Any, rules: Any, path: Path, negated: bool) -> Condition:
        """Compile the rules of a segment. What is wrong with them is said where the segment is chosen."""
        outer, within = self.report, self._within
        said: list[str] = []
        self.report, self._within = lambda _path, message: said.append(message), (*within, segment.pk)
        try:
            condition = {"all": self._list(rules, (), negated=negated)}
        finally:
            self.report, self._within = outer, within
        for message in dict.fromkeys(said):
            words = {"segment": segment, "problem": message}
            outer(path, _("In the segment “%(segment)s”: %(problem)s") % words)
        return condition


def _unless(negated: bool, condition: Condition) -> Condition:
    return {"not": condition} if negated else condition
