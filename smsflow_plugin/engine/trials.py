"""Experiments as the engine sees them: who falls to which arm, and when that has made a difference. Pure.

An experiment is named by where it stands and, behind the ``@``, by what is tried there: "flow:12:<step>@3f9a1c" for
variants of a text, a wait or a discount and for ways of a split, "flow:12@10" and "store:2026-Q4@10" for holdouts of
10 percent. With other words, times, amounts or shares it is another experiment, so that no two are ever counted as one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from smsflow_plugin.engine.chance import way
from smsflow_plugin.flows.program import VARIANTS, Discount, Instruction, Program, Send, Split, Wait

#: The arms of a holdout.
HELD, SENT = "held", "sent"


@dataclass(frozen=True, slots=True)
class Copy:
    """What is written to one person: the name of the variant, "" where there is one only."""

    variant: str
    texts: Mapping[str, str]
    fallback: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Shown:
    """Somebody came to where an experiment made a difference. ``step`` is "" of a holdout."""

    experiment: str
    arm: str
    step: str = ""


@dataclass(frozen=True, slots=True)
class Holdouts:
    """Whether one person gets no promotional texts: of this flow, or of any. None: there is no such holdout."""

    flow: bool | None = None
    everywhere: bool | None = None
    flow_name: str = ""
    name: str = ""

    @property
    def holds(self) -> str:
        """The name of the holdout that keeps the text back, "" if none does."""
        return self.flow_name if self.flow else self.name if self.everywhere else ""

    def shown(self) -> tuple[Shown, ...]:
        """Return which of them made the difference, for a text that would go without them.

        Where one holds anyway, the other makes none.
        """
        found = []
        if self.everywhere is not None and not self.flow:
            found.append(Shown(self.name, HELD if self.everywhere else SENT))
        if self.flow is not None and not self.everywhere:
            found.append(Shown(self.flow_name, HELD if self.flow else SENT))
        return tuple(found)


def copy_for(send: Send, key: str) -> Copy:
    """Return the wording that the person ``key`` gets, the same one each time."""
    if not send.variants:
        return Copy("", send.texts, send.fallback)
    place = way(key, send.step, send.weights)
    if not place:
        return Copy(VARIANTS[0], send.texts, send.fallback)
    chosen = send.variants[place - 1]
    return Copy(chosen.name, chosen.texts, chosen.fallback)


def wait_of(wait: Wait, place: int) -> Wait:
    """Return the wait as it is in the arm at ``place``. What is not there any more is the step's own."""
    if not 0 < place <= len(wait.variants):
        return wait
    return replace(wait, amount=wait.variants[place - 1].amount, unit=wait.variants[place - 1].unit)


def offer_of(discount: Discount, place: int) -> Discount:
    """Return the discount as it is in the arm at ``place``. What is not there any more is the step's own."""
    if not 0 < place <= len(discount.variants):
        return discount
    return replace(discount, kind=discount.variants[place - 1].kind, amount=discount.variants[place - 1].amount)


def is_held(key: str, salt: str, percent: int) -> bool:
    """Return whether the person ``key`` is among the held ones. With more percent, the same ones and others are."""
    return percent > 0 and way(key, salt, (percent, 100 - percent)) == 0


def store_holdout(store_id: int, percent: int, key: str, now: datetime, timezone: str) -> tuple[bool | None, str]:
    """Return whether a person is held out in this store at present, and what the holdout is called.

    Others are held out in each quarter (on the store's clock), so that nobody goes without texts for ever.
    """
    if percent <= 0:
        return None, ""
    quarter = quarter_of(now, timezone)
    return is_held(key, f"holdout:store:{store_id}:{quarter}", percent), f"store:{quarter}@{percent}"


def flow_holdout(flow_id: int, percent: int, key: str) -> tuple[bool | None, str]:
    """Return whether a person is held out of this flow, and what the holdout is called."""
    if percent <= 0:
        return None, ""
    return is_held(key, f"holdout:flow:{flow_id}", percent), f"flow:{flow_id}@{percent}"


def quarter_of(now: datetime, timezone: str) -> str:
    """Return the quarter on that clock: "2026-Q4"."""
    try:
        local = now.astimezone(ZoneInfo(timezone))
    except (ZoneInfoNotFoundError, ValueError):
        local = now
    return f"{local.year}-Q{(local.month + 2) // 3}"


def shown_copy(flow_id: int, send: Send, variant: str) -> tuple[Shown, ...]:
    """Return that a text went out in one of its variants; nothing of a text that has none."""
    return (Shown(copy_experiment(flow_id, send), variant, send.step),) if variant else ()


def copy_experiment(flow_id: int, send: Send) -> str:
    """Return what the experiment with the wordings of ``send`` is called."""
    others = [[dict(each.texts), dict(each.fallback)] for each in send.variants]
    wordings = [[dict(send.texts), dict(send.fallback)], *others]
    return f"flow:{flow_id}:{send.step}@{_edition([send.weights, wordings])}"


def split_experiment(flow_id: int, split: Split) -> str:
    """Return what the experiment with the ways of ``split`` is called."""
    return f"flow:{flow_id}:{split.step}@{_edition(split.weights)}"


def delay_experiment(flow_id: int, wait: Wait) -> str:
    """Return what the experiment with the times of ``wait`` is called."""
    times = [[wait.amount, wait.unit], *([each.amount, each.unit] for each in wait.variants)]
    return f"flow:{flow_id}:{wait.step}@{_edition([wait.weights, times])}"


def offer_experiment(flow_id: int, discount: Discount) -> str:
    """Return what the experiment with the offers of ``discount`` is called."""
    terms = [discount.minimum, discount.valid_days]
    return f"flow:{flow_id}:{discount.step}@{_edition([discount.weights, discount.offers, terms])}"


def experiment_of(flow_id: int, instruction: Instruction) -> str:
    """Return what the experiment of this instruction is called, "" if it tries nothing."""
    match instruction:
        case Split():
            return split_experiment(flow_id, instruction)
        case Send() if instruction.variants:
            return copy_experiment(flow_id, instruction)
        case Wait() if instruction.variants:
            return delay_experiment(flow_id, instruction)
        case Discount() if instruction.variants:
            return offer_experiment(flow_id, instruction)
    return ""


def arm_of_way(place: int) -> str:
    """Return what a way of a split is called, or an arm at its place: "A", "B", …"""
    return chr(ord("A") + place)


def shown_ways(flow_id: int, program: Program, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Shown]:
    """Return the splits, and the waits and discounts that try something, that a run has come to.

    It had gathered ``before``, and has ``after``.
    """
    new = {step: place for step, place in after.get("ways", {}).items() if step not in before.get("ways", {})}
    if not new:
        return []
    return [
        Shown(name, arm_of_way(new[each.step]), each.step)
        for each in program.instructions
        if each.step in new and not isinstance(each, Send) and (name := experiment_of(flow_id, each))
    ]


def _edition(what: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:6]
