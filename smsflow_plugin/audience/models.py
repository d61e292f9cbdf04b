"""People: who they are in a store, and what they agreed to."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
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
    enrollments is due. ``recent_sends`` lists the texts that count towards caps, oldest
    first, so that a cap never has to scan messages: see ``governance.sends``.
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
    #: What stands behind the consent columns, see ``audience.consent.ConsentState``.
    consent_marks = models.JSONField(default=dict, blank=True, editable=False)
    #: "single" or "confirmed" (a double opt-in) while the consent holds; empty without one.
    opt_in_level = models.CharField(
        _("opt-in"),
        max_length=9,
        choices=[("single", _("By a form or the shop")), ("confirmed", _("Confirmed from the phone"))],
        blank=True,
        editable=False,
    )
    #: The hash of the newest line about this person in the ledger of consent.
    ledger_head = models.CharField(max_length=64, blank=True, editable=False)
    #: What the newest statement about consent came from ("keyword", "checkout", …).
    consent_source = models.CharField(_("consent source"), max_length=40, blank=True)
    email_consent = models.CharField(
        _("consent to e-mails"), max_length=8, choices=Consent.choices, default=Consent.UNKNOWN
    )
    last_texted_at = models.DateTimeField(_("last text at"), null=True, blank=True)
    #: The store's number from which this person is texted, once they had a text: it stays the same.
    sender = models.CharField(_("texted from"), max_length=20, blank=True, editable=False)
    #: How often the person did something in each hour of their day: 24 numbers, or none yet.
    active_hours = models.JSONField(default=list, blank=True, editable=False)
    #: Staff has taken over: no flow goes on for this person before somebody lets it.
    handed_over_at = models.DateTimeField(_("handed over at"), null=True, blank=True)
    handed_over_note = models.CharField(_("handed over because"), max_length=200, blank=True)
    #: Something that the person wrote may mean STOP: no marketing before somebody has read it.
    doubtful_at = models.DateTimeField(_("unclear reply at"), null=True, blank=True, editable=False)
    #: When the help desk last said something of a support case that is open; see ``audience.cases``.
    open_case_at = models.DateTimeField(_("support case opened at"), null=True, blank=True)
    #: What the person chose: {"per_week": 2, "refused": ["cart"]}. ``refused`` holds stages of flows.
    preferences = models.JSONField(_("preferences"), default=dict, blank=True)
    #: Everything that named the person was taken away; what is left is counted, and belongs to nobody.
    erased_at = models.DateTimeField(_("erased at"), null=True, blank=True, editable=False)
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
        permissions = [("erase_contact", "Can erase contact"), ("export_contact", "Can export contact")]
        constraints = [
            models.UniqueConstraint(
                fields=["store", "phone"], name="smsflow_contact_phone", condition=Q(phone__isnull=False)
            )
        ]
        indexes = [
            models.Index(fields=["wake_at"], name="smsflow_contact_due", condition=Q(wake_at__isnull=False)),
            models.Index(fields=["store", "created_at"], name="smsflow_contact_new"),
            # lists of several stores
            models.Index(fields=["created_at"], name="smsflow_contact_newest"),
            # help desks know people by it
            models.Index("store", Lower("email"), name="smsflow_contact_email", condition=~Q(email="")),
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
        if self.erased_at:
            return str(_("Erased person"))
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
        CONTRACT = "contract", _("Subscription")

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

    Lines are written by ``audience.ledger`` only, and the database refuses to change or delete
    them. Each names the hash of the line before it about the same person. What says who it
    was (``audience.ledger_chain.CONTENT``) is hashed by itself, with a salt: erasure blanks it
    together with the salt, and the chain still holds.
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

    class Channel(models.TextChoices):
        TEXT = "text", _("Text message")
        WEB = "web", _("Website")
        SHOP = "shop", _("Shop")
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone call")
        CHAT = "chat", _("Chat")
        IN_PERSON = "in_person", _("In person")
        LETTER = "letter", _("Letter")

    class Level(models.TextChoices):
        SINGLE = "single", _("Said once")
        CONFIRMED = "confirmed", _("Confirmed from the number itself")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="consent_records")
    key = models.CharField(max_length=255)
    action = models.CharField(_("action"), max_length=8, choices=Action.choices)
    scope = models.CharField(_("scope"), max_length=10, choices=Scope.choices)
    source = models.CharField(_("source"), max_length=40)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices, blank=True)
    #: What was agreed to, where a store has more than one: "cart", "back in stock", a club.
    programme = models.CharField(_("programme"), max_length=60, blank=True)
    opt_in_level = models.CharField(_("opt-in"), max_length=9, choices=Level.choices, blank=True)
    effective_at = models.DateTimeField(_("effective at"))
    recorded_at = models.DateTimeField(_("recorded at"), default=clock.now)
    phone = models.CharField(_("phone"), max_length=20)
    #: See ``audience.phone_keys``: it outlives the number itself.
    phone_hash = models.CharField(max_length=64, blank=True)
    name = models.CharField(_("name at that time"), max_length=201, blank=True)
    #: The text that the person wrote, or what they said to whom recorded it.
    wording = models.TextField(_("wording"), blank=True)
    form = models.CharField(_("form"), max_length=80, blank=True)
    form_version = models.CharField(_("version of the form"), max_length=64, blank=True)
    #: The text that stood beside the box, to the letter.
    disclosure = models.TextField(_("disclosure"), blank=True)
    disclosure_locale = models.CharField(_("language of the disclosure"), max_length=12, blank=True)
    disclosure_hash = models.CharField(_("hash of the disclosure"), max_length=64, blank=True)
    box_ticked = models.BooleanField(_("box ticked"), null=True, blank=True)
    ip = models.CharField(_("IP address"), max_length=45, blank=True)
    user_agent = models.CharField(_("browser"), max_length=300, blank=True)
    source_url = models.CharField(_("page"), max_length=500, blank=True)
    #: What only one vendor knows: ids of texts, of the shop's customer, the shop's own words.
    evidence = models.JSONField(_("evidence"), default=dict, blank=True)
    actor = models.CharField(_("actor"), max_length=150, blank=True)
    salt = models.CharField(max_length=32, blank=True, editable=False)
    content_hash = models.CharField(max_length=64, blank=True, editable=False)
    previous_hash = models.CharField(max_length=64, blank=True, editable=False)
    hash = models.CharField(_("hash"), max_length=64, blank=True, editable=False)
    #: When what says who it was was taken away.
    erased_at = models.DateTimeField(_("erased at"), null=True, blank=True, editable=False)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent record")
        verbose_name_plural = _("consent records")
        constraints = [models.UniqueConstraint(fields=["store", "key"], name="smsflow_consent_key")]
        indexes = [
            models.Index(fields=["contact", "effective_at"], name="smsflow_consent_contact"),
            models.Index(fields=["store", "phone_hash"], name="smsflow_consent_phone"),
            models.Index(fields=["store", "effective_at"], name="smsflow_consent_day"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.scope} ({self.source})"


class LedgerGuard(models.Model):
    """While a row is here the ledger of consent can be changed, and only by the transaction that put it here.

    ``ends`` is a promise that nobody keeps: no guard has such an id, so that a transaction
    which leaves its guard behind cannot be committed on any database.
    """

    reason = models.CharField(max_length=40)
    ends = models.ForeignKey("self", on_delete=models.DO_NOTHING, related_name="+")

    def __str__(self) -> str:
        return self.reason
