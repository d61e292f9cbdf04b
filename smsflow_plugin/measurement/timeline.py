"""Everything that happened to one contact, newest first, in words.

The page, the command line and tests all read the same entries. The number of
statements does not depend on how much there is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from heapq import nlargest
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform

from smsflow_plugin.audience.models import ConsentRecord, Contact
from smsflow_plugin.audience.zones import candidate_zones
from smsflow_plugin.conversations.models import ThreadNote
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.governance.rules import Reason, Verdict
from smsflow_plugin.links.models import Click
from smsflow_plugin.measurement.entry import Cursor, Entry, Kind
from smsflow_plugin.measurement.telling import DECISION_COLUMNS, WRITERS
from smsflow_plugin.messaging.models import Message


def timeline(
    contact: Contact,
    *,
    limit: int = 50,
    before: Cursor | None = None,
    kinds: Collection[Kind] | None = None,
    events: Collection[str] | None = None,
) -> list[Entry]:
    """Return the newest ``limit`` entries about ``contact``, or those below ``before``.

    ``kinds``: what is told; without it everything that happened, but neither what staff noted among themselves nor
    what robots opened. ``events``: of what happened only these kinds of event.
    """
    zone = zone_of(contact)
    entries: list[Entry] = []
    for kind in TOLD if kinds is None else kinds:
        queryset, column = _SOURCES[kind](contact)
        if kind is Kind.EVENT and events is not None:
            queryset = queryset.filter(kind__in=events)
        rows = list(_page(queryset, column, kind, before)[:limit])
        entries += WRITERS[kind](rows, zone)
    return nlargest(limit, entries, key=lambda entry: (entry.at, entry.kind.rank, entry.pk))


def zone_of(contact: Contact) -> str:
    """Return the zone in which times are told: the first of those whose quiet hours count for the contact."""
    zones = candidate_zones(
        str(contact.phone) if contact.phone else None,
        timezone=contact.timezone,
        country=contact.country,
        province=contact.province,
        store_timezone=contact.store.timezone,
    )
    return zones.names[0]


def _page(queryset: QuerySet[Any, Any], column: str, kind: Kind, before: Cursor | None) -> QuerySet[Any, Any]:
    queryset = queryset.order_by(f"-{column}", "-pk")
    if before is None:
        return queryset
    older = Q(**{f"{column}__lt": before.at})
    if kind.rank < before.rank:
        older |= Q(**{column: before.at})
    elif kind.rank == before.rank:
        older |= Q(**{column: before.at, "pk__lt": before.pk})
    return queryset.filter(older)


def _events(contact: Contact) -> tuple[QuerySet[Any, Any], str]:
    # what the consent ledger tells as well is told once
    told = ConsentRecord.objects.filter(store=OuterRef("store"), key=OuterRef("key"))
    queryset = contact.events.exclude(Exists(told), kind__in=("opted_in", "opt_in_requested", "opted_out"))
    # and so is a click, by the link itself
    clicked = Click.objects.filter(store_id=OuterRef("store_id"), link__code=KeyTextTransform("link", OuterRef("data")))
    queryset = queryset.exclude(Exists(clicked), kind="link_clicked")
    heard = Enrollment.objects.filter(pk=OuterRef("heard_by"))
    queryset = queryset.annotate(heard_flow=Subquery(heard.values("flow__name")[:1]))
    columns = ("pk", "kind", "occurred_at", "data", "delivery_id", "heard_flow", "subject", "contact_id")
    return queryset.values(*columns), "occurred_at"


def _clicks(contact: Contact) -> tuple[QuerySet[Any, Any], str]:
    return _opened(contact).filter(kind=Click.Kind.HUMAN).values(*_CLICK_COLUMNS), "at"


def _robots(contact: Contact) -> tuple[QuerySet[Any, Any], str]:
    return _opened(contact).exclude(kind=Click.Kind.HUMAN).values(*_CLICK_COLUMNS), "at"


_CLICK_COLUMNS = ("pk", "at", "kind", "because", "link__target", "link__message_id")


def _opened(contact: Contact) -> QuerySet[Click, Click]:
    return Click.objects.filter(store_id=contact.store_id, link__contact=contact)


def _reviews(contact: Contact) -> tuple[QuerySet[Any, Any], str]:
    columns = ("pk", "state", "body", "decided_at", "decided_by")
    return contact.reply_reviews.filter(decided_at__isnull=False).values(*columns), "decided_at"


def _consents(contact: Contact) -> tuple[QuerySet[Any, Any], str]:
    columns = ("pk", "action", "scope", "source", "effective_at", "wording", "actor")
    return contact.consent_records.values(*columns), "effective_at"


def _entered(contact: Contact) -> tuple[QuerySet[Any, Any], str]:
    columns = ("pk", "flow_id", "flow__name", "entered_at", "trigger_event__kind")
    return contact.enrollments.values(*columns), "entered_at"


def _tried(contact: Contact) -> tuple[QuerySet[Any, Any], str]:
    # a holdout is told by the decision on the text
    runs = Enrollment.objects.filter(pk=OuterRef("enrollment_id"))
    flows = Flow.objects.filter(pk=OuterRef("flow_id"), store_id=OuterRef("store_id"))
    rows = contact.exposures.exclude(step="").annotate(
        version=Subquery(runs.values("version_id")[:1]), flow_name=Subquery(flows.values("name")[:1])
    )
    return rows.values("pk", "arm", "step", "flow_id", "flow_name", "version", "at"), "at"


def _left(contact: Contact) -> tuple[QuerySet[Any, Any], str]:
    columns = ("pk", "flow_id", "flow__name", "finished_at", "status", "exit_reason")
    return contact.enrollments.filter(finished_at__isnull=False).values(*columns), "finished_at"


_MESSAGE_COLUMNS = (
    "pk", "contact_id", "flow_id", "flow__name", "enrollment_id", "step", "visit", "queued_at", "finished_at", "state",
    "reason", "error_code", "purpose", "body", "author__username", "clicked_at", "replied_at", "opted_out_at",
)  # fmt: skip


def _decisions(contact: Contact) -> tuple[QuerySet[Any, Any], str]:
    # a decision that led to a text stands with the text
    texts = Message.objects.filter(
        enrollment_id=OuterRef("enrollment_id"), step=OuterRef("step"), visit=OuterRef("visit")
    )
    asked = contact.decisions.exclude(Exists(texts)).filter(message_id__isnull=True)
    return asked.values(*DECISION_COLUMNS), "at"


def _messages(contact: Contact) -> tuple[QuerySet[Any, Any], str]:
    return contact.messages.values(*_MESSAGE_COLUMNS), "queued_at"


def _threads(contact: Contact) -> tuple[QuerySet[Any, Any], str]:
    told = (ThreadNote.Kind.TAKEN_OVER, ThreadNote.Kind.HANDED_BACK)
    notes = ThreadNote.objects.filter(thread__contact=contact, kind__in=told)
    return notes.values("pk", "kind", "body", "author_name", "at"), "at"


def _redeemed(contact: Contact) -> tuple[QuerySet[Any, Any], str]:
    columns = ("pk", "flow_id", "flow__name", "code", "redeemed_at", "order_value", "order_currency")
    return contact.incentives.filter(redeemed_at__isnull=False).values(*columns), "redeemed_at"


def _effects(contact: Contact) -> tuple[QuerySet[Any, Any], str]:
    # a discount that the rules refused was never asked for: the decision tells it
    refused = contact.decisions.filter(
        enrollment_id=OuterRef("enrollment_id"), step=OuterRef("step"), visit=OuterRef("visit"),
        reason=Reason.INCENTIVE, verdict=Verdict.SKIP,
    )  # fmt: skip
    columns = ("pk", "flow_id", "flow__name", "kind", "state", "payload", "result", "attempts", "created_at")
    return contact.effects.exclude(Exists(refused), kind="discount").values(*columns), "created_at"


def _notes(contact: Contact) -> tuple[QuerySet[Any, Any], str]:
    notes = ThreadNote.objects.filter(thread__contact=contact)
    return notes.values("pk", "kind", "body", "author_name", "at"), "at"


_SOURCES: Mapping[Kind, Callable[[Contact], tuple[QuerySet[Any, Any], str]]] = {
    Kind.EVENT: _events,
    Kind.CLICK: _clicks,
    Kind.ROBOT: _robots,
    Kind.REVIEW: _reviews,
    Kind.CONSENT: _consents,
    Kind.ENTERED: _entered,
    Kind.TRIED: _tried,
    Kind.DECISION: _decisions,
    Kind.MESSAGE: _messages,
    Kind.EFFECT: _effects,
    Kind.THREAD: _threads,
    Kind.REDEEMED: _redeemed,
    Kind.LEFT: _left,
    Kind.NOTE: _notes,
}

#: What the timeline tells of itself.
TOLD = tuple(kind for kind in _SOURCES if kind not in (Kind.NOTE, Kind.ROBOT))
