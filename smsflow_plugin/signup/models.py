"""Forms with which people sign up for texts, what stood on them, and who tried."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.stores.models import Store, new_token
from smsflow_plugin.stores.querysets import StoreScopedQuerySet


class OptInForm(models.Model):
    """A form on which people leave their number and agree to texts.

    Its own words are in the store's language; people of other languages read the form's
    standard words, and the disclosure that is written for their language.
    """

    class Level(models.TextChoices):
        AUTOMATIC = "", _("As the person's country asks for")
        DOUBLE = "double", _("Double: everybody confirms by text")
        SINGLE = "single", _("Single, where the law lets it")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="opt_in_forms", verbose_name=_("store"))
    name = models.CharField(_("name"), max_length=100, help_text=_("For you and in the proof of consent."))
    #: The unguessable part of the form's address.
    token = models.CharField(max_length=64, unique=True, default=new_token, editable=False)
    heading = models.CharField(_("heading"), max_length=120, blank=True)
    introduction = models.CharField(_("introduction"), max_length=300, blank=True)
    button = models.CharField(_("button"), max_length=40, blank=True)
    success = models.CharField(_("thanks"), max_length=300, blank=True)
    programme = models.CharField(
        _("programme"), max_length=60, blank=True, help_text=_("What people join, for example “Sierra Texts”.")
    )
    ask_first_name = models.BooleanField(_("ask for the first name"), default=False)
    ask_email = models.BooleanField(_("ask for the e-mail address"), default=False)
    #: What people agree to, by the languages that are offered; an empty text is the standard one.
    disclosures = models.JSONField(_("disclosures"), default=dict, blank=True)
    terms_url = models.URLField(_("terms"), help_text=_("The address of your terms for texts."))
    privacy_url = models.URLField(_("privacy"), help_text=_("The address of your privacy policy."))
    #: Two letters each; what counts is the region of the number, not its prefix.
    countries = models.JSONField(_("countries"), default=list, blank=True)
    level = models.CharField(_("opt-in"), max_length=6, choices=Level.choices, default=Level.AUTOMATIC, blank=True)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    #: Origins ("https://shop.example") besides the store's own on which the form may be shown.
    origins = models.JSONField(_("websites"), default=list, blank=True)
    active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)

    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("opt-in form")
        verbose_name_plural = _("opt-in forms")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class DisclosureVersion(models.Model):
    """What stood on a form, word for word: the copy of the request that a proof of consent needs. Never changed."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    form = models.ForeignKey(OptInForm, on_delete=models.CASCADE, related_name="versions")
    #: Of text, language and HTML together.
    sha256 = models.CharField(max_length=64)
    language = models.CharField(_("language"), max_length=8)
    text = models.TextField(_("text"))
    html = models.TextField()
    created_at = models.DateTimeField(_("since"), default=clock.now)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("version of a disclosure")
        verbose_name_plural = _("versions of disclosures")
        constraints = [models.UniqueConstraint(fields=["form", "sha256"], name="smsflow_disclosure_version")]

    def __str__(self) -> str:
        return f"{self.language} {self.sha256[:12]}"


class OptInAttempt(models.Model):
    """Somebody has sent a form, with what came of it. Numbers and addresses are kept as keyed hashes only.

    ``key`` is the id of the delivery, where one was stored: it names the request.
    """

    class Outcome(models.TextChoices):
        ASKED = "asked", _("Asked to confirm")
        JOINED = "joined", _("Signed up")
        PENDING = "pending", _("Asked already")
        PHONE = "phone", _("Too often with this number")
        ADDRESS = "address", _("Too often from one connection")
        PREFIX = "prefix", _("Too many similar numbers")
        COUNTRY_CAP = "country", _("Too many numbers of this country today")
        PAUSED = "paused", _("Stopped: hardly anybody confirms")
        BOT = "bot", _("A robot")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    form = models.ForeignKey(OptInForm, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField(_("at"), default=clock.now)
    phone_hash = models.CharField(max_length=64)
    #: The number without its last four digits.
    prefix = models.CharField(max_length=16)
    country = models.CharField(_("country"), max_length=2)
    dial_code = models.PositiveSmallIntegerField()
    ip_hash = models.CharField(max_length=64)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices)
    key = models.CharField(max_length=255, blank=True)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("opt-in attempt")
        verbose_name_plural = _("opt-in attempts")
        indexes = [
            models.Index(fields=["store", "at"], name="smsflow_attempt_recent"),
            models.Index(fields=["form", "at"], name="smsflow_attempt_form"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.prefix}"


class OptInPause(models.Model):
    """Numbers on which nobody is asked, as hardly anybody confirmed: a prefix or a country, until staff resumes."""

    class Kind(models.TextChoices):
        PREFIX = "prefix", _("Numbers that begin with")
        COUNTRY = "country", _("Numbers of")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    value = models.CharField(max_length=16)
    asked = models.PositiveIntegerField(_("asked"))
    confirmed = models.PositiveIntegerField(_("confirmed"))
    paused_at = models.DateTimeField(_("paused at"), default=clock.now)
    resumed_at = models.DateTimeField(_("resumed at"), null=True, blank=True)
    resumed_by = models.CharField(max_length=150, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("pause of sign-ups")
        verbose_name_plural = _("pauses of sign-ups")
        constraints = [models.UniqueConstraint(fields=["store", "kind", "value"], name="smsflow_optin_pause")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"
