"""A program on its way: instructions with labels, steps with their places, problems as they are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.flows.context import known_context, sample_context
from smsflow_plugin.flows.lookups import Lookups
from smsflow_plugin.flows.problems import Path, Problem
from smsflow_plugin.flows.program import (
    TARGETS,
    HandOver,
    Instruction,
    Listen,
    Split,
    Wait,
    WaitBestTime,
    WaitForEvent,
    WaitUntilDate,
    WaitUntilTime,
)
from smsflow_plugin.flows.ways import Way, ways_of

#: After these a text no longer answers what the person wrote before.
PAUSES = (Wait, WaitUntilTime, WaitUntilDate, WaitBestTime, WaitForEvent, Listen, HandOver)
#: Adds a step's instructions; returns whether the flow can go on behind it.
Compile = Callable[["Step"], bool]
UNITS = ("minutes", "hours", "days", "weeks", "months")
#: More than ``datetime`` can add to any date of this century would stop a run for good.
LONGEST = {"minutes": 60 * 24 * 3660, "hours": 24 * 3660, "days": 3660, "weeks": 522, "months": 120}


@dataclass(frozen=True, slots=True)
class Setting:
    """What a step's meaning depends on. ``triggers`` are kinds of event, without doubles."""

    triggers: tuple[str, ...]
    lookups: Lookups
    flow_id: int | None = None
    has_owner: bool = False


@dataclass(slots=True)
class Branching:
    """One way of a step: its label, its steps, and what is done at its beginning.

    ``key`` tells the ways of a step apart in parts of instructions. ``answered`` says that
    whoever goes this way has just given an answer.
    """

    label: int
    key: str
    way: Way
    opening: Callable[[], None] | None = None
    answered: bool = False

    @property
    def empty(self) -> bool:
        return not len(self.way.steps) and self.opening is None


@dataclass
class Assembly:
    """Compiles the steps of one flow; ``program`` and ``problems`` fill up on the way.

    Targets are labels (negative numbers) until ``finish`` puts places in their stead.
    """

    setting: Setting
    compilers: Mapping[str, Compile]
    program: list[Instruction] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    places: list[int] = field(default_factory=list)
    #: What the run may have gathered by now, by kind.
    names: dict[str, frozenset[str]] = field(default_factory=dict)
    #: Whether the person has given an answer on the way here.
    answered: bool = False
    #: Whether they have just done so: the next text answers it, and need not wait for its hour.
    just_answered: bool = False

    def label(self) -> int:
        """Return a new label, to be placed later."""
        self.places.append(0)
        return -len(self.places)

    def place(self, label: int) -> None:
        """Let ``label`` mean the next instruction."""
        self.places[-label - 1] = len(self.program)

    def finish(self) -> tuple[Instruction, ...]:
        """Return the instructions with places for labels."""
        return tuple(self._placed(instruction) for instruction in self.program)

    def compile_list(self, steps: Any, path: Path, prefix: str) -> bool:
        """Compile a list of steps; return whether its end can be reached."""
        reachable = True
        skipping: int | None = None
        for position, child in enumerate(steps):
            step = Step(self, child, (*path, position), f"{prefix}{position + 1}")
            if not reachable:
                step.report((), _("Nobody gets here: the flow ends before this step."))
                return True
            due, skipping = skipping, None
            reachable = step.compile()
            if due is not None:
                self.place(due)
                reachable = True
            skipping = step.skips_next
        if skipping is not None:
            self.place(skipping)
        return reachable

    def unique_id(self, wanted: str | None, path: Path) -> str:
        """Return the block's id, or its position when it has none or another step already has it."""
        step_id = wanted if wanted and wanted not in self.ids else "-".join(map(str, path))
        self.ids.add(step_id)
        return step_id

    def remember(self, kind: str, name: str) -> None:
        """From here on copy may print ``answers.size`` (kind "answers", name "size")."""
        if name:
            self.names[kind] = self.names.get(kind, frozenset()) | {name}

    def sample(self, *, has_fallback: bool) -> dict[str, Any]:
        """Return what copy at this place can speak of."""
        context = known_context if has_fallback else sample_context
        return context(self.setting.triggers, self.names)

    @contextmanager
    def inside_way(self, *, answered: bool, just_answered: bool) -> Iterator[None]:
        """Forget at the end whether there was an answer, as nobody knows which way people came."""
        before, self.answered, self.just_answered = self.answered, answered, just_answered
        yield
        self.answered, self.just_answered = before, False

    def takes_answer(self) -> bool:
        """Return whether a text here answers what the person has just written. Only the first one does."""
        takes, self.just_answered = self.just_answered, False
        return takes

    def _placed(self, instruction: Instruction) -> Instruction:
        changes: dict[str, Any] = {
            name: self._at(label) for name in TARGETS if (label := getattr(instruction, name, None)) is not None
        }
        if isinstance(instruction, Split):
            changes["targets"] = tuple(self._at(label) for label in instruction.targets)
        elif isinstance(instruction, Listen):
            changes["choices"] = tuple(replace(c, target=self._at(c.target)) for c in instruction.choices)
        return replace(instruction, **changes) if changes else instruction

    def _at(self, label: int) -> int:
        return self.places[-label - 1]


