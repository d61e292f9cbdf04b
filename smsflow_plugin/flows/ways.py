"""Which ways a step has, by name: for the compiler, the outline and the diagram alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.flows.problems import Path


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a list inside a step, such as an answer. ``id`` is unique in its list."""

    index: int
    id: str
    value: Any


@dataclass(frozen=True, slots=True)
class Way:
    """One way of a step. ``path`` leads from the step's value to the list of ``steps``; ``label`` is for people."""

    path: Path
    label: str
    steps: Any


def items(values: Any) -> list[Item]:
    """Return the items of a ListBlock's value, each under an id of its own."""
    children = getattr(values, "bound_blocks", None)
    if children is None:
        return []
    found: list[Item] = []
    seen: set[str] = set()
    for index, child in enumerate(children):
        wanted = str(child.id or "")
        item_id = wanted if wanted and wanted not in seen else str(index)
        seen.add(item_id)
        found.append(Item(index, item_id, child.value))
    return found


def ways_of(kind: str, value: Any) -> tuple[Way, ...]:
    """Return the ways of a step of this kind, in the order of the form. Tolerates half-filled drafts."""
    ways = _WAYS.get(kind)
    return tuple(way for way in ways(value) if way.steps is not None) if ways else ()


def phrases(text: Any) -> list[str]:
    """Return what stands between the commas of ``text``."""
    return [part.strip() for part in str(text or "").replace(";", ",").replace("\n", ",").split(",") if part.strip()]


def _named(*pairs: tuple[str, Callable[[], str]]) -> Callable[[Any], Iterator[Way]]:
    def ways(value: Any) -> Iterator[Way]:
        for name, label in pairs:
            yield Way((name,), label(), value.get(name))

    return ways


_nonsense = _named(("other", lambda: _("no sense")), ("silence", lambda: _("no answer")))


def _choice(value: Any) -> Iterator[Way]:
    for option in items(value.get("options")):
        label = next(iter(phrases(option.value.get("words"))), "") or _("answer %(number)d") % {
            "number": option.index + 1
        }
        yield Way(("options", option.index, "steps"), label, option.value.get("steps"))
    yield from _nonsense(value)


def _yes_no(value: Any) -> Iterator[Way]:
    for name, label in (("yes", _("yes")), ("no", _("no"))):
        yield Way((name, "steps"), label, (value.get(name) or {}).get("steps"))
    yield from _nonsense(value)


def _number(value: Any) -> Iterator[Way]:
    for each in items(value.get("ranges")):
        yield Way(("ranges", each.index, "steps"), span(each.value), each.value.get("steps"))
    yield from _nonsense(value)


def span(value: Any) -> str:
    """Return a range of numbers in a word: "0–6", "9"."""
    low, high = value.get("low"), value.get("high")
    if low is not None and low == high:
        return str(low)
    return f"{'…' if low is None else low}–{'…' if high is None else high}"


def _text(value: Any) -> Iterator[Way]:
    yield Way(("steps",), _("answer"), value.get("steps"))
    yield Way(("silence",), _("no answer"), value.get("silence"))


def _listed(value: Any) -> Iterator[Way]:
    for each in items(value.get("ways")):
        label = each.value.get("label") or _("way %(number)d") % {"number": each.index + 1}
        yield Way(("ways", each.index, "steps"), str(label), each.value.get("steps"))


def _switch(value: Any) -> Iterator[Way]:
    yield from _listed(value)
    yield Way(("otherwise",), _("otherwise"), value.get("otherwise"))


_failed = _named(("failed", lambda: _("failed")))

_WAYS: dict[str, Callable[[Any], Iterator[Way]]] = {
    "if_else": _named(("yes", lambda: _("yes")), ("no", lambda: _("no"))),
    "switch": _switch,
    "split": _listed,
    "ask_choice": _choice,
    "ask_yes_no": _yes_no,
    "ask_number": _number,
    "ask_text": _text,
    "wait_for_event": _named(("happened", lambda: _("happened")), ("timed_out", lambda: _("time is up"))),
    "wait_for_reply": _named(("replied", lambda: _("reply")), ("silence", lambda: _("no answer"))),
    "discount": _failed,
    "webhook": _failed,
}
