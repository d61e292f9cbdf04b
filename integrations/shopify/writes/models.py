"""The outbox to Shopify, and the pools of discount codes."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.models import Connection, Contact, Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet


class Turn(models.Model):
    """When the outbox of a shop is next looked into. One worker at a time does, so no shop holds up another."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="+")
    #: Not before then: the shop asks us to be slower, or does not answer.
    next_at = models.DateTimeField(default=clock.now)
    served_at = models.DateTimeField(null=True, blank=True)
    #: A worker writes until then, at the longest.
    held_until = models.DateTimeField(null=True, blank=True)
    #: Counts the turns: a worker whose time was over gives nothing back.
    number = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.connection.account} ({self.number})"


class WriteQuerySet(StoreScopedQuerySet):
    def waiting(self) -> WriteQuerySet:
        return self.filter(wanted__gt=F("settled"))

    def due(self, now: Any, granted_at: Any) -> WriteQuerySet:
        """Return what may be written now. What the shop had not granted waits for a grant that is newer."""
        return self.waiting().filter(
            Q(not_before=None) | Q(not_before__lte=now), Q(held_at=None) | Q(held_at__lt=granted_at)
        )


class Write(models.Model):
    """Something about a person that a shop is to know: their consent, or whether they have a tag.

    One row for each, however often it changes. ``wanted`` counts the changes, ``settled`` is the change that was last
    dealt with. ``sent`` lists what we wrote, as [what, second], so that its echo is known when it comes.
    """

    class Kind(models.TextChoices):
        CONSENT = "consent", _("Consent to texts")
        TAG = "tag", _("Tag")

    class Outcome(models.TextChoices):
        """Stored and shown. What goes wrong in between is ``TROUBLE``; only ``PARKED`` waits for a person."""

        NEW = "", _("To be written")
        DONE = "done", _("Written")
        SAME = "same", _("Shopify had it already")
        NO_CUSTOMER = "no_customer", _("Nobody in Shopify has this number")
        NO_PHONE = "no_phone", _("The customer has no number in Shopify")
        OTHER_PHONE = "other_phone", _("The customer has another number in Shopify")
        NEWER = "newer", _("Shopify knows something newer")
        NOTHING = "nothing", _("There was nothing to tell")
        OFF = "off", _("The store has switched it off")
        HELD = "held", _("Waits until the shop grants it")
        TROUBLE = "trouble", _("Tried again soon")
        PARKED = "parked", _("Refused by Shopify")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", verbose_name=_("store"))
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", verbose_name=_("contact"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    #: Folded; ``text`` is as it was written.
    tag = models.CharField(max_length=255, blank=True)
    text = models.CharField(_("tag"), max_length=255, blank=True)
    #: What is more urgent has a smaller one: an opt-out is not to wait for a hundred thousand others.
    rank = models.PositiveSmallIntegerField(default=1)
    wanted = models.PositiveIntegerField(default=0)
    settled = models.PositiveIntegerField(default=0)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices, blank=True)
    #: Shopify's own words.
    detail = models.CharField(_("what Shopify said"), max_length=500, blank=True)
    #: Shopify's number of the customer that it was written to.
    customer = models.CharField(_("customer"), max_length=40, blank=True)
    sent = models.JSONField(default=list)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    held_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(_("changed at"), default=clock.now)
    settled_at = models.DateTimeField(_("written at"), null=True, blank=True)

    wagtail_reference_index_ignore = True
    objects = WriteQuerySet.as_manager()

    class Meta:
        verbose_name = _("entry of the Shopify outbox")
        verbose_name_plural = _("Shopify outbox")
        # who may see and replay what came in may see and retry what goes out
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["contact", "kind", "tag"], name="smsflow_shopify_one_write")]
        indexes = [
            models.Index(
                fields=["store", "rank", "id"], name="smsflow_shopify_due", condition=Q(wanted__gt=F("settled"))
            ),
            models.Index(fields=["store", "customer"], name="smsflow_shopify_echo"),
            models.Index(fields=["store", "-changed_at"], name="smsflow_shopify_listed"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.text}".strip()

    @property
    def is_waiting(self) -> bool:
        return self.wanted > self.settled


class CodePool(models.Model):
    """Codes of one discount, for one stretch of time. In Shopify they hang on one discount, the parent.

    ``definition`` names the discount and its rules; ``number`` is that of the stretch, whose codes are given out
    ``until`` then and are valid till ``ends_at``.
    """

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    definition = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    minimum = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    valid_days = models.PositiveSmallIntegerField()
    prefix = models.CharField(max_length=20, blank=True)
    starts_at = models.DateTimeField()
    until = models.DateTimeField()
    ends_at = models.DateTimeField()
    #: Shopify's id of the parent; empty until it is made.
    discount = models.CharField(max_length=100, blank=True)
    #: Shopify's id of the codes that are being added, and since when.
    adding = models.CharField(max_length=100, blank=True)
    adding_since = models.DateTimeField(null=True, blank=True)
    working_until = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=500, blank=True)
    trouble_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["connection", "definition", "number"], name="smsflow_shopify_pool")
        ]
        indexes = [models.Index(fields=["store", "until"], name="smsflow_shopify_pools")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} ({self.prefix})"


class PoolCode(models.Model):
    """One code. ``key`` names the request that it was given to: the same request gets the same code again."""

    class State(models.TextChoices):
        MAKING = "making", _("Being made")
        FREE = "free", _("In stock")
        GIVEN = "given", _("Given")
        LOST = "lost", _("Not usable")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    pool = models.ForeignKey(CodePool, on_delete=models.CASCADE, related_name="codes")
    code = models.CharField(max_length=100)
    state = models.CharField(max_length=6, choices=State.choices, default=State.MAKING)
    key = models.CharField(max_length=100, null=True, blank=True)
    made_at = models.DateTimeField(default=clock.now)
    given_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["store", "code"], name="smsflow_shopify_code"),
            models.UniqueConstraint(fields=["store", "key"], name="smsflow_shopify_code_key"),
        ]
        indexes = [
            models.Index(fields=["pool", "id"], name="smsflow_shopify_free", condition=Q(state="free")),
            models.Index(fields=["pool", "state", "given_at"], name="smsflow_shopify_stock"),
        ]

    def __str__(self) -> str:
        return self.code