class Step:
    """One step on its way into the program."""

    def __init__(self, assembly: Assembly, child: Any, path: Path, number: str) -> None:
        self.assembly = assembly
        self.kind: str = child.block_type
        self.value = child.value
        self.block = child.block
        self.path = path
        self.number = number
        self.id = assembly.unique_id(child.id, path)
        self.ways = {way.path: way for way in ways_of(self.kind, self.value)}
        #: To be placed behind the next step of the list.
        self.skips_next: int | None = None

    def report(self, path: Path, message: str) -> None:
        words = {"number": self.number, "kind": self.block.label}
        where = _("Step %(number)s, %(kind)s") % words
        self.assembly.problems.append(Problem(self.id, (*self.path, *path), message, where))

    def compile(self) -> bool:
        """Add the step's instructions; return whether the flow can go on behind it."""
        compiler = self.assembly.compilers.get(self.kind)
        if compiler is None:
            self.report((), _("This step comes from an app that is not installed."))
            return True
        return compiler(self)

    def add(self, instruction: Instruction) -> None:
        self.assembly.program.append(instruction)
        if isinstance(instruction, PAUSES):
            self.assembly.just_answered = False

    def text(self, name: str, problem: str = "") -> str:
        """Return a field's text without blanks around it; report ``problem`` if it is empty."""
        text = plain(self.value.get(name))
        if not text and problem:
            self.report((name,), problem)
        return text

    def number_of(self, name: str) -> int | None:
        """Return a field's whole number, None if it is empty or none."""
        return whole(self.value.get(name))

    def length(self, too_short: str, value: Any = None, path: Path = ()) -> tuple[int, str]:
        """Return ``amount`` and ``unit``, of the step or of the value at ``path`` inside it."""
        value = self.value if value is None else value
        amount, unit = whole(value.get("amount")) or 0, str(value.get("unit") or "")
        if amount < 1:
            self.report((*path, "amount"), too_short)
        if unit not in UNITS:
            self.report((*path, "unit"), _("Choose a unit."))
        elif amount > LONGEST[unit]:
            self.report((*path, "amount"), _("Wait ten years at most."))
        return amount, unit

    def way(self, *path: str | int) -> Way:
        return self.ways.get(path) or Way(path, "", ())

    def branch(self, *path: str | int, key: str = "", **options: Any) -> Branching:
        """Return the way at ``path`` under a new label."""
        return Branching(self.assembly.label(), key or str(path[0]), self.way(*path), **options)

    def compile_ways(
        self, branches: Sequence[Branching], end: int, jump: Callable[[str], Instruction], *, through: bool = False
    ) -> bool:
        """Lay the ways out one behind the other; return whether any of them reaches ``end``, which is placed.

        ``jump`` makes the instruction that leads from the end of a way to ``end``. ``through`` says that
        the instruction in front falls through into the first way, even when that is empty.
        """
        assembly = self.assembly
        before, after = dict(assembly.names), dict(assembly.names)
        fresh = assembly.just_answered
        full = [each for place, each in enumerate(branches) if not each.empty or (through and not place)]
        if through and len(full) == 1 and full[0].empty:
            full = []
        goes_on = len(full) < len(branches)
        for each in full:
            assembly.place(each.label)
            assembly.names = dict(before)
            with assembly.inside_way(answered=each.answered, just_answered=each.answered or fresh):
                if each.opening is not None:
                    each.opening()
                prefix = _("%(number)s › %(way)s › ") % {"number": self.number, "way": each.way.label}
                reaches_end = assembly.compile_list(each.way.steps, (*self.path, *each.way.path), prefix)
            goes_on = goes_on or reaches_end
            after = {kind: after.get(kind, frozenset()) | known for kind, known in assembly.names.items()}
            if reaches_end and each is not full[-1]:
                self.add(jump(f"end:{each.key}"))
        assembly.names = after
        for each in branches:
            if each not in full:
                assembly.place(each.label)
        assembly.place(end)
        return goes_on


def plain(value: Any) -> str:
    """Return a form's value as text; "" for what is none."""
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def whole(value: Any) -> int | None:
    """Return a form's value as a whole number, None if it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    try:
        return int(str(value)) if isinstance(value, str) else None
    except ValueError:
        return None
