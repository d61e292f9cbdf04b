"""What of a person's timeline is shown: everything, or one kind of thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.attribution.orders import KINDS as ORDERS
from smsflow_plugin.measurement.entry import Cursor, Entry, Kind
from smsflow_plugin.measurement.timeline import TOLD, timeline
from smsflow_plugin.models import Contact, Thread

#: Entries on one page.
PAGE = 50
EVERYTHING = ""


@dataclass(frozen=True, slots=True)
class Show:
    """One choice. ``events``: of what happened only these kinds of event."""

    label: str | Promise
    kinds: tuple[Kind, ...]
    events: tuple[str, ...] | None = None


SHOWS: Mapping[str, Show] = {
    EVERYTHING: Show(_("Everything"), TOLD),
    "texts": Show(_("Texts"), (Kind.MESSAGE, Kind.EVENT, Kind.REVIEW), ("message_received",)),
    "orders": Show(_("Orders"), (Kind.EVENT, Kind.REDEEMED), ORDERS),
    # only here with what was no person
    "clicks": Show(_("Clicks"), (Kind.CLICK, Kind.ROBOT)),
    "flows": Show(_("Flows"), (Kind.ENTERED, Kind.TRIED, Kind.LEFT, Kind.EFFECT)),
    "decisions": Show(_("Not sent"), (Kind.DECISION,)),
    "consent": Show(_("Consent"), (Kind.CONSENT, Kind.REVIEW)),
    "notes": Show(_("Notes"), (Kind.NOTE,)),
}


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, and where the older ones begin: empty at the end."""

    shown: str
    choices: list[tuple[str, str | Promise]]
    entries: list[Entry]
    before: Cursor | None
    older: str


def page_of(contact: Contact, user: Any, asked: Mapping[str, str]) -> Page:
    """Return the page of the timeline that ``asked`` (the address) means. What makes no sense means the newest."""
    # what staff noted among themselves is for those who read the conversation
    notes = may(user, "view", Thread(store=contact.store)) or may(user, "change", Thread(store=contact.store))
    choices = {name: show for name, show in SHOWS.items() if notes or name != "notes"}
    shown = asked.get("show", EVERYTHING)
    show = choices.get(shown, choices[EVERYTHING])
    kinds = show.kinds
    if notes and show is choices[EVERYTHING]:
        # the notes tell of taking over and giving back as well
        kinds = tuple(Kind.NOTE if kind is Kind.THREAD else kind for kind in kinds)
    before = _cursor(asked.get("before", ""))
    entries = timeline(contact, limit=PAGE + 1, before=before, kinds=kinds, events=show.events)
    return Page(
        shown if shown in choices else EVERYTHING,
        [(name, one.label) for name, one in choices.items()],
        entries[:PAGE],
        before,
        str(entries[PAGE - 1].cursor) if len(entries) > PAGE else "",
    )


def _cursor(text: str) -> Cursor | None:
    try:
        return Cursor.parse(text)
    except ValueError:
        return None
