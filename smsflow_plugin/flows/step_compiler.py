"""Turns the form of a flow's steps into instructions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.condition_compiler import ConditionCompiler
from smsflow_plugin.flows.context import example_context, sample_context
from smsflow_plugin.flows.problems import Path, Problem
from smsflow_plugin.flows.program import (
    Branch,
    Exit,
    Instruction,
    Jump,
    Send,
    Wait,
    WaitForEvent,
    WaitUntilTime,
)
from smsflow_plugin.messaging.liquid import check_copy

UNITS = ("minutes", "hours", "days", "weeks")


class StepCompiler:
    """Compiles the steps of one flow; ``problems`` fills up on the way."""

    def __init__(self, trigger: str) -> None:
        self.trigger = trigger
        self.sample = sample_context(trigger)
        #: Nothing is missing here: for copy that has a fallback for what may be.
        self.known = example_context(trigger, {})
        self.problems: list[Problem] = []
        self.program: list[Instruction] = []
        self.ids: set[str] = set()

    def compile(self, steps: Any) -> tuple[Instruction, ...]:
        """Return the instructions of a StreamField's steps."""
        self.compile_list(steps, ("steps",), "")
        if not any(isinstance(instruction, Send) for instruction in self.program) and not self.problems:
            self.problems.append(Problem("", ("steps",), _("Add at least one text to send.")))
        return tuple(self.program)

    def compile_list(self, steps: Any, path: Path, prefix: str) -> bool:
        """Compile a list of steps; return whether its end can be reached."""
        reachable = True
        for position, child in enumerate(steps):
            step = _Step(self, child, (*path, position), f"{prefix}{position + 1}")
            if not reachable:
                step.report((), _("Nobody gets here: the flow ends before this step."))
                return True
            reachable = step.compile()
        return reachable

    def unique_id(self, wanted: str | None, path: Path) -> str:
        """Return the block's id, or its position when it has none or another step already has it."""
        step_id = wanted if wanted and wanted not in self.ids else "-".join(map(str, path))
        self.ids.add(step_id)
        return step_id


class _Step:
    """One step on its way into the program."""

    def __init__(self, compiler: StepCompiler, child: Any, path: Path, number: str) -> None:
        self.compiler = compiler
        self.child = child
        self.value = child.value
        self.path = path
        self.number = number
        self.id = compiler.unique_id(child.id, path)

    def report(self, path: Path, message: str) -> None:
        words = {"number": self.number, "kind": self.child.block.label}
        where = _("Step %(number)s, %(kind)s") % words
        self.compiler.problems.append(Problem(self.id, (*self.path, *path), message, where))

    def compile(self) -> bool:
        """Add the step's instructions; return whether the flow can go on behind it."""
        match self.child.block_type:
            case "send":
                self._add(self._send())
            case "wait":
                self._add(Wait(self.id, *self._length(_("Wait at least one minute."))))
            case "wait_until_time":
                self._add(self._wait_until_time())
            case "wait_for_event":
                self._add(self._wait_for_event())
            case "if_else":
                return self._if_else()
            case "exit":
                self._add(Exit(self.id, self.value.get("reason") or ""))
                return False
            case _:
                self.report((), _("This step comes from an app that is not installed."))
        return True

    def _add(self, instruction: Instruction) -> None:
        self.compiler.program.append(instruction)

    def _send(self) -> Send:
        texts, fallback = self._copy()
        hold = self.value.get("hold_amount")
        if hold is not None and hold < 1:
            self.report(("hold_amount",), _("Give a number of at least 1."))
        in_minutes = None if not hold else hold * (60 if self.value.get("hold_unit") == "hours" else 1)
        return Send(self.id, texts, fallback, in_minutes)

    def _copy(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Return texts and fallbacks by language; "" is the main text's."""
        fallbacks = {"": self._checked(self.value.get("fallback"), ("fallback",))}
        texts = {"": self._text(self.value, ("text",), bool(fallbacks[""]))}
        for position, translation in enumerate(self.value.get("translations") or ()):
            path: Path = ("translations", position)
            language = translation.get("language") or ""
            if not language or language in texts:
                self.report((*path, "language"), _("Give each language once."))
                continue
            fallbacks[language] = self._checked(translation.get("fallback"), (*path, "fallback"))
            texts[language] = self._text(translation, (*path, "text"), any(fallbacks.values()))
        return texts, {language: text for language, text in fallbacks.items() if text}

    def _text(self, value: Any, path: Path, has_fallback: bool) -> str:
        copy = self._checked(value.get("text"), path, has_fallback=has_fallback)
        if not copy:
            self.report(path, _("Write the text."))
        return copy

    def _checked(self, text: str | None, path: Path, *, has_fallback: bool = False) -> str:
        copy = (text or "").strip()
        if copy:
            for problem in check_copy(copy, self.compiler.known if has_fallback else self.compiler.sample):
                self.report(path, problem.message)
        return copy

    def _length(self, too_short: str) -> tuple[int, str]:
        amount, unit = self.value.get("amount") or 0, self.value.get("unit") or ""
        if amount < 1:
            self.report(("amount",), too_short)
        if unit not in UNITS:
            self.report(("unit",), _("Choose a unit."))
        return int(amount), unit

    def _wait_until_time(self) -> WaitUntilTime:
        time = self.value.get("time")
        if time is None:
            self.report(("time",), _("Give a time of day."))
        weekdays = tuple(sorted(int(day) for day in self.value.get("weekdays") or ()))
        return WaitUntilTime(self.id, time.strftime("%H:%M") if time else "", weekdays)

    def _wait_for_event(self) -> WaitForEvent:
        kinds = tuple(sorted(self.value.get("events") or ()))
        if not kinds:
            self.report(("events",), _("Choose at least one event."))
        if unknown := [kind for kind in kinds if kind not in KINDS]:
            self.report(("events",), _("There is no event “%(event)s”.") % {"event": unknown[0]})
        return WaitForEvent(self.id, kinds, *self._length(_("Give a time after which the flow goes on.")))

    def _if_else(self) -> bool:
        condition = ConditionCompiler(
            self.compiler.trigger, lambda path, message: self.report(("condition", *path), message)
        ).compile(self.value["condition"])
        if not condition["all"]:
            self.report(("condition",), _("Add at least one rule."))
        yes, no = self.value["yes"], self.value["no"]
        if not len(yes) and not len(no):
            self.report((), _("Add a step to at least one of the two ways."))
        program = self.compiler.program
        branch_at = len(program)
        self._add(Branch(self.id, condition, 0))
        yes_goes_on = self._way(yes, "yes", _("%(number)s › yes › "))
        jump_at = len(program)
        if yes_goes_on and len(no):
            self._add(Jump(self.id, 0))
        program[branch_at] = Branch(self.id, condition, len(program))
        no_goes_on = self._way(no, "no", _("%(number)s › no › "))
        if yes_goes_on and len(no):
            program[jump_at] = Jump(self.id, len(program))
        return yes_goes_on or no_goes_on

    def _way(self, steps: Any, name: str, numbering: str) -> bool:
        return self.compiler.compile_list(steps, (*self.path, name), numbering % {"number": self.number})
