"""People: who they are in a store, and what they agreed to."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from phonenumber_field.validators import validate_international_phonenumber

from smsflow_plugin import clock
from smsflow_plugin.stores.models import Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet


class Contact(models.Model):
    """A person in one store: one phone number, with its own history of consent.

    A number never changes hands: when a customer gets a new number, the
    customer's identity moves to the contact of the new number, and consent stays
    with the old one. A contact without a number is somebody who has not told it yet.

    The contact is the unit of locking: whoever starts, wakes or runs enrollments
    locks the contact first. ``wake_at`` is the earliest time at which one of its
    enrollments is due. ``recent_sends`` lists the Unix times of the texts that
    count towards caps, newest last, so that a cap never has to scan messages.
    """

    class Consent(models.TextChoices):
        UNKNOWN = "unknown", _("Never asked")
        PENDING = "pending", _("Waiting for confirmation")
        GRANTED = "granted", _("Granted")
        REVOKED = "revoked", _("Revoked")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="contacts", verbose_name=_("store"))
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    #: E.164. Plain text, as parsing a number takes longer than everything else that a pump does for a contact.
    phone = models.CharField(
        _("phone"), max_length=20, null=True, blank=True, validators=[validate_international_phonenumber]
    )
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    province = models.CharField(_("province"), max_length=10, blank=True)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    timezone = models.CharField(_("time zone"), max_length=64, blank=True)
    timezone_source = models.CharField(_("time zone taken from"), max_length=20, blank=True)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    fields = models.JSONField(_("fields"), default=dict, blank=True)
    marketing_consent = models.CharField(
        _("marketing consent"), max_length=8, choices=Consent.choices, default=Consent.UNKNOWN
    )
    #: Order updates and the like need no opt-in, but an opt-out ends them too.
    service_consent = models.CharField(
        _("service consent"), max_length=8, choices=Consent.choices, default=Consent.UNKNOWN
    )
    #: How surely they agreed: a form said so, or their phone has answered. Empty while they have not.
    opt_in_level = models.CharField(
        _("opt-in"),
        max_length=9,
        choices=[("single", _("By a form or the shop")), ("confirmed", _("Confirmed from the phone"))],
        blank=True,
    )
    #: What they chose on their own page: {"per_week": int or None, "refused": [stages of life]}.
    preferences = models.JSONField(_("preferences"), default=dict, blank=True)
    #: The time of the newest statement that counts: saying the same again renews it.
    consent_changed_at = models.DateTimeField(_("consent changed at"), null=True, blank=True)
    orders_count = models.PositiveIntegerField(_("orders"), default=0)
    first_order_at = models.DateTimeField(_("first order at"), null=True, blank=True)
    last_order_at = models.DateTimeField(_("last order at"), null=True, blank=True)
    total_spent = models.DecimalField(_("spent in all"), max_digits=14, decimal_places=2, default=0)
    #: The Unix times of the last orders, oldest first: how often this person buys.
    order_times = models.JSONField(default=list, blank=True, editable=False)
    #: When the person has probably used up what they bought, by the median of their own intervals.
    replenish_at = models.DateTimeField(_("probably used up at"), null=True, blank=True, editable=False)
    #: What the newest statement about consent came from ("keyword", "checkout", …).
    consent_source = models.CharField(_("consent source"), max_length=40, blank=True)
    email_consent = models.CharField(
        _("consent to e-mails"), max_length=8, choices=Consent.choices, default=Consent.UNKNOWN
    )
    last_texted_at = models.DateTimeField(_("last text at"), null=True, blank=True)
    #: How often the person did something in each hour of their day: 24 numbers, or none yet.
    active_hours = models.JSONField(default=list, blank=True, editable=False)
    #: Staff has taken over: no flow goes on for this person before somebody lets it.
    handed_over_at = models.DateTimeField(_("handed over at"), null=True, blank=True)
    handed_over_note = models.CharField(_("handed over because"), max_length=200, blank=True)
    #: The vendor's own time of the newest profile that was applied; older ones are dropped.
    profile_at = models.DateTimeField(null=True, blank=True, editable=False)
    recent_sends = models.JSONField(default=list, blank=True, editable=False)
    wake_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [
            models.UniqueConstraint(
                fields=["store", "phone"], name="smsflow_contact_phone", condition=Q(phone__isnull=False)
            )
        ]
        indexes = [
            models.Index(fields=["wake_at"], name="smsflow_contact_due", condition=Q(wake_at__isnull=False)),
            models.Index(fields=["store", "created_at"], name="smsflow_contact_new"),
            models.Index(fields=["store", "last_order_at"], name="smsflow_contact_lapsed"),
            models.Index(
                fields=["store", "replenish_at"],
                name="smsflow_contact_replenish",
                condition=Q(replenish_at__isnull=False),
            ),
            models.Index(
                fields=["consent_changed_at"],
                name="smsflow_contact_asked",
                condition=Q(marketing_consent="pending"),
            ),
        ]

    def __str__(self) -> str:
        return self.name or str(self.phone or self.email or _("Contact without a number"))

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class ContactDate(models.Model):
    """A day or moment in a person's life, kept apart so that finding today's is one step in an index.

    ``name`` is that of the contact's field, or "signed_up", "opted_in", "first_order". ``month_day``
    is 100 × month + day of the date as the person gave it (229 for 29 February).
    """

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="dates")
    name = models.CharField(max_length=60)
    at = models.DateTimeField()
    month_day = models.PositiveSmallIntegerField()

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("date of a contact")
        verbose_name_plural = _("dates of contacts")
        constraints = [models.UniqueConstraint(fields=["contact", "name"], name="smsflow_date_name")]
        indexes = [
            models.Index(fields=["store", "name", "month_day"], name="smsflow_date_yearly"),
            models.Index(fields=["store", "name", "at"], name="smsflow_date_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.at:%Y-%m-%d}"


class Identity(models.Model):
    """A vendor's name for a contact: a customer id, a checkout token, an order id.

    Webhooks about a parcel carry only the order; this is how they find the person.
    """

    class Kind(models.TextChoices):
        CUSTOMER = "customer", _("Customer")
        CHECKOUT = "checkout", _("Checkout")
        CART = "cart", _("Cart")
        ORDER = "order", _("Order")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="identities")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    value = models.CharField(max_length=255)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = [models.UniqueConstraint(fields=["store", "kind", "value"], name="smsflow_identity_value")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class ConsentRecord(models.Model):
    """One line of the consent ledger: what was agreed or revoked, when, how, in which words.

    Rows are added and never changed.
    """

    class Action(models.TextChoices):
        GRANTED = "granted", _("Granted")
        PENDING = "pending", _("Asked, not yet confirmed")
        REVOKED = "revoked", _("Revoked")
        EXPIRED = "expired", _("Not confirmed in time")

    class Scope(models.TextChoices):
        MARKETING = "marketing", _("Marketing")
        ALL = "all", _("Everything")
        EMAIL = "email", _("E-mails")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="consent_records")
    key = models.CharField(max_length=255)
    action = models.CharField(_("action"), max_length=8, choices=Action.choices)
    scope = models.CharField(_("scope"), max_length=10, choices=Scope.choices)
    source = models.CharField(_("source"), max_length=40)
    effective_at = models.DateTimeField(_("effective at"))
    recorded_at = models.DateTimeField(_("recorded at"), default=clock.now)
    phone = models.CharField(_("phone"), max_length=20)
    #: The text that the person wrote, or that stood beside the box which they ticked.
    wording = models.TextField(_("wording"), blank=True)
    evidence = models.JSONField(_("evidence"), default=dict, blank=True)
    actor = models.CharField(_("actor"), max_length=150, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent record")
        verbose_name_plural = _("consent records")
        constraints = [models.UniqueConstraint(fields=["store", "key"], name="smsflow_consent_key")]
        indexes = [models.Index(fields=["contact", "effective_at"], name="smsflow_consent_contact")]

    def __str__(self) -> str:
        return f"{self.action} {self.scope} ({self.source})"
