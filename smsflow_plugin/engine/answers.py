"""What a person's answer to a question means. Pure; the words are those of ``audience.answers``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smsflow_plugin.audience.answers import Menu, agrees, is_yes, only_number, yes_or_no
from smsflow_plugin.audience.replies import fold
from smsflow_plugin.flows.program import Choice

__all__ = ["Answered", "understand"]


@dataclass(frozen=True, slots=True)
class Answered:
    """What somebody chose, what is remembered of it, and how many points it is worth (None: no number)."""

    choice: Choice
    value: str
    score: int | None = None


def understand(
    body: str, choices: Sequence[Choice], language: str = "", binding: frozenset[int] = frozenset()
) -> Answered | None:
    """Return what ``body`` means as an answer to ``choices``, or None.

    Words come first, as the whole answer and then in other ways of saying them (``audience.answers``), then yes and
    no, then the one number in the answer, then the choice that takes everything. ``language`` is the person's.
    ``binding`` are the targets of choices by which somebody agrees to texts: only a whole answer that is nothing but
    the word or the number, or a plain yes, chooses those. Nobody agrees by writing anything at all.
    """
    named = [choice for choice in choices if choice.words]
    chosen = _by_words(body, named, language, binding) if named else None
    if chosen is None:
        chosen = _by_yes_or_no(body, choices, binding)
    if chosen is not None:
        return Answered(chosen, chosen.value or body.strip(), chosen.points)
    if (counted := _by_number(body, choices, language, binding)) is not None:
        return counted
    anything = next((choice for choice in choices if choice.takes_all), None)
    if anything is None or anything.target in binding or not body.strip():
        return None
    return Answered(anything, anything.value or body.strip(), anything.points)


def _by_number(body: str, choices: Sequence[Choice], language: str, binding: frozenset[int]) -> Answered | None:
    spans = [choice for choice in choices if choice.low is not None or choice.high is not None]
    if not spans:
        return None
    top = max((choice.high for choice in spans if choice.high is not None), default=None)
    number = only_number(body, language, top)
    for choice in spans:
        if number is not None and _within(number, choice):
            if choice.target in binding and body.strip() != str(number):
                return None
            points = number if choice.points is None else choice.points
            return Answered(choice, choice.value or str(number), points)
    return None


def _by_words(body: str, named: Sequence[Choice], language: str, binding: frozenset[int]) -> Choice | None:
    menu = Menu([frozenset(map(fold, choice.words)) for choice in named])
    said = menu.said(body)
    if said is not None:
        return named[said]
    place = menu.meant(body, language)
    if place is None:
        return None
    choice = named[place]
    if choice.target in binding:
        return choice if any(map(is_yes, choice.words)) and agrees(body) else None
    return choice


def _by_yes_or_no(body: str, choices: Sequence[Choice], binding: frozenset[int]) -> Choice | None:
    asked = {choice.means: choice for choice in choices if choice.means}
    if not asked:
        return None
    said = yes_or_no(body)
    choice = asked.get("yes" if said else "no") if said is not None else None
    if choice is not None and choice.target in binding and not agrees(body):
        return None
    return choice


def _within(number: int, choice: Choice) -> bool:
    return (choice.low is None or number >= choice.low) and (choice.high is None or number <= choice.high)
