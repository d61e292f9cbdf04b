"""Puts texts that can share a gateway call together. Pure: no Django, no database.

Texts that differ only inside their slots share one call: the slots become
``${p0}``, ``${p1}`` …, and each recipient's values travel beside the template.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

#: Gateways refuse longer values and, somewhere, more of them.
MAX_VALUE = 160
MAX_SLOTS = 10

#: A call expires with its first text, so the others must not be far behind.
SPREAD = timedelta(hours=1)

#: What starts a parameter; a text that holds it must never be read as a template.
MARK = "${"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A text that may go now. ``limit``: with how many it may share a call at most; None: as many as fit.

    ``answers``: it answers STOP or HELP, and goes although the panic switch was pressed.
    ``channel``, ``marketing`` and ``media_url`` are as in ``gateway.OutboundText``.

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
    channel: str = "sms"
    marketing: bool = True
    media_url: str = ""


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
    def channel(self) -> str:
        return self.texts[0].channel

    @property
    def marketing(self) -> bool:
        return self.texts[0].marketing

    @property
    def media_url(self) -> str:
        return self.texts[0].media_url

    @property
    def expires_at(self) -> datetime | None:
        return min((text.expires_at for text in self.texts if text.expires_at), default=None)


def _always(_connection_id: int) -> bool:
    return True


def group(
    texts: Iterable[Outgoing],
    max_recipients: Callable[[int], int],
    parameters: Callable[[int], bool] = _always,
) -> list[Group]:
    """Return the calls that carry ``texts``, in the order of each call's first text.

    :param max_recipients: how many people a call of this connection may reach.
    :param parameters: whether people in one call of this connection may have values of their own.
    """
    together: dict[Hashable, list[Outgoing]] = defaultdict(list)
    seen: Counter[Hashable] = Counter()
    places: dict[int, int] = {}
    for place, text in enumerate(texts):
        places[text.pk] = place
        key = _key(text, parameters(text.connection_id))
        # a second text to the same number goes into a later call
        layer = seen[key, text.to]
        seen[key, text.to] += 1
        together[key, layer].append(text)
    calls: list[Sequence[Outgoing]] = []
    for alike in together.values():
        first = alike[0]
        for members in _expiring_together(alike):
            size = max(1, min(max_recipients(first.connection_id), first.limit or len(members)))
            calls.extend(members[i : i + size] for i in range(0, len(members), size))
    calls.sort(key=lambda members: min(places[text.pk] for text in members))
    return [_group(members) for members in calls]


def _key(text: Outgoing, parameters: bool) -> Hashable:
    template = split(text) if parameters else None
    shape = template[0] if template else (text.body,)
    return (
        text.connection_id, text.sender, text.channel, text.marketing, text.media_url, text.limit, text.answers,
        text.expires_at is None, template is None, shape,
    )  # fmt: skip


def _expiring_together(texts: list[Outgoing]) -> Iterator[list[Outgoing]]:
    """Part texts where one expires much later than the first of its call: in as few calls as there can be."""
    timed = [(text.expires_at, text) for text in texts if text.expires_at]
    if len(timed) < len(texts):
        yield texts  # none of them expires: the key keeps them apart
        return
    timed.sort(key=lambda pair: pair[0])
    if timed[-1][0] - timed[0][0] <= SPREAD:
        yield texts
        return
    part: list[Outgoing] = []
    begin = timed[0][0]
    for expires_at, text in timed:
        if expires_at - begin > SPREAD:
            yield part
            part, begin = [], expires_at
        part.append(text)
    yield part


def _group(members: Sequence[Outgoing]) -> Group:
    first = members[0]
    if all(text.body == first.body for text in members):
        return Group(first.connection_id, first.sender, first.body, tuple(members))
    template = split(first)
    assert template is not None, "only what can be a template is put together"
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
