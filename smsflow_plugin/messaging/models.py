"""The outbox: every text that leaves, and the gateway calls that carry them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.stores.models import Connection, Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet


class Batch(models.Model):
    """One call to a gateway. ``reference`` is ours and unique, and committed before the call.

    A batch that stays ``sending`` was cut off: ``reconcile`` asks the gateway for
    the reference and never sends blindly again.
    """

    class State(models.TextChoices):
        SENDING = "sending", _("Sending")
        ACCEPTED = "accepted", _("Accepted")
        REJECTED = "rejected", _("Rejected")
        RETURNED = "returned", _("Back in the queue")
        PARKED = "parked", _("Nobody knows; a person decides")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    reference = models.UUIDField(default=uuid.uuid4, unique=True)
    provider_id = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.SENDING)
    size = models.PositiveIntegerField()
    detail = models.TextField(blank=True)
    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    #: Whether it is still in the hands of who claimed it, so that no gateway can have it.
    waits = models.BooleanField(default=False, db_default=False)
    #: When reconcile last asked; it waits longer after each question.
    asked_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("gateway call")
        verbose_name_plural = _("gateway calls")
        indexes = [
            models.Index(fields=["started_at"], name="smsflow_batch_open", condition=Q(state="sending")),
            models.Index(fields=["store", "started_at"], name="smsflow_batch_parked", condition=Q(state="parked")),
            models.Index(fields=["connection", "provider_id"], name="smsflow_batch_provider"),
        ]

    def __str__(self) -> str:
        return str(self.reference)


class Pace(models.Model):
    """Until when a number is busy with what it was given; see ``governance.throughput``.

    (connection, address) is unique. A number that its gateway has called too fast was slowed down to ``slowed_to``
    texts a second at ``slowed_at``, and comes back from there by itself.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    address = models.CharField(max_length=20, default="")
    free_at = models.DateTimeField(default=clock.now)
    slowed_to = models.DecimalField(max_digits=8, decimal_places=3, null=True)
    slowed_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "address"], name="smsflow_pace_number")]
        verbose_name = _("pace")
        verbose_name_plural = _("paces")

    def __str__(self) -> str:
        return f"{self.address}: {self.free_at}"


class Message(models.Model):
    """A text to one person. (enrollment, step, visit) is unique; so is (store, key) of all others.

    ``slots`` marks the parts of ``body`` that differ from person to person, as
    ``[start, end]`` pairs: dispatch puts texts that are equal outside of their
    slots into one gateway call.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        SENDING = "sending", _("Sending")
        ACCEPTED = "accepted", _("Accepted")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")
        EXPIRED = "expired", _("Expired")
        CANCELLED = "cancelled", _("Cancelled")

    class Class(models.TextChoices):
        MARKETING = "marketing", _("Marketing")
        SERVICE = "service", _("Service")
        OPTIN = "optin", _("Opt-in question")
        REPLY = "reply", _("Reply")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="messages", verbose_name=_("store"))
    contact = models.ForeignKey(
        Contact, null=True, on_delete=models.CASCADE, related_name="messages", verbose_name=_("contact")
    )
    flow = models.ForeignKey(
        Flow, null=True, on_delete=models.SET_NULL, related_name="messages", verbose_name=_("flow")
    )
    #: No constraint in the database towards enrollments: the engine stands above this room.
    enrollment_id = models.BigIntegerField(null=True, editable=False)
    step = models.CharField(max_length=36, blank=True)
    #: The version of the flow, and which variant of the step it was ("A", "B"), empty if there is one only.
    version_id = models.BigIntegerField(null=True, editable=False)
    variant = models.CharField(_("variant"), max_length=12, blank=True, default="")
    visit = models.PositiveSmallIntegerField(default=0)
    #: Names a text that no enrollment sent: a confirmation, a test text.
    key = models.CharField(max_length=255, blank=True)
    purpose = models.CharField(_("purpose"), max_length=20, default="flow")
    message_class = models.CharField(_("class"), max_length=10, choices=Class.choices)
    priority = models.PositiveSmallIntegerField(default=0)
    sender = models.CharField(_("from"), max_length=20)
    to = models.CharField(_("to"), max_length=20)
    body = models.TextField(_("text"))
    slots = models.JSONField(default=list, blank=True)
    parts = models.PositiveSmallIntegerField(_("parts"), default=1)
    encoding = models.CharField(_("encoding"), max_length=6, default="GSM-7")
    #: What it costs, in the store's currency; null while nobody has named a price.
    cost = models.DecimalField(_("cost"), max_digits=12, decimal_places=5, null=True, blank=True)
    #: The country of the number, by which the price goes; empty if it is not known.
    country = models.CharField(_("country"), max_length=2, blank=True)
    #: Whether the ``SpendDay`` of the day on which it was queued counts it.
    spent = models.BooleanField(default=False, editable=False)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.QUEUED)
    reason = models.CharField(_("reason"), max_length=120, blank=True)
    error_code = models.IntegerField(_("error code"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    #: While texts hang on a call, neither it nor its connection can be deleted: nobody could ask what became of them.
    batch = models.ForeignKey(Batch, null=True, on_delete=models.RESTRICT, related_name="messages")
    queued_at = models.DateTimeField(_("queued at"), default=clock.now)
    not_before = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(_("accepted at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("delivered or failed at"), null=True, blank=True)
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)
    #: When a person first clicked one of its links, first answered it, and opted out because of it.
    clicked_at = models.DateTimeField(_("clicked at"), null=True, blank=True)
    replied_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    opted_out_at = models.DateTimeField(_("opted out at"), null=True, blank=True)
    #: How it travelled, once the gateway has said so: sms, mms, rcs, whatsapp.
    channel = models.CharField(_("channel"), max_length=10, blank=True)
    #: The public address of a picture that goes with it.
    media_url = models.CharField(_("picture"), max_length=500, blank=True)
    #: How many parts the gateway says it had; ``parts`` is our own count.
    reported_parts = models.PositiveSmallIntegerField(_("parts, says the gateway"), null=True, blank=True)
    #: Who wrote it, if a person did.
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(
                fields=["enrollment_id", "step", "visit"],
                name="smsflow_message_step",
                condition=Q(enrollment_id__isnull=False),
            ),
            models.UniqueConstraint(fields=["store", "key"], name="smsflow_message_key", condition=~Q(key="")),
        ]
        indexes = [
            models.Index(fields=["priority", "not_before"], name="smsflow_message_queued", condition=Q(state="queued")),
            models.Index(fields=["contact", "queued_at"], name="smsflow_message_contact"),
            models.Index(fields=["store", "queued_at"], name="smsflow_message_list"),
            # lists of several stores: sorted by the one above they would all have to be read first
            models.Index(fields=["queued_at"], name="smsflow_message_newest"),
            models.Index(fields=["flow", "state"], name="smsflow_message_flow"),
            # those that never went give their money back
            models.Index(
                fields=["id"],
                name="smsflow_message_refund",
                condition=Q(spent=True, accepted_at__isnull=True, state__in=("cancelled", "expired", "failed")),
            ),
        ]

    def __str__(self) -> str:
        return self.body[:40]


class FormerCall(models.Model):
    """A call in which a text did not arrive, as far as anybody knew when it was put back into the queue.

    Kept so that a report which comes late and says otherwise still finds the text. (message, batch) is unique.
    """

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="former_calls")
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="+")
    error_code = models.IntegerField(null=True, blank=True)
    failed_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("former call")
        verbose_name_plural = _("former calls")
        constraints = [models.UniqueConstraint(fields=["message", "batch"], name="smsflow_former_call")]

    def __str__(self) -> str:
        return f"{self.message_id}: {self.batch_id}"


class InboundPoll(models.Model):
    """Until when a gateway has been asked for what people wrote; see ``messaging.polling``."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="+")
    #: When somebody last began to ask, so that nobody else does at the same time.
    asked_at = models.DateTimeField(default=clock.now)
    #: Everything before this has been read; null until the first answer.
    read_until = models.DateTimeField(null=True, blank=True)
    #: Texts that no callback had brought, in all.
    found = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("question for inbound texts")
        verbose_name_plural = _("questions for inbound texts")

    def __str__(self) -> str:
        return f"{self.connection_id}: {self.read_until}"


