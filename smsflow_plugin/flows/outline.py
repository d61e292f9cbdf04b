"""A flow's steps as a tree for people: numbered, named, summed up in a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from smsflow_plugin.flows.describing import describe_condition, summary
from smsflow_plugin.flows.ways import ways_of

__all__ = ["OutlineStep", "OutlineWay", "describe_condition", "outline", "walk"]


class OutlineWay(NamedTuple):
    """One way of a step, under the words that say who goes it."""

    label: str
    steps: tuple[OutlineStep, ...]


@dataclass(frozen=True, slots=True)
class OutlineStep:
    """One step. ``number`` is "3", or "3 › yes › 1" on a way of another step."""

    id: str
    number: str
    kind: str
    label: str
    icon: str
    summary: str
    value: Any
    ways: tuple[OutlineWay, ...] = ()

    @property
    def yes(self) -> tuple[OutlineStep, ...]:
        """The first way of an if/else."""
        return self.ways[0].steps if self.kind == "if_else" else ()

    @property
    def no(self) -> tuple[OutlineStep, ...]:
        """The other way of an if/else."""
        return self.ways[1].steps if self.kind == "if_else" else ()


def outline(steps: Any, prefix: str = "") -> tuple[OutlineStep, ...]:
    """Return the steps of a StreamField as a tree. Tolerates half-filled drafts."""
    return tuple(_step(child, f"{prefix}{position}") for position, child in enumerate(steps, start=1))


def walk(tree: tuple[OutlineStep, ...]) -> Iterator[OutlineStep]:
    """Yield every step, those on its ways after it."""
    for step in tree:
        yield step
        for way in step.ways:
            yield from walk(way.steps)


def _step(child: Any, number: str) -> OutlineStep:
    kind = child.block_type
    ways = tuple(
        OutlineWay(way.label, outline(way.steps, _("%(number)s › %(way)s › ") % {"number": number, "way": way.label}))
        for way in ways_of(kind, child.value)
    )
    return OutlineStep(
        id=child.id or "",
        number=number,
        kind=kind,
        label=str(child.block.label),
        icon=child.block.meta.icon,
        summary=summary(kind, child.value),
        value=child.value,
        ways=ways,
    )
