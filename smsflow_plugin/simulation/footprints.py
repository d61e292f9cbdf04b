"""The path that a run has taken through a program, as the interpreter really read it. Pure."""

from __future__ import annotations

from typing import Any

from smsflow_plugin.engine.state import State
from smsflow_plugin.engine.trials import arm_of_way
from smsflow_plugin.flows.program import Instruction, Split
from smsflow_plugin.flows.trying import is_experiment


class Footprints(tuple):  # type: ignore[type-arg]
    """Instructions that remember which of them the interpreter has read: the path, as it was really taken."""

    seen: list[int]

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, int):
            self.seen.append(place)
        return super().__getitem__(place)


def once(places: list[int]) -> list[int]:
    """Return ``places`` without repetitions in a row: the interpreter reads a place that it waits at twice."""
    return [place for number, place in enumerate(places) if not number or places[number - 1] != place]


def drawn(instruction: Instruction, before: State, after: State) -> str:
    """Return the arm that a run got of a wait or a discount between two states, "" if it got none there."""
    step = instruction.step
    if isinstance(instruction, Split) or step in before.gathered.get("ways", {}):
        return ""
    place = after.gathered.get("ways", {}).get(step)
    return "" if place is None or not is_experiment(instruction) else arm_of_way(place)
