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
    that is tried, as other numbers may be about anything. The only amount of its kind may stand in a text that asks for
    the kind.
    """
    prints, asks = _names(text, "codes", discount), _names(text, "offer_kinds", discount)
    for number, percent in _NUMBER.findall(_LIQUID.sub(" ", text)):
        kind = "percent" if percent else "amount"
        tried = {Decimal(amount) for of, amount in discount.offers if of == kind and amount}
        is_tried = Decimal(number.replace(",", ".")) in tried
        if not tried or (asks and is_tried and len(tried) == 1):
            continue
        if (is_tried or percent) and (prints or (is_tried and percent)):
            return f"{number} %" if percent else str(number)
    return ""


def mixes_units(text: str, discount: Discount) -> bool:
    """Return whether ``text`` writes an amount that is percent for some and money for others, without asking which."""
    units = {kind for kind, _amount in discount.offers} - {"shipping"}
    return len(units) > 1 and _names(text, "offers", discount) and not _names(text, "offer_kinds", discount)


def _names(text: str, kind: str, discount: Discount) -> bool:
    return re.search(rf"\b{kind}\.{re.escape(discount.name)}\b", text) is not None


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
