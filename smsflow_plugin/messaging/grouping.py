"""Puts texts that can share a gateway call together. Pure: no Django, no database.

Texts that differ only inside their slots share one call: the slots become
``${p0}``, ``${p1}`` …, and each recipient's values travel beside the template.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

#: Gateways refuse longer values and, somewhere, more of them.
MAX_VALUE = 160
MAX_SLOTS = 10

#: What starts a parameter; a text that holds it must never be read as a template.
MARK = "${"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A text that may go now. ``limit``: with how many it may share a call at most; None: as many as fit.

    ``answers``: it answers STOP or HELP, and goes although the panic switch was pressed.

    ``slots`` are ``(start, end)`` positions in ``body``, in order and apart from each other.
    """

    pk: int
    connection_id: int
    sender: str
    to: str
    body: str
    slots: tuple[tuple[int, int], ...] = ()
    expires_at: datetime | None = None
    limit: int | None = None
    answers: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """One gateway call. Every number stands in it once.

    ``expires_at`` is that of the text which expires first.
    """

    connection_id: int
    sender: str
    body: str
    texts: tuple[Outgoing, ...]
    parameters: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def recipients(self) -> tuple[str, ...]:
        return tuple(text.to for text in self.texts)

    @property
    def answers(self) -> bool:
        return self.texts[0].answers

    @property
    def expires_at(self) -> datetime | None:
        return min((text.expires_at for text in self.texts if text.expires_at), default=None)


def group(texts: Iterable[Outgoing], max_recipients: Callable[[int], int]) -> list[Group]:
    """Return the calls that carry ``texts``, in the order of each call's first text.

    :param max_recipients: how many people a call of this connection may reach.
    """
    together: dict[Hashable, list[Outgoing]] = defaultdict(list)
    seen: Counter[Hashable] = Counter()
    for text in texts:
        key = _key(text)
        # a second text to the same number goes into a later call
        layer = seen[key, text.to]
        seen[key, text.to] += 1
        together[key, layer].append(text)
    groups: list[Group] = []
    for members in together.values():
        first = members[0]
        size = max(1, min(max_recipients(first.connection_id), first.limit or len(members)))
        groups.extend(_group(members[i : i + size]) for i in range(0, len(members), size))
    return groups


def _key(text: Outgoing) -> Hashable:
    # by the hour: the call expires with its first text, so the others must not be far behind
    hour = text.expires_at.replace(minute=0, second=0, microsecond=0) if text.expires_at else None
    template = split(text)
    shape = template[0] if template else (text.body,)
    return text.connection_id, text.sender, text.limit, text.answers, hour, template is None, shape


def _group(members: Sequence[Outgoing]) -> Group:
    first = members[0]
    template = split(first)
    if template is None or all(text.body == first.body for text in members):
        return Group(first.connection_id, first.sender, first.body, tuple(members))
    fixed = template[0]
    body = fixed[0] + "".join(f"{MARK}p{i}}}{piece}" for i, piece in enumerate(fixed[1:]))
    parameters = {text.to: values for text in members if (values := _values(text)) is not None}
    return Group(first.connection_id, first.sender, body, tuple(members), parameters)


def split(text: Outgoing) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the fixed pieces of a text and the values between them; None if it must go as it stands."""
    if not text.slots or len(text.slots) > MAX_SLOTS or MARK in text.body:
        return None
    values = tuple(text.body[start:end] for start, end in text.slots)
    # an empty value is no value to some gateways
    if any(not 0 < len(value) <= MAX_VALUE for value in values):
        return None
    edges = [0, *(edge for slot in text.slots for edge in slot), len(text.body)]
    if edges != sorted(edges):
        return None
    return tuple(text.body[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)), values


def _values(text: Outgoing) -> tuple[str, ...] | None:
    template = split(text)
    return template[1] if template else None
