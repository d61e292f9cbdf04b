"""Puts the lines of a bulk operation's file together again. Pure.

Each line is an object of its own; a line item names its order in ``__parentId``. It may stand anywhere after its order.
Orders are collected up to a number, with the items that have come by then; an item whose order was handed on already is
handed on as a straggler. So what is held in memory has an end, whatever the file looks like.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Node = Mapping[str, Any]

#: Objects of a chunk, and lines: whichever comes first ends it.
MOST, MOST_LINES = 500, 5_000
PARENT = "__parentId"


@dataclass(slots=True)
class Chunk:
    """``end``: the byte after its last line. ``children`` are by their parent's id."""

    nodes: list[Node] = field(default_factory=list)
    children: dict[str, list[Node]] = field(default_factory=dict)
    stragglers: dict[str, list[Node]] = field(default_factory=dict)
    lines: int = 0
    #: Lines that were no objects.
    broken: int = 0
    end: int = 0


def chunks(lines: Iterable[tuple[bytes, int]], most: int = MOST, most_lines: int = MOST_LINES) -> Iterator[Chunk]:
    """Yield chunks of a file, each of which ends before an object that has no parent, if it can."""
    chunk = Chunk()
    for line, end in lines:
        node = _read(line)
        parent = node.get(PARENT) if node else None
        full = len(chunk.nodes) >= most and parent is None
        if chunk.lines and (full or chunk.lines >= most_lines):
            yield chunk
            chunk = Chunk()
        chunk.lines, chunk.end = chunk.lines + 1, end
        if node is None:
            chunk.broken += bool(line.strip())
        elif parent is None:
            chunk.nodes.append(node)
            chunk.children[str(node.get("id"))] = []
        else:
            own = chunk.children.get(str(parent))
            if own is not None:
                own.append(node)
            else:
                chunk.stragglers.setdefault(str(parent), []).append(node)
    if chunk.lines:
        yield chunk


def _read(line: bytes) -> Node | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
