"""Whoever keeps a copy of what is known here about people hears of changes, in the transaction that makes them.

A shop has its own idea of who agreed to texts and which tags somebody has. The core knows no shop, so adapters
register what is called here when their app is ready. It must do nothing but write down that there is something to be
told: no call, no waiting, a few statements for any number of changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smsflow_plugin.audience.ledger import Statement


@dataclass(frozen=True, slots=True)
class TagChange:
    """A flow gave a contact a tag, or took it away; ``tag`` is as the contact has or had it."""

    store_id: int
    contact_id: int
    tag: str


ConsentWatcher = Callable[["Sequence[Statement]", datetime], None]
TagWatcher = Callable[[Sequence[TagChange], datetime], None]

_consents: list[ConsentWatcher] = []
_tags: list[TagWatcher] = []


def watch(*, consents: ConsentWatcher, tags: TagWatcher) -> None:
    """Call these from now on. Called when an app is ready."""
    _consents.append(consents)
    _tags.append(tags)


def consents_said(statements: Sequence[Statement], now: datetime) -> None:
    for watcher in _consents:
        watcher(statements, now)


def tags_changed(changes: Sequence[TagChange], now: datetime) -> None:
    if changes:
        for watcher in _tags:
            watcher(changes, now)