class SpendDay(models.Model):
    """What a store's texts of one day cost, on its own clock. (store, day) is unique.

    A text counts on the day on which it is queued, and no longer once it is clear that it will not go. Kept so
    that no budget ever has to scan messages; ``messaging.spending.recount`` makes it anew from them.
    """

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    day = models.DateField(_("day"))
    #: Of marketing texts alone: what budgets speak about.
    marketing = models.DecimalField(_("marketing"), max_digits=14, decimal_places=5, default=0)
    total = models.DecimalField(_("all texts"), max_digits=14, decimal_places=5, default=0)
    texts = models.IntegerField(_("texts"), default=0)
    parts = models.IntegerField(_("parts"), default=0)
    #: Texts that have no price.
    unpriced = models.IntegerField(_("texts without a price"), default=0)
    #: Texts of which the gateway has said how many parts it counted, and those of them where it counted others.
    compared = models.IntegerField(_("texts compared with the gateway"), default=0)
    differing = models.IntegerField(_("texts with other parts at the gateway"), default=0)
    #: Parts of the texts that were compared: our count, and that of the gateway.
    compared_parts = models.IntegerField(default=0)
    reported_parts = models.IntegerField(default=0)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("spend of a day")
        verbose_name_plural = _("spend by day")
        constraints = [models.UniqueConstraint(fields=["store", "day"], name="smsflow_spend_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.total}"


class TestNumber(models.Model):
    """A number of somebody who works here, proved by a code: test texts go to such numbers."""

    __test__ = False  # not a test, whatever pytest thinks of its name

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", verbose_name=_("store"))
    phone = models.CharField(_("phone"), max_length=20)
    label = models.CharField(_("whose"), max_length=60, blank=True)
    code_hash = models.CharField(max_length=128, blank=True)
    code_sent_at = models.DateTimeField(null=True, blank=True)
    wrong_codes = models.PositiveSmallIntegerField(default=0)
    verified_at = models.DateTimeField(_("verified at"), null=True, blank=True)
    added_by = models.CharField(max_length=150, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("test number")
        verbose_name_plural = _("test numbers")
        constraints = [models.UniqueConstraint(fields=["store", "phone"], name="smsflow_test_number")]

    def __str__(self) -> str:
        return f"{self.label} {self.phone}".strip()
