"""Which steps of a program try something, which of them meet on one person's way, and what texts say of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from smsflow_plugin.flows.program import Discount, Exit, GoTo, Instruction, Jump, Program, Send, Split, Wait, targets


def is_experiment(instruction: Instruction) -> bool:
    """Return whether chance decides here what a person gets."""
    return isinstance(instruction, Split) or (
        isinstance(instruction, Send | Wait | Discount) and bool(instruction.variants)
    )


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


def promised(text: str, discount: Discount) -> str:
    """Return the amount that ``text`` writes down of a discount that tries several, "" if none is seen.

    In a text that prints the code every percentage counts, and every amount that is tried; elsewhere only a percentage
    that is tried, as other numbers may be about anything.
    """
    prints = re.search(rf"\bcodes\.{re.escape(discount.name)}\b", text) is not None
    tried = {Decimal(amount) for amount in (discount.amount, *(each.amount for each in discount.variants)) if amount}
    for number, percent in _NUMBER.findall(_LIQUID.sub(" ", text)):
        is_tried = Decimal(number.replace(",", ".")) in tried
        if discount.kind == "percent":
            found = bool(percent) and (prints or is_tried)
        else:
            found = prints and is_tried and not percent
        if found:
            return f"{number} %" if percent else str(number)
    return ""


#: What is no part of the text itself, and numbers in it with a sign or word for percent behind them.
_LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.S)
_NUMBER = re.compile(
    r"(?<![\w.,-])(\d{1,9}(?:[.,]\d{1,2})?)(?![\d\w-])"
    r"(?:\s?(%|per ?cent\b|prozent\b|procent\b|pour ?cent\b|por ciento\b))?",
    re.I,
)


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
