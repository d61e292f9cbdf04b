"""The inbox (Delivery) and the facts that came out of it (Event)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.stores.models import Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet

#: As ``attribution.orders.KINDS`` has them, and in that order: SQLite finds the index by it.
OF_ORDERS = ("order_cancelled", "order_created", "order_edited", "order_paid", "order_refunded")


class Delivery(models.Model):
    """What a vendor sent us, to the byte, and what became of it.

    Stored in one insert before the vendor gets its answer; ``ingest`` reads it later.
    ``external_id`` is the vendor's id of this delivery; a second one with the same id
    is the same delivery.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")
        DONE = "done", _("Done")
        IGNORED = "ignored", _("Nothing to do")
        PARKED = "parked", _("Not understood")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("store"))
    source = models.CharField(_("source"), max_length=20)
    external_id = models.CharField(_("delivery id"), max_length=255)
    topic = models.CharField(_("topic"), max_length=80, blank=True)
    headers = models.JSONField(_("headers"), default=dict, blank=True)
    body = models.BinaryField(_("body"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.PENDING)
    reason = models.TextField(_("reason"), blank=True)
    received_at = models.DateTimeField(_("received at"), default=clock.now)
    processed_at = models.DateTimeField(_("processed at"), null=True, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=["source", "store", "external_id"], name="smsflow_delivery_external_id")
        ]
        indexes = [
            models.Index(fields=["id"], name="smsflow_delivery_pending", condition=Q(state="pending")),
            models.Index(fields=["store", "state", "received_at"], name="smsflow_delivery_list"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.topic} {self.external_id}"


class Event(models.Model):
    """A fact about a contact, once and for ever: (store, kind, key) is unique.

    ``subject`` names what it is about (a checkout token, an order id) so that a
    flow can run once per cart; ``data`` is what copy may use.
    """

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="events", verbose_name=_("store"))
    contact = models.ForeignKey(
        Contact, null=True, on_delete=models.CASCADE, related_name="events", verbose_name=_("contact")
    )
    kind = models.CharField(_("kind"), max_length=40)
    key = models.CharField(max_length=255)
    subject = models.CharField(max_length=255, blank=True)
    occurred_at = models.DateTimeField(_("occurred at"))
    recorded_at = models.DateTimeField(default=clock.now)
    data = models.JSONField(default=dict, blank=True)
    delivery = models.ForeignKey(Delivery, null=True, on_delete=models.SET_NULL, related_name="+")
    #: The enrollment that took this text as the answer to its question.
    heard_by = models.BigIntegerField(null=True, editable=False)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [models.UniqueConstraint(fields=["store", "kind", "key"], name="smsflow_event_key")]
        indexes = [
            models.Index(fields=["contact", "occurred_at"], name="smsflow_event_contact"),
            models.Index(fields=["occurred_at"], name="smsflow_event_opt_out", condition=Q(kind="opted_out")),
            # what is heard of an order, and what the figures of a day count
            models.Index(fields=["store", "subject"], name="smsflow_event_order", condition=Q(kind__in=OF_ORDERS)),
            models.Index(
                fields=["store", "occurred_at"], name="smsflow_event_ordered", condition=Q(kind="order_created")
            ),
            models.Index(
                fields=["store", "occurred_at"], name="smsflow_event_received", condition=Q(kind="message_received")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class ReplyReview(models.Model):
    """A text that may be an opt-out, for a person to read: until then the contact gets no marketing."""

    class State(models.TextChoices):
        OPEN = "open", _("Waiting")
        STOP = "stop", _("No more texts")
        KEEP = "keep", _("Not meant so")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", verbose_name=_("store"))
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="reply_reviews", verbose_name=_("contact")
    )
    #: The key of the text in the consent ledger, if it had been clear.
    key = models.CharField(max_length=255)
    body = models.TextField(_("text"))
    #: Which words made it unclear, in English.
    because = models.CharField(_("why it is unclear"), max_length=200)
    language = models.CharField(_("language"), max_length=8, blank=True)
    state = models.CharField(_("state"), max_length=4, choices=State.choices, default=State.OPEN)
    received_at = models.DateTimeField(_("received at"))
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    #: Empty when the person made themselves clear by another text.
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("unclear reply")
        verbose_name_plural = _("unclear replies")
        constraints = [models.UniqueConstraint(fields=["store", "key"], name="smsflow_reply_review_key")]
        indexes = [
            models.Index(fields=["store", "state", "received_at"], name="smsflow_reply_review_list"),
            models.Index(fields=["contact", "decided_at"], name="smsflow_reply_review_contact"),
        ]

    def __str__(self) -> str:
        return str(self.contact)
