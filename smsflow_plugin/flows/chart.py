"""A flow as boxes with ways, for its diagram: from its program, or from its form while that does not compile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows import program as p
from smsflow_plugin.flows.arm_words import length, taken_off, tried_words
from smsflow_plugin.flows.layout import Step, Way
from smsflow_plugin.flows.outline import OutlineStep
from smsflow_plugin.flows.outline import walk as every_outline_step


@dataclass(frozen=True, slots=True)
class Words:
    """How the form calls a step, and the ways on which it parts people."""

    title: str
    summary: str = ""
    icon: str = ""
    ways: tuple[str, ...] = ()


_VALUE = re.compile(r"\{\{-?\s*([\w.]+)[^}]*\}\}")
_TAG = re.compile(r"\{%.*?%\}", re.S)

TITLES = {
    "send": gettext_lazy("Send a text"),
    "wait": gettext_lazy("Wait"),
    "wait_until_time": gettext_lazy("Wait for a time of day"),
    "wait_until_date": gettext_lazy("Wait for a date"),
    "wait_best_time": gettext_lazy("Wait for the best hour"),
    "wait_for_event": gettext_lazy("Wait for an event"),
    "listen": gettext_lazy("Wait for an answer"),
    "branch": gettext_lazy("If / else"),
    "split": gettext_lazy("Split by chance"),
    "tag": gettext_lazy("Tag"),
    "set_field": gettext_lazy("Set a field"),
    "discount": gettext_lazy("Make a discount code"),
    "webhook": gettext_lazy("Call a webhook"),
    "notify": gettext_lazy("Tell the staff"),
    "email": gettext_lazy("Send an e-mail"),
    "hand_over": gettext_lazy("Hand over to staff"),
    "go_to": gettext_lazy("Go to another flow"),
    "goal": gettext_lazy("Goal"),
    "agree": gettext_lazy("Record the agreement"),
    "exit": gettext_lazy("Leave the flow"),
}

ICONS = {
    "send": "mail",
    "listen": "comment",
    "branch": "list-ul",
    "split": "resubmit",
    "tag": "tag",
    "set_field": "edit",
    "discount": "pick",
    "webhook": "link-external",
    "notify": "warning",
    "email": "mail",
    "hand_over": "user",
    "go_to": "arrow-right",
    "goal": "circle-check",
    "agree": "check",
    "exit": "logout",
}


def words_of(outline: tuple[OutlineStep, ...]) -> dict[str, Words]:
    """Return the form's own words, by the step's id."""
    return {
        step.id: Words(
            _title(step),
            plain_copy(step.summary),
            step.icon,
            # the names of the other steps' ways say more here than there
            tuple(str(way.label) for way in step.ways) if step.kind in ("switch", "split") else (),
        )
        for step in every_outline_step(outline)
    }


def form_chart(outline: Iterable[OutlineStep]) -> tuple[Step, ...]:
    """Return the boxes of a form, whatever is still missing in it."""
    return tuple(_form_step(step) for step in outline)


def program_chart(program: p.Program, words: Mapping[str, Words] | None = None) -> tuple[Step, ...]:
    """Return the boxes of what really runs; ``words`` are the form's."""
    return _Charted(program, words or {}).sequence(0, None)


def start_step(program: p.Program | None, triggers: Iterable[str]) -> Step:
    """Return the box at the top: what starts the flow. ``triggers`` are words for it, if somebody has better ones."""
    names = list(triggers)
    if not names and program is not None:
        names = [kind_label(trigger.kind) for trigger in program.triggers]
    return Step("", "start", _("Starts when"), _(" or ").join(names) or "…", icon="login")


def kind_label(kind: str) -> str:
    return str(KINDS[kind].label) if kind in KINDS else kind


def _form_step(step: OutlineStep) -> Step:
    return Step(
        step.id,
        step.kind,
        _title(step),
        plain_copy(step.summary),
        step.icon,
        ways=tuple(Way(str(way.label), form_chart(way.steps)) for way in step.ways),
        ends=step.kind == "exit",
    )


def _title(step: OutlineStep) -> str:
    # which way it stands on is seen: only its place there is named
    return f"{step.number.rpartition('› ')[2]}. {step.label}"


def plain_copy(text: str) -> str:
    """Return copy with its names in brackets, as ``[first name]``: a box is no place for Liquid."""
    named = _VALUE.sub(lambda found: f"[{found[1].rpartition('.')[2].replace('_', ' ')}]", text)
    return _TAG.sub("", named)


#: What the parts of a switch begin with: see ``compile_ways``.
WAY = "way:"


