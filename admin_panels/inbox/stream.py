"""What stands in a conversation, oldest first: texts of both sides, what happened in between, notes of staff."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from smsflow_plugin import clock
from smsflow_plugin.conversations.reading import name_of
from smsflow_plugin.measurement.entry import Cursor, Entry, Kind, Tone
from smsflow_plugin.measurement.timeline import timeline
from smsflow_plugin.models import Contact, Event, Message, ThreadNote

#: Lines that are drawn at once.
PAGE = 50
#: What a conversation tells; what the rules weighed and what went to other systems stands on the contact's page.
KINDS = (Kind.EVENT, Kind.CONSENT, Kind.REVIEW, Kind.ENTERED, Kind.MESSAGE, Kind.REDEEMED, Kind.LEFT, Kind.NOTE)
#: Texts are drawn as bubbles.
TEXT_RECEIVED = "message_received"

THEM, US, NOTE, SYSTEM = "them", "us", "note", "system"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing in a conversation. ``who`` said it; ``day`` is set where a new day begins."""

    id: str
    side: str
    at: datetime
    time: str
    title: str = ""
    detail: str = ""
    text: str = ""
    who: str = ""
    by_flow: bool = False
    state: str = ""
    tone: Tone = Tone.NEUTRAL
    pictures: tuple[str, ...] = ()
    links: Mapping[str, int] = field(default_factory=dict)
    icon: str = ""
    day: str = ""
    day_id: str = ""

    @property
    def version(self) -> str:
        """Differs when the line is to be drawn anew."""
        shown = (self.text, self.title, self.detail, self.state, self.who, self.pictures, self.day)
        return hashlib.blake2s(repr(shown).encode(), digest_size=6).hexdigest()


@dataclass(frozen=True, slots=True)
class Page:
    """The lines, and where those before them begin: "" when there are none."""

    lines: list[Line]
    earlier: str


def page_of(contact: Contact, zone: str, *, before: Cursor | None = None) -> Page:
    """Return the newest lines, or those before a place. The number of statements does not depend on how many."""
    entries = timeline(contact, limit=PAGE + 1, before=before, kinds=KINDS)
    shown = entries[:PAGE]
    earlier = str(shown[-1].cursor) if len(entries) > PAGE else ""
    return Page(_with_days(_drawn(shown, zone), zone), earlier)


def _drawn(entries: list[Entry], zone: str) -> list[Line]:
    ids: dict[Kind, list[int]] = {}
    for entry in entries:
        ids.setdefault(entry.kind, []).append(entry.pk)
    messages = Message.objects.filter(pk__in=ids.get(Kind.MESSAGE, ())).select_related("author", "flow")
    texts = {row.pk: row for row in messages.defer("slots")}
    received = Event.objects.filter(pk__in=ids.get(Kind.EVENT, ()), kind=TEXT_RECEIVED)
    heard = {pk: data or {} for pk, data in received.values_list("pk", "data")}
    return [_line(entry, zone, texts, heard) for entry in reversed(entries)]


def _line(
    entry: Entry,
    zone: str,
    texts: Mapping[int, Message],
    heard: Mapping[int, Mapping[str, Any]],
) -> Line:
    if entry.kind is Kind.MESSAGE and entry.pk in texts:
        return _from_us(entry, zone, texts[entry.pk])
    if entry.kind is Kind.EVENT and entry.pk in heard:
        return _from_them(entry, zone, heard[entry.pk])
    if entry.kind is Kind.NOTE:
        return _from_staff(entry, zone)
    return Line(
        **_common(entry, zone), side=SYSTEM, title=entry.title, detail=entry.detail, text=_quoted(entry),
        tone=entry.tone, icon=entry.kind.value,
    )  # fmt: skip


def _common(entry: Entry, zone: str) -> dict[str, Any]:
    clock_time = date_format(entry.at.astimezone(ZoneInfo(zone)).replace(tzinfo=None), "H:i")
    return {"id": f"{entry.kind.value}-{entry.pk}", "at": entry.at, "time": clock_time, "links": entry.links}


def _quoted(entry: Entry) -> str:
    # what a text said stands in its own bubble already
    return "" if entry.kind in (Kind.REVIEW, Kind.CONSENT) else entry.text


def _from_us(entry: Entry, zone: str, message: Message) -> Line:
    return Line(
        **_common(entry, zone),
        side=US,
        title=entry.title,
        text=message.body,
        who=name_of(message.author) if message.author else (message.flow.name if message.flow else entry.title),
        by_flow=message.author is None,
        state=_("Read") if message.read_at else str(message.get_state_display()),
        # that a text came is told by its state; what went wrong takes a sentence
        detail=entry.detail if entry.tone is Tone.BAD or message.reason else "",
        tone=entry.tone,
        pictures=(message.media_url,) if message.media_url else (),
    )


def _from_them(entry: Entry, zone: str, data: Mapping[str, Any]) -> Line:
    return Line(
        **_common(entry, zone),
        side=THEM,
        text=str(data.get("body") or ""),
        # who took it, and why nothing answered
        detail=entry.detail,
        pictures=tuple(_addresses(data)),
    )


def _addresses(data: Mapping[str, Any]) -> Iterable[str]:
    held = data.get("media")
    for address in held if isinstance(held, list) else ():
        if isinstance(address, str) and address.startswith(("https://", "http://")):
            yield address


def _from_staff(entry: Entry, zone: str) -> Line:
    if entry.title == str(ThreadNote.Kind.NOTE.label):
        return Line(
            **_common(entry, zone), side=NOTE, title=entry.title, text=entry.text, who=entry.detail, tone=entry.tone
        )
    body = _moment(entry.text, zone)
    return Line(
        **_common(entry, zone), side=SYSTEM, tone=entry.tone, icon="note",
        title=_("%(deed)s: %(what)s") % {"deed": entry.title, "what": body} if body else entry.title,
        detail=_("by %(name)s") % {"name": entry.detail} if entry.detail else "",
    )  # fmt: skip


def _moment(words: str, zone: str) -> str:
    """Return ``words``; a moment, as a snooze keeps it, on the clock of ``zone``."""
    try:
        at = datetime.fromisoformat(words)
    except ValueError:
        return words
    if at.tzinfo is None:
        return words
    return moment(at, zone)


def moment(at: datetime, zone: str) -> str:
    """Return a time of the near past or future on the clock of ``zone``."""
    local = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return _("%(day)s, %(time)s") % {"day": date_format(local, "j M"), "time": date_format(local, "H:i")}


def _with_days(lines: list[Line], zone: str) -> list[Line]:
    """Put the day onto the first line of each."""
    dated, last = [], None
    today = clock.now().astimezone(ZoneInfo(zone)).date()
    for line in lines:
        on = line.at.astimezone(ZoneInfo(zone)).date()
        if on != last:
            line = replace(line, day=day_words(on, today), day_id=f"day-{on.isoformat()}")
        dated.append(line)
        last = on
    return dated


def day_words(on: date, today: date) -> str:
    """Return how people call a day: today, yesterday, or its date."""
    match (today - on).days:
        case 0:
            return _("Today")
        case 1:
            return _("Yesterday")
    return date_format(on, "l j F" if on.year == today.year else "l j F Y")
