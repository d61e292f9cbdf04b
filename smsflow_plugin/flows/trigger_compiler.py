"""Turns the form of what starts a flow into triggers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from smsflow_plugin.audience.filters import ALWAYS, Condition
from smsflow_plugin.audience.replies import fold, reserved
from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.assembly import plain, whole
from smsflow_plugin.flows.compile_waits import clock_time
from smsflow_plugin.flows.condition_compiler import ConditionCompiler
from smsflow_plugin.flows.lookups import Lookups
from smsflow_plugin.flows.problems import Path, Problem
from smsflow_plugin.flows.program import Trigger
from smsflow_plugin.flows.trigger_blocks import kind_of
from smsflow_plugin.flows.ways import phrases

_DATES = ("birthday", "signed_up", "opted_in", "first_order")
_REPEATS = ("once", "daily", "weekly", "monthly")


def compile_triggers(triggers: Any, lookups: Lookups) -> tuple[tuple[Trigger, ...], list[Problem]]:
    """Return the triggers of a StreamField, and what is wrong with them."""
    compiler = _Triggers(lookups)
    compiled = tuple(compiler.compile(child, ("triggers", place)) for place, child in enumerate(triggers or ()))
    if not compiled:
        compiler.problems.append(Problem("", ("triggers",), _("Choose what starts the flow.")))
    return compiled, compiler.problems


@dataclass
class _Triggers:
    lookups: Lookups
    problems: list[Problem] = field(default_factory=list)
    words: set[str] = field(default_factory=set)

    def compile(self, child: Any, path: Path) -> Trigger:
        value = child.value
        where = _("What starts the flow, %(kind)s") % {"kind": child.block.label}

        def report(at: Path, message: str) -> None:
            self.problems.append(Problem("", (*path, *at), message, where))

        compiler = getattr(self, f"_{child.block_type}", None)
        kind = kind_of(child)
        if compiler is None:
            report((), _("This comes from an app that is not installed."))
            return Trigger(kind)
        when, options = compiler(value, report)
        return Trigger(kind, when, options)

    def _event(self, value: Any, report: Report) -> Compiled:
        kind = plain(value.get("kind"))
        if kind not in KINDS or not KINDS[kind].trigger:
            report(("kind",), _("Choose what starts the flow."))
        rules = value.get("rules")
        if not rules:
            return ALWAYS, {}
        compiler = ConditionCompiler(
            (kind,),
            lambda at, message: report(("rules", *at), message),
            at_entry=True,
            segments=self.lookups.segments,
        )
        return compiler.compile(rules), {}

    def _custom(self, value: Any, report: Report) -> Compiled:
        return _is("name", _required(value, "name", report, _("Give the name of the event."))), {}

    def _keyword(self, value: Any, report: Report) -> Compiled:
        words = phrases(value.get("words"))
        if not words:
            report(("words",), _("Give at least one word."))
        for word in words:
            folded = fold(word)
            if not folded:
                report(("words",), _("“%(word)s” has no letters and no digits.") % {"word": word})
            elif reserved(word):
                report(("words",), _("“%(word)s” always means opting in or out, or help.") % {"word": word})
            elif folded in self.words:
                report(("words",), _("“%(word)s” stands here twice.") % {"word": word})
            self.words.add(folded)
        return ALWAYS, {"words": sorted(set(map(fold, words)))}

    def _any_text(self, value: Any, report: Report) -> Compiled:
        return ALWAYS, {"any": True}

    def _tag(self, value: Any, report: Report) -> Compiled:
        return _is("tag", _required(value, "tag", report, _("Give the name of a tag."))), {}

    def _field(self, value: Any, report: Report) -> Compiled:
        name = _required(value, "name", report, _("Give the name of the field."))
        return _is("field", name.removeprefix("contact.").removeprefix("fields.")), {}

    def _segment(self, value: Any, report: Report) -> Compiled:
        segment = value.get("segment")
        pk = whole(getattr(segment, "pk", segment))
        if pk is None:
            report(("segment",), _("Choose a segment."))
        elif self.lookups.segments(pk) is None:
            report(("segment",), _("There is no such segment in this store."))
        return ALWAYS, {"segment": pk}

    def _date(self, value: Any, report: Report) -> Compiled:
        name, custom = plain(value.get("field")), plain(value.get("custom"))
        if name == "own":
            if not custom:
                report(("custom",), _("Give the name of your own date."))
            name = f"fields.{custom.removeprefix('contact.').removeprefix('fields.')}"
        elif name not in _DATES:
            report(("field",), _("Choose a date."))
        at = clock_time(value.get("time"))
        if not at:
            report(("time",), _("Give a time of day."))
        unit = plain(value.get("unit"))
        if unit not in ("days", "weeks"):
            report(("unit",), _("Choose a unit."))
        amount = 0
        if value.get("direction") in ("before", "after"):
            amount = self._number(value, "amount", 1, 3650, report)
            amount = -amount if value.get("direction") == "before" else amount
        options = {"field": name, "amount": amount, "unit": unit, "time": at, "yearly": bool(value.get("yearly"))}
        return ALWAYS, options

    def _lapsed(self, value: Any, report: Report) -> Compiled:
        return ALWAYS, {"days": self._number(value, "days", 1, 3650, report)}

    def _replenishment(self, value: Any, report: Report) -> Compiled:
        early = self._number(value, "early_days", 0, 365, report)
        default = self._number(value, "default_days", 1, 3650, report)
        if early >= default > 0:
            report(("early_days",), _("This must be less than the days between orders."))
        return ALWAYS, {"early_days": early, "default_days": default}

    def _schedule(self, value: Any, report: Report) -> Compiled:
        at, repeat = _moment(value.get("at")), plain(value.get("repeat"))
        if at is None:
            report(("at",), _("Give a date and a time."))
        if repeat not in _REPEATS:
            report(("repeat",), _("Choose how often."))
        return ALWAYS, {"at": at.astimezone(UTC).isoformat() if at else "", "repeat": repeat}

    def _manual(self, value: Any, report: Report) -> Compiled:
        return ALWAYS, {}

    @staticmethod
    def _number(value: Any, name: str, low: int, high: int, report: Report) -> int:
        number = whole(value.get(name))
        if number is None or not low <= number <= high:
            report((name,), _("Give a number from %(low)d to %(high)d.") % {"low": low, "high": high})
            return low
        return number


Report = Callable[[Path, str], None]
Compiled = tuple[Condition, dict[str, Any]]


def _is(name: str, wanted: str) -> Condition:
    return {"field": f"trigger.{name}", "op": "eq", "value": wanted}


def _required(value: Any, name: str, report: Report, problem: str) -> str:
    text = plain(value.get(name))
    if not text:
        report((name,), problem)
    return text


def _moment(value: Any) -> datetime | None:
    """Return a time of the form; one without a zone is in the zone of the site."""
    if isinstance(value, str):
        try:
            value = parse_datetime(value)
        except ValueError:
            return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return None
    if not isinstance(value, datetime):
        return None
    return value if timezone.is_aware(value) else timezone.make_aware(value)


def abouts(triggers: Sequence[Trigger]) -> set[str]:
    """Return what the events that start the flow are about; "" stands for nothing."""
    return {KINDS[trigger.kind].about if trigger.kind in KINDS else "" for trigger in triggers}