class _Charted:
    """Reads the structure back out of the instructions: where ways part, and where they meet again.

    Ways meet at the nearest instruction that everybody passes who does not leave before (the
    immediate postdominator). All targets lie ahead, so one pass from the end finds it.
    """

    def __init__(self, program: p.Program, words: Mapping[str, Words]) -> None:
        self.instructions = program.instructions
        self.words = words
        self.end = len(program.instructions)
        self.placed: dict[int, str] = {}
        self.meets = self._meeting_places()

    def sequence(self, at: int, until: int | None) -> tuple[Step, ...]:
        """Return the steps from ``at`` until ``until``, or the end."""
        steps: list[Step] = []
        place: int | None = self._resolved(at)
        while place is not None and place != until and place != self.end:
            if place in self.placed:
                steps.append(Step("", "see", _("Goes on at “%(step)s”") % {"step": self.placed[place]}, ends=True))
                break
            step = self._step(place)
            leads = self._leads(place)
            if len({target for _name, target in leads}) > 1:
                meet = self.meets[place]
                stop = self.end if meet is None else meet
                ways = tuple(Way(name, self.sequence(target, stop)) for name, target in leads)
                step, place = replace(step, ways=ways), meet
            else:
                place = leads[0][1] if leads else None
                step = replace(step, ends=not leads)
            if step.kind == "listen" and steps and steps[-1].id == step.id and steps[-1].kind == "send":
                # a question and the wait for its answer are one step of the form
                question = steps.pop()
                step = replace(step, title=question.title, summary=question.summary or step.summary)
            steps.append(step)
        return tuple(steps)

    def _step(self, place: int) -> Step:
        instruction = self.instructions[place]
        kind = instruction.op
        own = self.words.get(instruction.step)
        if own is None or self._is_further_part(instruction):
            own = Words(str(TITLES[kind]), plain_copy(summary(instruction)), ICONS.get(kind, "time"))
        self.placed[place] = own.title
        return Step(instruction.step, kind, own.title, own.summary, own.icon)

    def _is_further_part(self, instruction: p.Instruction) -> bool:
        """Whether the form's words for the step are about another instruction of it: its first one."""
        first = next(i for i in self.instructions if i.step == instruction.step)
        return first is not instruction

    def _resolved(self, place: int) -> int:
        while place < self.end and isinstance(jump := self.instructions[place], p.Jump):
            place = jump.target
        return place

    def _leads(self, place: int) -> list[tuple[str, int]]:
        """Return (name of the way, where it leads) for every way out."""
        leads = self._chain(place) or _ways(self.instructions, place)
        own = self.words.get(self.instructions[place].step)
        if own is not None and len(own.ways) == len(leads):
            leads = [
                (f"{name} ({share})" if share.endswith("%") else name, target)
                for name, (share, target) in zip(own.ways, leads, strict=True)
            ]
        return [(name, self._resolved(target)) for name, target in leads]

    def _chain(self, place: int) -> list[tuple[str, int]]:
        """Return the ways of a switch: one question after the other, until the first that is answered with yes."""
        first = self.instructions[place]
        ways: list[tuple[str, int]] = []
        while place < self.end:
            asks = self.instructions[place]
            if not isinstance(asks, p.Branch) or asks.step != first.step or not asks.part.startswith(WAY):
                break
            ways.append((_("Way %(number)d") % {"number": len(ways) + 1}, place + 1))
            place = self._resolved(asks.otherwise)
        return [*ways, (_("Otherwise"), place)] if ways else []

    def _meeting_places(self) -> dict[int, int | None]:
        meets: dict[int, int | None] = {self.end: None}
        dead: set[int] = set()
        for place in range(self.end - 1, -1, -1):
            leads = [target for _name, target in self._leads(place)] or [self.end]
            alive = [target for target in leads if target not in dead]
            # where the last step ends the flow, all ways lead there
            if not alive or (not self._leads(place) and place < self.end - 1):
                dead.add(place)
            meet, *others = alive or leads
            for other in others:
                meet = _common(meet, other, meets, self.end)
            meets[place] = meet
        return meets


def _common(a: int, b: int, meets: Mapping[int, int | None], end: int) -> int:
    while a != b:
        if a < b:
            a = meets[a] or end
        else:
            b = meets[b] or end
    return a


def _ways(instructions: tuple[p.Instruction, ...], place: int) -> list[tuple[str, int]]:
    instruction, after = instructions[place], place + 1
    match instruction:
        case p.Exit():
            return []
        case p.GoTo(leave=True) | p.Goal(leave=True):
            return []
        case p.Branch(otherwise=otherwise):
            return [(_("If yes"), after), (_("If no"), otherwise)]
        case p.Split(weights=weights, targets=targets):
            total = sum(weights) or 1
            return [(f"{100 * weight / total:.0f} %", target) for weight, target in zip(weights, targets, strict=True)]
        case p.Listen():
            return _answers(instructions, instruction, after)
        case p.WaitForEvent(on_timeout=timeout) if timeout is not None:
            return [(_("It happens"), after), (_("Not in time"), timeout)]
        case p.WaitUntilDate(otherwise=otherwise) if otherwise is not None:
            return [(_("The day comes"), after), (_("Missing or over"), otherwise)]
        case p.Discount(on_failure=failed) | p.Webhook(on_failure=failed) if failed is not None:
            return [(_("It works"), after), (_("It fails"), failed)]
        case p.Jump(target=target):
            return [("", target)]
    return [("", after)]


