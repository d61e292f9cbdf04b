"""E-mails to the people who run a store that no person's run asks for: a breaker tripped, a stop.

Written in the transaction that they tell of, and sent by the pump ``tell_staff``. (store, key) is unique, so that
nobody is told twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from django.db import models, transaction
from django.db.models import Min, Q
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import bulk, clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine.models import Effect
from smsflow_plugin.engine.performing import CLAIM, LEASE, PAUSES, Failed, Job, performer
from smsflow_plugin.nudge import nudge
from smsflow_plugin.stores.models import Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet

logger = logging.getLogger(__name__)


class StaffNotice(models.Model):
    """An e-mail to staff. ``key`` names what it tells of."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=100)
    to = models.JSONField(default=list)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    #: The same as HTML, empty if it goes as text alone.
    html = models.TextField(blank=True, default="", db_default="")
    state = models.CharField(max_length=6, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(default=clock.now)
    created_at = models.DateTimeField(default=clock.now)
    detail = models.TextField(blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice to staff")
        verbose_name_plural = _("notices to staff")
        constraints = [models.UniqueConstraint(fields=["store", "key"], name="smsflow_notice_key")]
        indexes = [models.Index(fields=["not_before"], name="smsflow_notice_queued", condition=Q(state="queued"))]

    def __str__(self) -> str:
        return self.subject


def queue_notices(rows: Iterable[tuple[int, str, list[str], str, str]]) -> int:
    """Queue e-mails, given as (store id, key, addresses, subject, body); those that are known already are left out."""
    return queue_letters((*row, "") for row in rows)


def queue_letters(rows: Iterable[tuple[int, str, list[str], str, str, str]]) -> int:
    """The same with HTML beside the text: (store id, key, addresses, subject, body, html)."""
    written = bulk.insert(StaffNotice, ("store_id", "key", "to", "subject", "body", "html"), [*rows])
    if written:
        nudge("tell_staff")
    return written


def tell_staff(limit: int = CLAIM) -> int:
    """Send one batch of queued e-mails; return how many. 0 means that none is due."""
    claimed = _claim(limit)
    for notice in claimed:
        _settle(notice, *_send(notice))
    return len(claimed)


def next_notice() -> datetime | None:
    """Return when the next e-mail is due, or None."""
    queued = StaffNotice.objects.filter(state=StaffNotice.State.QUEUED)
    moment: datetime | None = queued.aggregate(at=Min("not_before"))["at"]
    return moment


@transaction.atomic
def _claim(limit: int) -> list[StaffNotice]:
    """Take e-mails for as long as sending takes. One that was cut off goes again: nobody minds to read it twice."""
    now = clock.now()
    due = StaffNotice.objects.filter(state=StaffNotice.State.QUEUED, not_before__lte=now)
    notices = list(
        due.select_related("store")
        .order_by("not_before", "pk")
        .select_for_update(skip_locked=True, of=("self",))[:limit]
    )
    bulk.update(
        StaffNotice,
        ("attempts", "not_before"),
        [(notice.pk, notice.attempts + 1, now + LEASE) for notice in notices],
    )
    return notices


def _send(notice: StaffNotice) -> tuple[str, bool]:
    """Return what went wrong, and whether trying again may help."""
    payload = {"to": notice.to, "subject": notice.subject, "body": notice.body, "html": notice.html}
    job = Job(
        key=f"notice:{notice.pk}",
        store=notice.store,
        contact=Contact(store=notice.store),  # nobody: it is about no person
        flow_name="",
        message_class="",
        payload=payload,
    )
    try:
        performer(Effect.Kind.NOTICE)(job)
    except Failed as failure:
        return str(failure), failure.again
    except Exception as error:
        logger.exception("The notice %s failed in an unforeseen way.", notice.pk)
        return f"{type(error).__name__}: {error}", True
    return "", False


def _settle(notice: StaffNotice, problem: str, again: bool) -> None:
    mine = StaffNotice.objects.filter(pk=notice.pk, state=StaffNotice.State.QUEUED, attempts=notice.attempts + 1)
    if problem and again and notice.attempts < len(PAUSES):
        mine.update(not_before=clock.now() + PAUSES[notice.attempts], detail=problem[:2000])
        return
    state = StaffNotice.State.FAILED if problem else StaffNotice.State.SENT
    mine.update(state=state, detail=problem[:2000])
