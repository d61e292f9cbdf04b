"""Turns the form of a condition into a condition of ``audience.filters``."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.audience.filters import Condition
from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.condition_blocks import CUSTOM_FIELD, NUMBER_FIELDS
from smsflow_plugin.flows.problems import Path
from smsflow_plugin.flows.step_lists import RETIRED

Report = Callable[[Path, str], None]


class ConditionCompiler:
    """Compiles the conditions of one flow.

    ``report`` is told every problem, with the path from the condition downwards;
    compiling goes on, so that a person sees all of them at once.
    """

    def __init__(self, trigger: str, report: Report, *, at_entry: bool = False) -> None:
        self.trigger = trigger
        self.report = report
        self.at_entry = at_entry

    def compile(self, rules: Any) -> Condition:
        """Return the condition that all ``rules`` hold; no rules hold always."""
        return {"all": self._list(rules, ())}

    def _list(self, rules: Any, path: Path, *, negated: bool = False) -> list[Condition]:
        return [self._rule(rule, (*path, position), negated) for position, rule in enumerate(rules)]

    def _rule(self, rule: Any, path: Path, negated: bool) -> Condition:
        match rule.block_type:
            case "compare":
                return self._compare(rule.value, path)
            case "tag":
                return self._tag(rule.value, path)
            case "happened":
                return self._happened(rule.value, path, negated)
            case "any_of":
                return {"any": self._group(rule.value, path, negated)}
            case "none_of":
                return {"not": {"any": self._group(rule.value, path, not negated)}}
        kind = _("This rule comes from an app that is not installed.")
        self.report(path, kind if rule.block_type == RETIRED else _("This kind of rule is unknown."))
        return {"any": []}

    def _group(self, rules: Any, path: Path, negated: bool) -> list[Condition]:
        if not rules:
            self.report(path, _("Add at least one rule to this group."))
        return self._list(rules, path, negated=negated)

    def _compare(self, value: Any, path: Path) -> Condition:
        field, operator = value.get("field") or "", value.get("operator") or ""
        wanted = (value.get("value") or "").strip()
        if not wanted:
            self.report((*path, "value"), _("Say what to compare with."))
        elif field in NUMBER_FIELDS and not _is_number(wanted):
            self.report((*path, "value"), _("This must be a number."))
        if field == CUSTOM_FIELD:
            name = (value.get("custom") or "").strip()
            if not name:
                self.report((*path, "custom"), _("Give the name of your own field."))
            field = f"{CUSTOM_FIELD}.{name}"
        elif field.startswith("trigger.") and field.split(".")[1] not in self._trigger_data():
            self.report((*path, "field"), _("What starts this flow does not bring such a value."))
        return {"field": field, "op": operator, "value": wanted}

    def _tag(self, value: Any, path: Path) -> Condition:
        tag = (value.get("tag") or "").strip()
        if not tag:
            self.report((*path, "tag"), _("Give the name of a tag."))
        return {"tag": tag}

    def _happened(self, value: Any, path: Path, negated: bool) -> Condition:
        event, period, amount = value.get("event") or "", value.get("period"), value.get("amount")
        positive = value.get("happened") == "yes"
        condition: Condition
        if period == "entry":
            condition = {"event": event, "since": "entry"}
            if self.at_entry and positive is not negated:
                # asked at the very moment of entry, when nothing can have happened since
                self.report((*path, "period"), _("Nobody could ever enter: nothing has happened since entry by then."))
        else:
            if not amount or amount < 1:
                self.report((*path, "amount"), _("Give a number of at least 1."))
            condition = {"event": event, "hours": int(amount or 1) * (24 if period == "days" else 1)}
        if event not in KINDS:
            self.report((*path, "event"), _("Choose an event."))
        return condition if positive else {"not": condition}

    def _trigger_data(self) -> set[str]:
        return set(KINDS[self.trigger].sample) if self.trigger in KINDS else set()


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False
