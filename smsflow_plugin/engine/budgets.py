"""Wakes whoever waits for money once new rules give some: they were put off until the next day or month.

Rules say when they were published, and ``Heartbeat`` which were the last that were looked at; so nothing is lost if
nobody looks for a while. Money that comes back because a text did not go wakes nobody: it is little, and the crowd
may be large.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from smsflow_plugin import bulk, clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.engine.state import State
from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.governance.ledger import Decision
from smsflow_plugin.governance.models import Policy
from smsflow_plugin.governance.rules import Reason
from smsflow_plugin.stores.models import Heartbeat, Store

_HEARTBEAT = "budgets"

#: A budget holds nobody up for longer.
LONGEST = timedelta(days=32)

BATCH = 500


def wake_up() -> int:
    """Let everybody be looked at who waits for money in stores with new rules; return how many there were."""
    now = clock.now()
    since = Heartbeat.objects.filter(name=_HEARTBEAT).values_list("at", flat=True).first()
    published = Policy.objects.filter(live=True, last_published_at__isnull=False)
    if since is not None:
        published = published.filter(last_published_at__gt=since)
    # by Wagtail's clock on both sides: ours may be another
    changed = dict(published.values_list("store_id", "last_published_at"))
    woken = 0
    if changed:
        stores = Store.objects.all() if None in changed else Store.objects.filter(pk__in=changed)
        paid = [pk for pk, rules in rules_of(stores, keep=False).items() if not rules.situation.broke_until]
        held = sorted(_held(paid, now).items())
        woken = sum(_wake(dict(held[start : start + BATCH]), now) for start in range(0, len(held), BATCH))
        Heartbeat.objects.update_or_create(name=_HEARTBEAT, defaults={"at": max(changed.values())})
    return woken


def _held(store_ids: list[int], now: datetime) -> dict[int, datetime]:
    """Return the runs that were put off for money, among other things, and until when."""
    put_off = Decision.objects.filter(
        store_id__in=store_ids, verdict=Decision.Verdict.DEFER, at__gt=now - LONGEST, until__gt=now,
        enrollment__status=Enrollment.Status.WAITING, enrollment__wake_at=F("until"),
    )  # fmt: skip
    rows = put_off.order_by("at", "pk").values_list("enrollment_id", "until", "reason", "notes")
    return {
        pk: until
        for pk, until, reason, notes in rows.iterator(BATCH)
        # most often the morning after is what decides: the budget is among what objected
        if reason == Reason.BUDGET or any(note.get("rule") == Reason.BUDGET for note in notes)
    }


@transaction.atomic
def _wake(held: Mapping[int, datetime], now: datetime) -> int:
    # the contacts first, as everywhere, and in the order of their ids
    ids = set(Enrollment.objects.filter(pk__in=held).values_list("contact_id", flat=True))
    locked = Contact.objects.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",))
    waiting = Enrollment.objects.filter(
        pk__in=held, contact_id__in=list(locked.values_list("pk", flat=True)), status=Enrollment.Status.WAITING
    )
    rows, people = [], set()
    for pk, contact_id, stored, wake_at in waiting.order_by("pk").values_list("pk", "contact_id", "state", "wake_at"):
        # who has gone on since then waits for something else
        if wake_at == held[pk] == State.from_json(stored).waiting_until:
            rows.append((pk, {**stored, "waiting_until": None}, now))
            people.add(contact_id)
    bulk.update(Enrollment, ("state", "wake_at"), rows)
    bulk.update(Contact, ("wake_at",), [(pk, now) for pk in sorted(people)])
    return len(rows)
