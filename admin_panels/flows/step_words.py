"""Steps of programs, and what changed about them, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.flows.changes import Change, StepChange, changed_settings, changes
from smsflow_plugin.flows.chart import TITLES, summary
from smsflow_plugin.flows.program import Instruction, Jump, Listen, Program

CHANGES = {
    Change.ADDED: gettext_lazy("Added"),
    Change.REMOVED: gettext_lazy("Removed"),
    Change.MOVED: gettext_lazy("Moved"),
    Change.COPY: gettext_lazy("Other words"),
    Change.DELAY: gettext_lazy("Another time"),
    Change.SETTINGS: gettext_lazy("Other settings"),
}

#: What moving means for somebody who stands at a step, by what happened to it. The first that fits is said.
CONSEQUENCES = (
    (Change.REMOVED, gettext_lazy("They go on with what stands in its place, or with the next step that is left.")),
    (Change.DELAY, gettext_lazy("The new time is counted from when they came here; it may be over at once.")),
    (Change.MOVED, gettext_lazy("They stay at this step in its new place. What they got does not come again.")),
    (Change.COPY, gettext_lazy("They get the new words.")),
    (Change.SETTINGS, gettext_lazy("They go on by the new settings.")),
)

SETTINGS = {
    "triggers": gettext_lazy("what starts it"),
    "audience": gettext_lazy("who may enter"),
    "leave_unmatched": gettext_lazy("whether people leave when the audience no longer fits"),
    "exits": gettext_lazy("what makes people leave"),
    "own_exits": gettext_lazy("what makes people leave"),
    "goal": gettext_lazy("the goal"),
    "goal_leaves": gettext_lazy("whether the goal ends it"),
    "reentry": gettext_lazy("when the same person may enter again"),
    "restart": gettext_lazy("whether it starts afresh when the cart changes"),
    "throttle": gettext_lazy("how many people enter in a time"),
    "max_people": gettext_lazy("how many people enter in all"),
    "message_class": gettext_lazy("the kind of its texts"),
    "priority": gettext_lazy("its priority"),
    "priority_number": gettext_lazy("its priority"),
    "stage": gettext_lazy("its stage"),
    "when_blocked": gettext_lazy("what happens to texts that may not go yet"),
    "cap_day": gettext_lazy("its own limits"),
    "cap_week": gettext_lazy("its own limits"),
    "own_gap": gettext_lazy("its own limits"),
    "holdout": gettext_lazy("how many people get no texts, to compare with"),
}


@dataclass(frozen=True, slots=True)
class StepWords:
    """One step of the comparison. ``before`` is empty unless the line that sums it up has changed."""

    step: str
    title: str
    summary: str
    before: str
    labels: tuple[str, ...]
    consequence: str

    @property
    def changed(self) -> bool:
        return bool(self.labels)


def compare(old: Program, new: Program) -> list[StepWords]:
    """Return every step of both programs with what happened to it."""
    return [step_words(change) for change in changes(old, new)]


def other_changes(old: Program, new: Program) -> list[str]:
    """Return what else has changed about the flow, in words, each once."""
    return list(dict.fromkeys(str(SETTINGS.get(name, name)) for name in changed_settings(old, new)))


def step_words(change: StepChange) -> StepWords:
    now = change.new or change.old
    title, line = _title(now), _line(now)
    before = _line(change.old) if change.old and change.new else ""
    return StepWords(
        change.step,
        title,
        line,
        before if before != line else "",
        tuple(str(CHANGES[kind]) for kind in Change if kind in change.changes),
        next((str(words) for kind, words in CONSEQUENCES if kind in change.changes), ""),
    )


def place_words(program: Program, at: int) -> str:
    """Return the step at a place of a program in a line: "Wait: 3 days"."""
    if at >= len(program.instructions):
        return _("At the end")
    instruction = program.instructions[at]
    own = [other for other in program.instructions if other.step == instruction.step] or [instruction]
    shown = [instruction] if isinstance(instruction, Listen) or not _said(own) else own
    line = _line([instruction]) or _line(own)
    return _("%(step)s: %(summary)s") % {"step": _title(shown), "summary": line} if line else _title(shown)


def _said(instructions: Iterable[Instruction]) -> list[Instruction]:
    return [instruction for instruction in instructions if not isinstance(instruction, Jump)]


def _title(instructions: Sequence[Instruction]) -> str:
    own = _said(instructions)
    if any(isinstance(instruction, Listen) for instruction in own) and len(own) > 1:
        return _("Ask")
    return str(TITLES.get(own[0].op, own[0].op)) if own else ""


def _line(instructions: Sequence[Instruction]) -> str:
    own = _said(instructions)
    return Truncator(summary(own[0])).chars(90) if own else ""
