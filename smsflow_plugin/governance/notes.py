"""The notes of a decision as a line of text: ``cap_day limit=2 per=day; quiet_hours until=@1772640000``. Pure.

A fifth of the bytes that PostgreSQL needs for the same as ``jsonb``, and still read by eye. A note
is a flat mapping. Its ``rule`` stands first, without its name; a moment is written as ``@`` and Unix time;
whatever is no plain word or number is written as JSON. What ``pack`` writes, ``unpack`` reads back as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

Note = Mapping[str, Any]

_WORD = re.compile(r"[A-Za-z_][\w.:/+-]*\Z", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00\Z")
_JSON_WORDS = frozenset({"true", "false", "null", "NaN", "Infinity"})
#: A name, a value or a separator. In JSON a ``;`` or a blank can only stand between quotes, as it is written tight.
_TOKEN = re.compile(r'(?P<name>[^\s=;"]+)=|(?P<json>(?:"(?:[^"\\]|\\.)*"|[^\s;"])+)|(?P<end>;)')


def pack(notes: Iterable[Note]) -> str:
    """Return ``notes`` as one line; empty if there are none."""
    return "; ".join(_note(note) for note in notes if note)


def _note(note: Note) -> str:
    rule = note.get("rule")
    leads = isinstance(rule, str) and _is_word(rule)
    words = [str(rule)] if leads else []
    for name, value in note.items():
        if name == "rule" and leads:
            continue
        words.append(f"{name}={_value(value)}")
    return " ".join(words)


def _is_word(text: str) -> bool:
    return bool(_WORD.match(text)) and text not in _JSON_WORDS


def _value(value: Any) -> str:
    if isinstance(value, str):
        text = str.__str__(value)
        if _is_word(text):
            return text
        if _MOMENT.match(text):
            return f"@{_seconds(datetime.fromisoformat(text))}"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _seconds(at: datetime) -> str:
    whole = int(at.replace(microsecond=0).timestamp())
    return f"{whole}.{at.microsecond:06d}" if at.microsecond else str(whole)


def unpack(line: str) -> list[dict[str, Any]]:
    """Return the notes that ``pack`` wrote as ``line``. Rubbish is left out: a page about it must still open."""
    notes: list[dict[str, Any]] = []
    note: dict[str, Any] = {}
    name = ""
    for token in _TOKEN.finditer(line):
        if token["end"]:
            notes.append(note)
            note, name = {}, ""
        elif token["name"]:
            name = token["name"]
        else:
            note[name or "rule"] = _read(token["json"])
            name = ""
    return [note for note in (*notes, note) if note]


def _read(text: str) -> Any:
    try:
        return _moment(text[1:]) if text.startswith("@") else json.loads(text)
    except (ValueError, OverflowError):
        return text


def _moment(text: str) -> str:
    seconds, _point, micro = text.partition(".")
    at = datetime.fromtimestamp(int(seconds), UTC)
    return at.replace(microsecond=int(micro or 0)).isoformat()
