"""The words of a flow, apart from its structure: found, and put back, in the raw value of its steps. Pure.

The raw value is what the database keeps: lists of ``{"type", "value", "id"}``. A piece of
copy has the keys ``text`` and ``fallback``, whether it is the step itself or a reply inside
of it; an e-mail has ``subject`` and ``body``. What staff get, and what is called over the
web, are no words of the flow.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from smsflow_plugin.flows.program import VARIANTS

COPY_FIELDS = ("text", "fallback")
MAIL_FIELDS = ("subject", "body")
#: Copy that need not be there.
OPTIONAL = ("again", "reply", "fallback")


@dataclass(frozen=True, slots=True)
class Words:
    """One text. ``key`` names it for good: ids of blocks, never positions, as long as blocks have ids.

    ``number`` is the step's place ("3.yes.1"), ``path`` the way to the text inside of its
    step ("options", "A, yes", "reply", "text"), ``language`` "" for everybody's text.
    """

    key: str
    step: str
    kind: str
    number: str
    path: tuple[str, ...]
    language: str
    text: str

    @property
    def field(self) -> str:
        return self.path[-1]

    @property
    def required(self) -> bool:
        return not set(self.path) & set(OPTIONAL)

    @property
    def is_mail(self) -> bool:
        return self.field in MAIL_FIELDS


def words_of(steps: list[Any]) -> list[Words]:
    """Return every text of ``steps``, in order."""
    return [words for words, _place in _Walk().steps(steps, "")]


def with_words(steps: list[Any], changes: Mapping[str, str]) -> list[Any]:
    """Return ``steps`` with some texts changed, by their keys. Nothing else changes; other keys are ignored."""
    changed = copy.deepcopy(steps)
    for words, place in list(_Walk().steps(changed, "")):
        if words.key in changes:
            place[words.field] = changes[words.key]
    return changed


Found = Iterator[tuple[Words, dict[str, Any]]]


class _Walk:
    """One walk over the steps of a flow; no two texts get the same key."""

    def __init__(self) -> None:
        self.keys: set[str] = set()

    def steps(self, steps: Any, prefix: str) -> Found:
        for position, item in enumerate(steps or [], start=1):
            if isinstance(item, dict) and isinstance(item.get("value"), dict):
                number = f"{prefix}{position}"
                yield from self._value(item["value"], _Step(item.get("id") or number, item.get("type") or "", number))

    def _value(self, value: dict[str, Any], step: _Step, path: tuple[str, ...] = (), key: str = "") -> Found:
        language = value.get("language") or ""
        for field in _fields(value, step, path):
            unique = self._unique(f"{step.id}{key}/{field}")
            text = value[field] if isinstance(value[field], str) else ""
            yield Words(unique, step.id, step.kind, step.number, (*path, field), language, text), value
        for name, inner in value.items():
            if isinstance(inner, dict):
                yield from self._value(inner, step, (*path, name), f"{key}/{name}")
            elif isinstance(inner, list):
                yield from self._list(inner, step, (*path, name), f"{key}/{name}")

    def _list(self, items: list[Any], step: _Step, path: tuple[str, ...], key: str) -> Found:
        if not all(isinstance(item, dict) for item in items):
            return
        if any(item.get("type") != "item" for item in items):
            yield from self.steps(items, f"{step.number}.{'.'.join(path)}.")
            return
        for position, item in enumerate(items, start=1):
            if isinstance(item.get("value"), dict):
                inner, label = item["value"], _label(item["value"], position)
                if path[-1] == "variants":
                    label = VARIANTS[position % len(VARIANTS)]
                yield from self._value(inner, step, (*path, label), f"{key}/{item.get('id') or position}")

    def _unique(self, wanted: str) -> str:
        key, number = wanted, 2
        while key in self.keys:
            key, number = f"{wanted}~{number}", number + 1
        self.keys.add(key)
        return key


@dataclass(frozen=True, slots=True)
class _Step:
    id: str
    kind: str
    number: str


def _fields(value: Mapping[str, Any], step: _Step, path: tuple[str, ...]) -> tuple[str, ...]:
    if all(field in value for field in COPY_FIELDS):
        return COPY_FIELDS
    in_mail = step.kind == "email" and (not path or path[0] == "translations")
    if in_mail and all(field in value for field in MAIL_FIELDS):
        return MAIL_FIELDS
    return ()


def _label(value: Mapping[str, Any], position: int) -> str:
    """Return what people call an item of a list: an answer, a way, a range, a language."""
    if value.get("low") is not None or value.get("high") is not None:
        return f"{_or_dots(value.get('low'))}-{_or_dots(value.get('high'))}"
    return str(value.get("words") or value.get("label") or value.get("language") or position)


def _or_dots(value: Any) -> str:
    return "…" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Copy:
    """One piece of copy with all its languages, "" for everybody's: what one text is made from."""

    key: str
    step: str
    kind: str
    number: str
    path: tuple[str, ...]
    texts: Mapping[str, str]
    fallbacks: Mapping[str, str]
    #: The number of the image that goes with it, if any.
    picture: Any = None


def copies_of(steps: list[Any]) -> list[Copy]:
    """Return what can become a text in ``steps``, in order. E-mails are none."""
    found: dict[str, tuple[Words, dict[str, str], dict[str, str]]] = {}
    pictures: dict[str, Any] = {}
    for words, place in _Walk().steps(steps, ""):
        if words.is_mail:
            continue
        key = words.key.rpartition("/")[0].partition("/translations/")[0]
        _first, texts, fallbacks = found.setdefault(key, (words, {}, {}))
        pictures.setdefault(key, place.get("picture"))
        (texts if words.field == "text" else fallbacks)[words.language] = words.text
    return [
        Copy(key, first.step, first.kind, first.number, first.path[:-1], texts, fallbacks, pictures[key])
        for key, (first, texts, fallbacks) in found.items()
        if any(texts.values())
    ]
