"""Hands what vendors say about the shop itself to those who asked for it. The core makes nothing of it.

An adapter listens in its ``AppConfig.ready``. Whoever listens is called inside the transaction of the
ingest pump: it writes rows, asks nobody outside, and must take the same word twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime

from smsflow_plugin.events.facts import StoreWord

Listener = Callable[[Sequence[tuple[int, StoreWord]], datetime], None]

_listeners: dict[str, list[Listener]] = defaultdict(list)


def listen(kind: str, listener: Listener) -> None:
    """Call ``listener(words, now)`` with every batch of words of ``kind``, given as (store id, word)."""
    if listener not in _listeners[kind]:
        _listeners[kind].append(listener)


def forget(kind: str, listener: Listener) -> None:
    """Call it no more."""
    if listener in _listeners[kind]:
        _listeners[kind].remove(listener)


def tell(words: Sequence[tuple[int, StoreWord]], now: datetime) -> None:
    """Hand the words on, kind by kind, each in the order in which it was said."""
    by_kind: dict[str, list[tuple[int, StoreWord]]] = defaultdict(list)
    for store_id, word in words:
        by_kind[word.kind].append((store_id, word))
    for kind, said in sorted(by_kind.items()):
        said.sort(key=lambda pair: pair[1].at)
        for listener in tuple(_listeners.get(kind, ())):
            listener(said, now)
