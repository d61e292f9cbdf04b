"""What changed between two programs, step by step. Pure.

A step is known by the id of its block in the form. What one block becomes is told apart
by its operation, its part and its turn among those that are otherwise alike.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from smsflow_plugin.flows.program import TARGETS, Email, HandOver, Instruction, Notify, Program, Send, targets

#: Names one instruction across versions: (step, part, operation, turn).
Identity = tuple[str, str, str, int]


class Change(StrEnum):
    """What may have happened to a step."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    COPY = "copy"
    DELAY = "delay"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class StepChange:
    """One step in both programs, with its instructions in each. ``changes`` is empty if it stayed as it was."""

    step: str
    changes: frozenset[Change]
    old: tuple[Instruction, ...] = ()
    new: tuple[Instruction, ...] = ()


#: Words that people read, by operation.
_COPY: dict[type[Instruction], frozenset[str]] = {
    Send: frozenset({"texts", "fallback", "variants"}),
    Email: frozenset({"subject", "body"}),
    Notify: frozenset({"subject", "body"}),
    HandOver: frozenset({"note"}),
}
#: How long something takes, by operation.
_DELAY: dict[str, frozenset[str]] = {
    "wait": frozenset({"amount", "unit", "variants"}),
    "wait_until_time": frozenset({"time", "weekdays"}),
    "wait_until_date": frozenset({"path", "amount", "unit", "time"}),
    "wait_best_time": frozenset({"within_hours"}),
    "wait_for_event": frozenset({"amount", "unit"}),
    "listen": frozenset({"amount", "unit"}),
    "send": frozenset({"expires_minutes"}),
}


def changes(old: Program, new: Program) -> tuple[StepChange, ...]:
    """Return every step of both programs, in the order of ``new``; a removed step stands where it stood."""
    before, after = _by_step(old), _by_step(new)
    moved = _moved(old, new)
    found = {}
    for step in before.keys() | after.keys():
        mine, yours = before.get(step, ()), after.get(step, ())
        if not mine or not yours:
            kinds = {Change.REMOVED if mine else Change.ADDED}
        else:
            kinds = _differences(mine, yours) | ({Change.MOVED} if step in moved else set())
        found[step] = StepChange(step, frozenset(kinds), mine, yours)
    return tuple(found[step] for step in _merged(list(before), list(after)))


def changed_settings(old: Program, new: Program) -> tuple[str, ...]:
    """Return the names of the program's fields, other than its instructions, that differ."""
    mine, yours = old.to_json(), new.to_json()
    names = sorted((mine.keys() | yours.keys()) - {"instructions", "format"})
    return tuple(name for name in names if mine.get(name) != yours.get(name))


def identities(program: Program) -> tuple[Identity, ...]:
    """Return what names each instruction across versions, in their order."""
    turns: Counter[tuple[str, str, str]] = Counter()
    found = []
    for instruction in program.instructions:
        name = (instruction.step, instruction.part, instruction.op)
        found.append((*name, turns[name]))
        turns[name] += 1
    return tuple(found)


def content(instruction: Instruction) -> dict[str, Any]:
    """Return what an instruction says, without the numbers of other instructions: those change with every edit."""
    values = {key: value for key, value in asdict(instruction).items() if key not in (*TARGETS, "targets")}
    if "choices" in values:
        values["choices"] = [{k: v for k, v in choice.items() if k != "target"} for choice in values["choices"]]
    return {"op": instruction.op, **values}


def delay_changed(old: Instruction, new: Instruction) -> bool:
    """Return whether a wait takes another time than before."""
    return bool(_differing(old, new) & _DELAY.get(new.op, frozenset()))


def _by_step(program: Program) -> dict[str, tuple[Instruction, ...]]:
    found: dict[str, list[Instruction]] = defaultdict(list)
    for instruction in program.instructions:
        found[instruction.step].append(instruction)
    return {step: tuple(own) for step, own in found.items()}


def _differences(old: Sequence[Instruction], new: Sequence[Instruction]) -> set[Change]:
    mine = {(i.op, i.part, n): i for n, i in _turns(old)}
    yours = {(i.op, i.part, n): i for n, i in _turns(new)}
    # ways that end in another manner need a jump or none: that alone changes nothing about the step
    names = {name for name in mine.keys() | yours.keys() if name[0] != "jump"}
    kinds: set[Change] = set()
    for name in names:
        if name not in mine or name not in yours:
            kinds.add(Change.SETTINGS)
            continue
        fields = _differing(mine[name], yours[name])
        copy = fields & _COPY.get(type(yours[name]), frozenset())
        delay = fields & _DELAY.get(name[0], frozenset())
        kinds |= {Change.COPY} if copy else set()
        kinds |= {Change.DELAY} if delay else set()
        kinds |= {Change.SETTINGS} if fields - copy - delay else set()
    return kinds


def _turns(instructions: Sequence[Instruction]) -> list[tuple[int, Instruction]]:
    counted: Counter[tuple[str, str]] = Counter()
    found = []
    for instruction in instructions:
        found.append((counted[instruction.op, instruction.part], instruction))
        counted[instruction.op, instruction.part] += 1
    return found


def _differing(old: Instruction, new: Instruction) -> frozenset[str]:
    mine, yours = content(old), content(new)
    return frozenset(key for key in mine.keys() | yours.keys() if mine.get(key) != yours.get(key))


def _moved(old: Program, new: Program) -> set[str]:
    """Return the steps that stand in another order or in another block than before."""
    before, after = list(_by_step(old)), list(_by_step(new))
    common_after = [step for step in after if step in set(before)]
    common_before = [step for step in before if step in set(after)]
    kept = _longest_common(common_before, common_after)
    blocks_before, blocks_after = _blocks(old), _blocks(new)
    return {step for step in common_after if step not in kept or blocks_before[step] != blocks_after[step]}


def _longest_common(before: list[str], after: list[str]) -> set[str]:
    """Return the largest set of steps that stand in the same order in both lists (each step is in both)."""
    place = {step: n for n, step in enumerate(before)}
    best: list[tuple[int, int]] = []  # (length, the one before), by position in after
    for n, step in enumerate(after):
        length, link = 1, -1
        for m in range(n):
            if place[after[m]] < place[step] and best[m][0] + 1 > length:
                length, link = best[m][0] + 1, m
        best.append((length, link))
    n = max(range(len(best)), key=lambda i: best[i][0], default=-1)
    kept = set()
    while n >= 0:
        kept.add(after[n])
        n = best[n][1]
    return kept


def _blocks(program: Program) -> dict[str, str]:
    """Return the block that each step stands in, "" for the top: as far as the program shows it."""
    extents: dict[str, tuple[int, int]] = {}
    for n, instruction in enumerate(program.instructions):
        first, last = extents.get(instruction.step, (n, n + 1))
        extents[instruction.step] = (first, max(last, n + 1, *targets(instruction)))
    found = {}
    for step, (first, _last) in extents.items():
        around = [(b - a, other) for other, (a, b) in extents.items() if other != step and a < first < b]
        found[step] = min(around)[1] if around else ""
    return found


def _merged(before: list[str], after: list[str]) -> list[str]:
    """Return the steps of ``after``, each followed by those that were removed behind it."""
    gone: dict[str, list[str]] = defaultdict(list)
    anchor = ""
    for step in before:
        if step in set(after):
            anchor = step
        else:
            gone[anchor].append(step)
    return [*gone[""], *(name for step in after for name in (step, *gone[step]))]