def _answers(instructions: tuple[p.Instruction, ...], listen: p.Listen, after: int) -> list[tuple[str, int]]:
    ways = [(_choice(choice), choice.target) for choice in listen.choices]
    other = _after_second_try(instructions, listen)
    if other is not None:
        ways.append((_("Anything else"), other))
    return [*ways, (_("No answer"), after if listen.on_timeout is None else listen.on_timeout)]


def _after_second_try(instructions: tuple[p.Instruction, ...], listen: p.Listen) -> int | None:
    """Return where those go who are not understood: a question that is asked again is still one question."""
    place = listen.on_other
    seen_again = place
    while seen_again is not None and seen_again < len(instructions):
        instruction = instructions[seen_again]
        if instruction.step != listen.step:
            break
        if isinstance(instruction, p.Listen):
            if {c.target for c in instruction.choices} == {c.target for c in listen.choices}:
                return _after_second_try(instructions, instruction)
            break
        seen_again = instruction.target if isinstance(instruction, p.Jump) else seen_again + 1
    return place


def _choice(choice: p.Choice) -> str:
    if choice.words:
        return ", ".join(choice.words)
    if choice.means:
        return _("Yes") if choice.means == "yes" else _("No")
    if choice.low is None and choice.high is None:
        return _("Any answer")
    if choice.low is None:
        return _("Up to %(high)s") % {"high": choice.high}
    if choice.high is None:
        return _("From %(low)s") % {"low": choice.low}
    return f"{choice.low}–{choice.high}" if choice.low != choice.high else str(choice.low)


# Words for programs without a form ---------------------------------------------------------------


def summary(instruction: p.Instruction) -> str:
    """Return what an instruction does, in a line."""
    match instruction:
        case p.Send(texts=texts):
            return texts.get("") or next(iter(texts.values()), "")
        case p.Wait(amount=amount, unit=unit):
            return tried_words(length(amount, unit), instruction)
        case p.WaitUntilTime(time=time):
            return time
        case p.WaitBestTime(within_hours=hours):
            return _("at most %(time)s") % {"time": length(hours, "hours")}
        case p.WaitUntilDate(path=path, amount=amount, unit=unit):
            if not amount:
                return path
            words = {"time": length(abs(amount), unit), "date": path}
            return (_("%(time)s before %(date)s") if amount < 0 else _("%(time)s after %(date)s")) % words
        case p.WaitForEvent(kinds=kinds, amount=amount, unit=unit):
            names = _(" or ").join(kind_label(kind) for kind in kinds)
            return _("%(events)s, at most %(time)s") % {"events": names, "time": length(amount, unit)}
        case p.Listen(amount=amount, unit=unit):
            return _("at most %(time)s") % {"time": length(amount, unit)}
        case p.Tag(tag=tag, add=add):
            return f"+ {tag}" if add else f"− {tag}"
        case p.SetField(name=name, value=value, path=path):
            return f"{name} = {path or value}"
        case p.Discount(name=name, amount=amount, kind=kind):
            return f"{name}: {tried_words(taken_off(kind, amount), instruction)}"
        case p.Webhook(url=url):
            return url
        case p.Notify(subject=subject):
            return subject
        case p.Email(subject=subjects):
            return subjects.get("", "")
        case p.HandOver(note=note):
            return note
        case p.Goal(name=name):
            return name
        case p.Exit(reason=reason):
            # a wait's own way out has no words of the person who made the flow
            return "" if instruction.part else reason
    return ""


def with_feet(steps: Iterable[Step], feet: Mapping[str, str], marks: Mapping[str, tuple[str, ...]]) -> tuple[Step, ...]:
    """Return the same boxes with live numbers at their feet; each id gets its numbers once."""
    left = dict(feet)
    return tuple(_with_foot(step, left, marks) for step in steps)


def _with_foot(step: Step, feet: dict[str, str], marks: Mapping[str, tuple[str, ...]]) -> Step:
    foot = feet.pop(step.id, "") if step.id else ""
    ways = tuple(Way(way.name, tuple(_with_foot(inner, feet, marks) for inner in way.steps)) for way in step.ways)
    return replace(step, foot=foot, ways=ways, marks=marks.get(step.id, ()))


def problem_marks(problems: Iterable[Any]) -> dict[str, tuple[str, ...]]:
    """Return the mark for the steps that keep the form from compiling."""
    return {problem.step_id: ("problem",) for problem in problems if problem.step_id}
