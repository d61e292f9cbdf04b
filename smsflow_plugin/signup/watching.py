"""The pump that looks after open requests: who has confirmed, who never did, and where hardly anybody does."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef

from smsflow_plugin import bulk, clock
from smsflow_plugin.audience import ledger
from smsflow_plugin.audience.consent import CONFIRMED, EXPIRED, PENDING, Consent
from smsflow_plugin.audience.models import ConsentRecord, Contact
from smsflow_plugin.audience.opt_in_words import OPEN_FOR
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.signup.guard import BREAKERS, LOOK_BACK, TIME_TO_ANSWER, Outcome
from smsflow_plugin.signup.models import OptInAttempt, OptInPause
from smsflow_plugin.signup.translate import FORM, PREFERENCES

#: Open requests that are looked up with one statement.
LOOK = 5_000


def watch_requests() -> int:
    """Look once over all open requests; return how many have ended by it."""
    now = clock.now()
    confirmed = settle(now)
    trip(now)
    return confirmed + expire(now)


def settle(now: datetime) -> int:
    """Note which attempts their people have confirmed. Three statements, whatever the number of attempts.

    Whoever has confirmed counts for good: many say STOP within the minute, and there was somebody behind the number.
    """
    attempts = OptInAttempt.objects.filter(
        outcome=Outcome.ASKED.value, confirmed_at=None, at__gt=now - OPEN_FOR
    ).order_by("-at")
    rows = {
        (store_id, f"{FORM}:{key}"): (pk, at)
        for pk, store_id, key, at in attempts.values_list("pk", "store_id", "key", "at")[:LOOK]
    }
    if not rows:
        return 0
    asked = ConsentRecord.objects.filter(
        store_id__in={store_id for store_id, _key in rows},
        key__in=[key for _store_id, key in rows],
        contact__consent_marks__has_key=CONFIRMED,
    ).values_list("store_id", "key", "contact__consent_marks")
    found = []
    for store_id, key, marks in asked:
        pk, at = rows.get((store_id, key), (0, None))
        confirmed = datetime.fromisoformat(marks[CONFIRMED][0])
        if at is not None and at <= confirmed:
            found.append((pk, confirmed))
    return bulk.update(OptInAttempt, ("confirmed_at",), sorted(found))


def trip(now: datetime) -> int:
    """Stop prefixes and countries where hardly anybody confirms; return how many. A few statements for each kind."""
    tripped = 0
    for kind, column in ((OptInPause.Kind.PREFIX, "prefix"), (OptInPause.Kind.COUNTRY, "country")):
        breaker = BREAKERS[kind.value]
        known = OptInPause.objects.filter(store_id=OuterRef("store_id"), kind=kind, value=OuterRef(column))
        groups = (
            OptInAttempt.objects.filter(
                outcome=Outcome.ASKED.value, at__gt=now - LOOK_BACK, at__lte=now - TIME_TO_ANSWER
            )
            # stopped already, or from before a person let it go on
            .exclude(Exists(known.filter(resumed_at=None)))
            .exclude(Exists(known.filter(resumed_at__gte=OuterRef("at"))))
            .values_list("store_id", column)
            .annotate(asked=Count("pk"), confirmed=Count("confirmed_at"))
            .filter(asked__gte=breaker.enough)
        )
        bad = [row for row in groups if breaker.trips(row[2], row[3])]
        tripped += _stop(kind.value, bad, now)
    return tripped


def _stop(kind: str, rows: list[tuple[Any, ...]], now: datetime) -> int:
    if not rows:
        return 0
    columns = ("store_id", "kind", "value", "asked", "confirmed", "paused_at")
    new = bulk.insert(OptInPause, columns, [(store, kind, value, *numbers, now) for store, value, *numbers in rows])
    before = {
        (store_id, value): pk
        for pk, store_id, value in OptInPause.objects.filter(
            kind=kind, store_id__in={row[0] for row in rows}, value__in=[row[1] for row in rows]
        )
        .exclude(resumed_at=None)
        .values_list("pk", "store_id", "value")
    }
    again = [(before[store, value], *numbers, now, None) for store, value, *numbers in rows if (store, value) in before]
    return new + bulk.update(OptInPause, ("asked", "confirmed", "paused_at", "resumed_at"), again)


@transaction.atomic
def expire(now: datetime) -> int:
    """Let go of requests that nobody has confirmed in time; return how many.

    Who had opted out before and asked to come back on their own page has opted out again.
    """
    # in the order of ids, as everywhere
    waiting = (
        Contact.objects.filter(
            marketing_consent=PENDING, consent_source__in=(FORM, PREFERENCES), consent_changed_at__lte=now - OPEN_FOR
        )
        .order_by("pk")
        .select_for_update(skip_locked=True)[: smsflow_settings.BATCH_SIZE]
    )
    contacts = list(waiting)
    statements = [ledger.Statement(contact, _unanswered(contact, now)) for contact in contacts]
    for statement in statements:
        ledger.take_over(statement, now)
    ledger.append(statements, now)
    columns = ledger.CONTACT_COLUMNS
    bulk.update(Contact, columns, [(one.pk, *(getattr(one, name) for name in columns)) for one in contacts])
    return len(contacts)


def _unanswered(contact: Contact, now: datetime) -> Consent:
    asked_at = contact.consent_changed_at
    assert asked_at is not None
    asked = asked_at.isoformat()
    key = f"expired:{contact.pk}:{asked}"
    return Consent(EXPIRED, "marketing", "not_confirmed", now, key=key, evidence={"asked_at": asked})
