"""Moves a waiting run from one program to another. Pure.

Nothing that a person got comes again, and nobody is lost: they stand at the same step,
behind the step that is gone, or have come to the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from smsflow_plugin.engine.state import State
from smsflow_plugin.flows.changes import content, delay_changed, identities
from smsflow_plugin.flows.program import (
    Agree,
    Branch,
    Discount,
    Exit,
    Goal,
    GoTo,
    HandOver,
    Instruction,
    Jump,
    Listen,
    Program,
    Send,
    SetField,
    Split,
    Tag,
    WaitForEvent,
    Webhook,
    targets,
)

#: What is done without being counted in ``State.visits``.
_UNCOUNTED = (Tag, SetField, HandOver, Goal, Agree)

#: What only leads on, and is no reason to say that the rest of its step still lies ahead.
_LEADING = (Branch, Exit, Jump, Split)

#: What was put off or has asked for something outside: it keeps ``waiting_until`` whatever changes about it.
_HELD = (Send, Discount, Webhook)


def transfer(state: State, old: Program, new: Program) -> State | None:
    """Return where a waiting run stands in ``new``; None if it has come to the end there.

    Where its step is still there it waits on; if the step takes another time, ``waiting_until``
    is empty, and the next run plans it anew from ``reached_at``. Where its step is gone it goes on
    with what stands in its place, else with the next step that is left.
    """
    return Passage(old, new).transfer(state)


class Passage:
    """The way from one program to another: made once, it takes any number of runs over."""

    def __init__(self, old: Program, new: Program) -> None:
        self.old = old
        self.new = new
        self._names = identities(old)
        self._places = {name: place for place, name in enumerate(identities(new))}

    def transfer(self, state: State) -> State | None:
        """See the function of this name."""
        if state.at == 0 and state.reached_at is None:
            return state  # it has not begun: it begins there
        at = self._stand(state.at)
        target, same = self._target(at)
        if target is None:
            return None
        moved = replace(state, at=target, gathered=self._gathered(state, at, target))
        if not same:
            return replace(moved, reached_at=None, waiting_until=None)
        here, there = self.old.instructions[at], self.new.instructions[target]
        if delay_changed(here, there) and not isinstance(there, _HELD):
            return replace(moved, waiting_until=None)
        return moved

    def waits_on(self, before: State, after: State) -> bool:
        """Return whether a moved run waits just as before, so that nobody need look at it now."""
        old, new = self.old, self.new
        if after.waiting_until is None or before.at >= len(old.instructions):
            return False
        if (old.exits, old.goal, old.goal_leaves, old.audience) != (new.exits, new.goal, new.goal_leaves, new.audience):
            return False
        return content(old.instructions[before.at]) == content(new.instructions[after.at])

    def _stand(self, at: int) -> int:
        """Follow jumps: nobody stands at one for long."""
        while at < len(self.old.instructions) and isinstance(jump := self.old.instructions[at], Jump):
            at = jump.target
        return at

    def _target(self, at: int) -> tuple[int | None, bool]:
        """Return the place in the new program, None for the end, and whether it is the same step as before."""
        start = at
        if start >= len(self.old.instructions):
            return None, False
        while at < len(self.old.instructions):
            place = self._places.get(self._names[at])
            if place is not None:
                return (place, True) if at == start else (self._in_its_place(place), False)
            at = _on_silence(at, self.old.instructions[at])
        end = self._in_its_place(len(self.new.instructions))
        return (end, False) if end < len(self.new.instructions) else (None, False)

    def _in_its_place(self, place: int) -> int:
        """Return the first of the added steps that stand right before ``place``, if they always lead there."""
        known = {instruction.step for instruction in self.old.instructions}
        first = place
        while first > 0 and self.new.instructions[first - 1].step not in known:
            first -= 1
        # where others jump into them, what comes before the jump's target belongs to another way
        while inner := [
            target for source in self.new.instructions[:first] for target in targets(source) if first < target <= place
        ]:
            first = max(inner)
        return first

    def _gathered(self, state: State, at: int, target: int) -> dict[str, object]:
        """Return what the run has gathered, and under "past" the steps ahead that it must pass over."""
        gathered = {key: value for key, value in state.gathered.items() if key != "past"}
        ahead = {self.new.instructions[n].step for n in self._new_reach[target]}
        past = (self._done(state, at) | set(state.gathered.get("past", ()))) & ahead
        past.discard(self.old.instructions[at].step)
        return {**gathered, "past": sorted(past)} if past else gathered

    def _done(self, state: State, at: int) -> set[str]:
        """Return the steps that the run has done with. In a program without loops they never lie ahead."""
        instructions = self.old.instructions
        done = {step for step, visits in state.visits.items() if visits}
        done |= {i.step for n, i in enumerate(instructions) if isinstance(i, _UNCOUNTED) and at in self._old_reach[n]}
        ahead = (instructions[n] for n in self._old_reach[at])
        return done - {i.step for i in ahead if not isinstance(i, _LEADING)}

    @cached_property
    def _old_reach(self) -> list[frozenset[int]]:
        return _reach(self.old)

    @cached_property
    def _new_reach(self) -> list[frozenset[int]]:
        return _reach(self.new)


def _on_silence(at: int, instruction: Instruction) -> int:
    """Return where somebody goes on for whom nothing has happened yet."""
    if isinstance(instruction, Jump):
        return instruction.target
    if isinstance(instruction, WaitForEvent | Listen) and instruction.on_timeout is not None:
        return instruction.on_timeout
    return at + 1


def _reach(program: Program) -> list[frozenset[int]]:
    """Return, for each place, every place that a run there may come to, itself among them."""
    count = len(program.instructions)
    found: list[frozenset[int]] = [frozenset()] * count
    for n in reversed(range(count)):
        nexts = (m for m in _successors(n, program.instructions[n]) if n < m < count)
        found[n] = frozenset({n}).union(*(found[m] for m in nexts))
    return found


def _successors(n: int, instruction: Instruction) -> Iterator[int]:
    yield from targets(instruction)
    leaves = isinstance(instruction, Exit | Jump | Split) or (
        isinstance(instruction, GoTo | Goal) and instruction.leave
    )
    if not leaves:
        yield n + 1
