"""Everything that happened to one contact, newest first, in words.

The page, the command line and tests all read the same entries. The number of
statements does not depend on how much there is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from heapq import nlargest
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from smsflow_plugin.audience.models import ConsentRecord, Contact
from smsflow_plugin.audience.zones import candidate_zones
from smsflow_plugin.governance.rules import Reason, Verdict
from smsflow_plugin.measurement.entry import Cursor, Entry, Kind
from smsflow_plugin.measurement.telling import DECISION_COLUMNS, WRITERS
from smsflow_plugin.messaging.models import Message


def timeline(contact: Contact, *, limit: int = 50, before: Cursor | None = None) -> list[Entry]:
    """Return the newest ``limit`` entries about ``contact``, or those below ``before``."""
    zone = zone_of(contact)
    entries: list[Entry] = []
    for kind, read in _SOURCES.items():
        queryset, column = read(contact)
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
    return queryset.values("pk", "kind", "occurred_at", "data", "delivery_id"), "occurred_at"


def _reviews(contact: Contact) -> tuple[QuerySet[Any, Any], str]:
    columns = ("pk", "state", "body", "decided_at", "decided_by")
    return contact.reply_reviews.filter(decided_at__isnull=False).values(*columns), "decided_at"


def _consents(contact: Contact) -> tuple[QuerySet[Any, Any], str]:
    columns = ("pk", "action", "scope", "source", "effective_at", "wording", "actor")
    return contact.consent_records.values(*columns), "effective_at"


def _entered(contact: Contact) -> tuple[QuerySet[Any, Any], str]:
    columns = ("pk", "flow_id", "flow__name", "entered_at", "trigger_event__kind")
    return contact.enrollments.values(*columns), "entered_at"


def _left(contact: Contact) -> tuple[QuerySet[Any, Any], str]:
    columns = ("pk", "flow_id", "flow__name", "finished_at", "status", "exit_reason")
    return contact.enrollments.filter(finished_at__isnull=False).values(*columns), "finished_at"


_MESSAGE_COLUMNS = (
    "pk", "contact_id", "flow_id", "flow__name", "enrollment_id", "step", "visit", "queued_at", "finished_at", "state",
    "reason", "error_code", "purpose", "body",
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


_SOURCES: Mapping[Kind, Callable[[Contact], tuple[QuerySet[Any, Any], str]]] = {
    Kind.EVENT: _events,
    Kind.REVIEW: _reviews,
    Kind.CONSENT: _consents,
    Kind.ENTERED: _entered,
    Kind.DECISION: _decisions,
    Kind.MESSAGE: _messages,
    Kind.EFFECT: _effects,
    Kind.REDEEMED: _redeemed,
    Kind.LEFT: _left,
}
