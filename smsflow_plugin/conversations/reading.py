"""Finds threads for people: which wait, which somebody looks for, who else has one open, what has changed in one."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from smsflow_plugin.audience.models import Contact
from smsflow_plugin.conversations.models import Thread, ThreadNote, ThreadVisitor
from smsflow_plugin.events.models import Event
from smsflow_plugin.messaging.models import Message

#: Somebody who was not heard of for so long has left the page.
PRESENT_FOR = timedelta(seconds=25)
#: Somebody who has not touched a key for so long does not write any more.
TYPING_FOR = timedelta(seconds=10)
#: Fewer digits stand in too many numbers.
DIGITS = 3

WAITING, MINE, UNASSIGNED, OPEN, SNOOZED, CLOSED = "waiting", "mine", "unassigned", "open", "snoozed", "closed"

#: The parts into which the inbox is divided, by name.
PARTS = {
    WAITING: _("Unread"),
    MINE: _("Mine"),
    UNASSIGNED: _("Unassigned"),
    OPEN: _("Open"),
    SNOOZED: _("Snoozed"),
    CLOSED: _("Closed"),
}


def part(name: str, user: Any) -> Q:
    """Return what belongs to a part of the inbox for ``user``; everything, for a name that is none."""
    is_open = Q(state=Thread.State.OPEN)
    parts = {
        WAITING: is_open & Q(unread__gt=0),
        MINE: ~Q(state=Thread.State.CLOSED) & Q(assigned_to=user.pk),
        UNASSIGNED: is_open & Q(assigned_to__isnull=True),
        OPEN: is_open,
        SNOOZED: Q(state=Thread.State.SNOOZED),
        CLOSED: Q(state=Thread.State.CLOSED),
    }
    return parts.get(name, Q())


def waiting_for(user: Any) -> QuerySet[Thread]:
    """Return the threads that wait for this user: open, unread, and theirs or nobody's."""
    own = Q(assigned_to=user.pk) | Q(assigned_to__isnull=True)
    return Thread.objects.visible_to(user).filter(part(WAITING, user) & own)


def found_by(words: str) -> Q:
    """Return what the search for ``words`` finds: names, e-mail addresses, last words, digits of numbers."""
    columns = ("contact__first_name", "contact__last_name", "contact__email", "last_words")
    split = words.replace("\0", " ").split()
    query = reduce(and_, (reduce(or_, (Q(**{f"{name}__icontains": word}) for name in columns)) for word in split), Q())
    digits = re.sub(r"\D", "", words)
    return query | Q(contact__phone__contains=digits) if len(digits) >= DIGITS else query


def last_text_of(contact: Contact) -> int:
    """Return the id of the newest text to this person, 0 without any: what a page shows as the newest."""
    return contact.messages.aggregate(newest=Max("pk"))["newest"] or 0


def answered_since(thread: Thread, user: Any, seen: int) -> Message | None:
    """Return the newest text of another member of staff that is newer than the text ``seen``."""
    others = Message.objects.filter(contact_id=thread.contact_id, pk__gt=seen, author__isnull=False)
    return others.exclude(author=user.pk).select_related("author").order_by("-pk").first()


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody else who has the thread open."""

    name: str
    typing: bool


def visit(thread: Thread, user: Any, now: datetime, *, typing: bool) -> None:
    """Note that ``user`` has the thread open, and whether they write."""
    row = ThreadVisitor(
        store_id=thread.store_id, thread=thread, user=user, seen_at=now, typed_at=now if typing else None
    )
    columns = ["seen_at", "typed_at"] if typing else ["seen_at"]
    ThreadVisitor.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["thread", "user"], update_fields=columns
    )


def others_in(thread: Thread, user: Any, now: datetime) -> list[Visitor]:
    """Return who else has the thread open, those first who write."""
    rows = ThreadVisitor.objects.filter(thread=thread, seen_at__gt=now - PRESENT_FOR).exclude(user=user.pk)
    visitors = [
        Visitor(name_of(row.user), row.typed_at is not None and row.typed_at > now - TYPING_FOR)
        for row in rows.select_related("user").order_by("user_id")
    ]
    return sorted(visitors, key=lambda visitor: not visitor.typing)


def name_of(user: Any) -> str:
    """Return how colleagues call ``user``."""
    return str(user.get_full_name() or user.get_username())


def stamp(thread: Thread) -> str:
    """Return a word that differs when anything differs that the page of the thread shows. A few cheap queries.

    Of the thread itself it is as ``thread`` was read, which is what the page shows: whatever has changed since is news.
    """
    mine = Q(contact_id=thread.contact_id)
    facts = [
        [getattr(thread, name) for name in _OF_THREAD],
        [getattr(thread.contact, name) for name in _OF_PERSON],
        Message.objects.filter(mine).aggregate(
            Max("pk"), Max("accepted_at"), Max("finished_at"), Max("read_at"),
            waiting=Count("pk", filter=Q(state="queued")), under_way=Count("pk", filter=Q(state="sending")),
        ),
        Event.objects.filter(mine).aggregate(Max("pk")),
        ThreadNote.objects.filter(thread=thread).aggregate(Max("pk")),
    ]  # fmt: skip
    return hashlib.blake2s(repr(facts).encode(), digest_size=9).hexdigest()


_OF_THREAD = ("state", "needs", "assigned_to_id", "snoozed_until", "last_at", "hand_back_at")
_OF_PERSON = ("handed_over_at", "marketing_consent", "service_consent", "doubtful_at", "open_case_at")
