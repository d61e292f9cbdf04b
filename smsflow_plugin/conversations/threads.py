"""Threads, written set-based by pumps and one by one by staff. The contacts must be locked by whoever calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery

from smsflow_plugin import bulk
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.conversations.models import Thread, ThreadNote
from smsflow_plugin.conversations.standing import CLOSED, COLUMNS, Heard, Standing, after_hand_over, after_text
from smsflow_plugin.events.models import Event

_NOTE_COLUMNS = ("store_id", "thread_id", "kind", "body", "author_id", "author_name", "at")

#: (store id, contact id)
Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Line:
    """A line in a thread about what happened by itself, or was done by ``user``."""

    kind: str
    body: str = ""
    user: Any = None


def heard(texts: Sequence[tuple[Key, Heard]], now: datetime) -> None:
    """Write down what people wrote: four statements at most, whatever the number of texts.

    ``texts`` are in the order in which they were written.
    """
    by_contact: dict[Key, list[Heard]] = {}
    for key, text in texts:
        by_contact.setdefault(key, []).append(text)
    _change(by_contact, lambda key, before: _after_texts(before, by_contact[key]), now)


def _after_texts(before: Standing | None, texts: Iterable[Heard]) -> Standing | None:
    for text in texts:
        before = after_text(before, text)
    return before


def handed_over(people: Mapping[Key, str], now: datetime) -> None:
    """Open the threads of people whom flows have handed over; the values say why. Five statements at most."""
    if not people:
        return
    last = _last_texts([contact_id for _store_id, contact_id in people])

    def after(key: Key, before: Standing | None) -> Standing:
        known = before if before is not None or key[1] not in last else after_text(None, last[key[1]])
        return after_hand_over(known, now)

    lines = {key: Line(ThreadNote.Kind.TAKEN_OVER, note) for key, note in people.items()}
    _change(people, after, now, lines)


def _last_texts(contact_ids: Sequence[int]) -> dict[int, Heard]:
    """Return the last text of each person, as one that opens a thread."""
    texts = Event.objects.filter(contact_id=OuterRef("pk"), kind="message_received").order_by("-occurred_at", "-pk")
    rows = (
        Contact.objects.filter(pk__in=contact_ids)
        .annotate(at=Subquery(texts.values("occurred_at")[:1]), data=Subquery(texts.values("data")[:1]))
        .values_list("pk", "at", "data")
    )
    return {pk: Heard(at, str((data or {}).get("body") or ""), opens=True) for pk, at, data in rows if at}


def _change(
    keys: Iterable[Key],
    after: Callable[[Key, Standing | None], Standing | None],
    now: datetime,
    lines: Mapping[Key, Line] | None = None,
) -> None:
    keys = sorted(keys, key=lambda key: key[1])
    if not keys:
        return
    known = {
        contact_id: (pk, Standing(*values))
        for contact_id, pk, *values in Thread.objects.filter(contact_id__in=[pk for _store, pk in keys]).values_list(
            "contact_id", "pk", *COLUMNS
        )
    }
    new, changed, opened = [], [], []
    for key in keys:
        pk, before = known.get(key[1], (None, None))
        standing = after(key, before)
        if standing is None or standing == before:
            continue
        if pk is None:
            new.append((*key, *astuple(standing)))
            continue
        changed.append((pk, *astuple(standing)))
        if before is not None and before.state == CLOSED and standing.state != CLOSED:
            opened.append((key[0], pk, ThreadNote.Kind.OPENED.value, "", None, "", now))
    bulk.update(Thread, COLUMNS, sorted(changed))
    made = bulk.insert(Thread, ("store_id", "contact_id", *COLUMNS), new, returning=("id", "contact_id"))
    ids = {contact_id: pk for contact_id, (pk, _standing) in known.items()} | {contact: pk for pk, contact in made}
    told = [
        (key[0], ids[key[1]], str(line.kind), line.body, None, "", now)
        for key, line in (lines or {}).items()
        if key[1] in ids
    ]
    bulk.insert(ThreadNote, _NOTE_COLUMNS, [*opened, *told])


# One thread --------------------------------------------------------------------------------------


def standing_of(thread: Thread) -> Standing:
    return Standing(*(getattr(thread, name) for name in COLUMNS))


def put(thread: Thread, standing: Standing) -> None:
    """Let ``thread`` stand there, and save it."""
    for name in COLUMNS:
        setattr(thread, name, getattr(standing, name))
    thread.save()


def note(thread: Thread, line: Line, now: datetime) -> ThreadNote:
    """Write a line into a thread."""
    return ThreadNote.objects.create(
        store_id=thread.store_id,
        thread=thread,
        kind=line.kind,
        body=line.body,
        author=line.user,
        author_name=line.user.get_username() if line.user else "",
        at=now,
    )


def note_for(contact: Contact, line: Line, now: datetime) -> Thread | None:
    """Write a line into the contact's thread, if there is one, and return the thread."""
    thread = Thread.objects.filter(contact=contact).first()
    if thread is not None:
        note(thread, line, now)
    return thread
