"""Which steps of a program try something, and which of them meet on one person's way. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from smsflow_plugin.flows.program import Exit, GoTo, Instruction, Jump, Program, Send, Split, targets


def is_experiment(instruction: Instruction) -> bool:
    """Return whether chance decides here what a person gets."""
    return isinstance(instruction, Split) or (isinstance(instruction, Send) and bool(instruction.variants))


def meeting(program: Program) -> list[tuple[str, str]]:
    """Return the pairs of steps that both try something, where one person may come to both.

    What one does is then seen in the figures of the other. A holdout is none of these: it measures all of it together.
    """
    places = [place for place, each in enumerate(program.instructions) if is_experiment(each)]
    found = []
    for first in places:
        ahead = _reachable(program, first)
        found += [
            (program.instructions[first].step, program.instructions[second].step)
            for second in places
            if second in ahead
        ]
    return found


def _reachable(program: Program, start: int) -> set[int]:
    waiting, seen = list(_next(program, start)), set[int]()
    while waiting:
        place = waiting.pop()
        if place not in seen and place < len(program.instructions):
            seen.add(place)
            waiting += _next(program, place)
    return seen


def _next(program: Program, place: int) -> Iterator[int]:
    instruction = program.instructions[place]
    yield from targets(instruction)
    ends = isinstance(instruction, Exit | Jump | Split) or (isinstance(instruction, GoTo) and instruction.leave)
    if not ends:
        yield place + 1
