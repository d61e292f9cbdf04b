"""How lines of the consent ledger hang together, and where a chain is broken. Pure.

A line has two hashes. ``content_hash`` is over what says who somebody is, and a salt;
``hash`` is over what was said, the content's hash and the hash of the line before. So the
content can be taken away for good, with the salt, and every line after it still fits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

#: What says who somebody is: erasure takes it away.
CONTENT = ("key", "phone", "name", "wording", "ip", "user_agent", "source_url", "evidence")

#: What was said. Stays for ever, and is no longer about anybody.
FACTS = (
    "store_id", "contact_id", "action", "scope", "source", "channel", "programme", "opt_in_level", "effective_at",
    "recorded_at", "phone_hash", "form", "form_version", "disclosure_hash", "disclosure_locale", "box_ticked", "actor",
)  # fmt: skip


class Fault(StrEnum):
    """What is wrong with a line. The values are shown and stored nowhere else."""

    UNCHAINED = "unchained"
    CONTENT = "content"
    DISCLOSURE = "disclosure"
    FACTS = "facts"
    LINK = "link"
    END = "end"


@dataclass(frozen=True, slots=True)
class Break:
    """The first line that does not fit; ``record`` is None when lines are missing at the end."""

    record: int | None
    fault: Fault


def content_hash(salt: str, line: Mapping[str, Any]) -> str:
    return _digest([salt, *(line[name] for name in CONTENT)])


def line_hash(previous: str, content: str, line: Mapping[str, Any]) -> str:
    return _digest([previous, content, *(line[name] for name in FACTS)])


def text_hash(text: str) -> str:
    """Return the hash of a disclosure; empty for none."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest() if text else ""


def first_break(lines: Sequence[Mapping[str, Any]], head: str) -> Break | None:
    """Return where one person's chain breaks, None if it holds.

    :param lines: all lines about the person with their primary keys as "pk", in any order.
    :param head: the hash of the newest line, as it is known elsewhere.
    """
    ordered = sorted(lines, key=lambda line: line["pk"])
    for line in ordered:
        if fault := _fault(line):
            return Break(line["pk"], fault)
    return _unlinked(ordered, head)


def _fault(line: Mapping[str, Any]) -> Fault | None:
    if not line["hash"]:
        return Fault.UNCHAINED
    if text_hash(line["disclosure"]) != line["disclosure_hash"]:
        return Fault.DISCLOSURE
    if line["erased_at"] is None:
        if content_hash(line["salt"], line) != line["content_hash"]:
            return Fault.CONTENT
    elif line["salt"] or any(line[name] for name in CONTENT if name != "key"):
        return Fault.CONTENT
    if line_hash(line["previous_hash"], line["content_hash"], line) != line["hash"]:
        return Fault.FACTS
    return None


def _unlinked(ordered: Iterable[Mapping[str, Any]], head: str) -> Break | None:
    """Follow the links from the beginning: every line must be met once, and the last be the head."""
    after: dict[str, Mapping[str, Any]] = {}
    for line in ordered:
        if line["previous_hash"] in after:
            return Break(line["pk"], Fault.LINK)
        after[line["previous_hash"]] = line
    last = ""
    while (line_after := after.pop(last, None)) is not None:
        last = line_after["hash"]
    if after:
        return Break(min(line["pk"] for line in after.values()), Fault.LINK)
    return None if last == head else Break(None, Fault.END)


def _digest(values: Sequence[Any]) -> str:
    text = json.dumps([_plain(value) for value in values], sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
