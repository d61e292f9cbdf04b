"""A store, who may do what in it, and how it is connected to its vendors."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.models.audit_log import BaseLogEntry, BaseLogEntryManager

from smsflow_plugin import clock
from smsflow_plugin.stores.crypto import EncryptedJSONField
from smsflow_plugin.stores.querysets import StoreQuerySet, StoreScopedQuerySet


class Store(models.Model):
    """One shop: a wall around its contacts, flows, texts and rules."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        UNINSTALLED = "uninstalled", _("Uninstalled")

    name = models.CharField(_("name"), max_length=100)
    brand = models.CharField(
        _("brand"),
        max_length=30,
        help_text=_("Stands at the start of every marketing text, for example “Sierra Gear”."),
    )
    website = models.URLField(
        _("web address"), blank=True, help_text=_("Where texts send people, for example https://sierra-gear.example.")
    )
    country = models.CharField(
        _("country"),
        max_length=2,
        default="US",
        help_text=_("Two letters. Phone numbers without a prefix are read as numbers of this country."),
    )
    timezone = models.CharField(_("time zone"), max_length=64, default="America/New_York")
    language = models.CharField(_("language"), max_length=8, default="en")
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    help_contact = models.CharField(
        _("help contact"),
        max_length=120,
        blank=True,
        help_text=_("E-mail, phone or address given in the answer to HELP."),
    )
    sender = models.CharField(
        _("sender"), max_length=20, help_text=_("The number or name that texts come from, as your gateway knows it.")
    )
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.ACTIVE)
    shorten_links = models.BooleanField(
        _("shorten links"),
        default=True,
        help_text=_(
            "Web addresses in texts become short links of their own for each person, so that clicks can be counted."
        ),
    )
    link_domain = models.CharField(
        _("domain of short links"),
        max_length=100,
        blank=True,
        help_text=_(
            "A domain of the brand that leads to this site, for example go.sierra-gear.example. Empty: this site's own."
        ),
    )
    link_hosts = models.JSONField(
        _("other sites that links may lead to"),
        default=list,
        blank=True,
        help_text=_("Host names. The shop's own and Shopify's are always allowed."),
    )
    link_utm = models.BooleanField(
        _("add campaign tags"),
        default=True,
        help_text=_("Adds utm_source, utm_medium and utm_campaign to the shop's addresses when a link is clicked."),
    )
    link_days = models.PositiveSmallIntegerField(
        _("days that links last"), default=90, help_text=_("Then they lead to the store's home.")
    )
    attribution_days = models.PositiveSmallIntegerField(
        _("days after a click"),
        default=5,
        help_text=_("An order is credited to the text that was clicked last within these days before it."),
    )
    attribution_delivered_hours = models.PositiveSmallIntegerField(
        _("hours after mere delivery"),
        default=0,
        help_text=_(
            "0: a text that nobody clicked is given no credit. Otherwise it is, for orders within these hours."
        ),
    )
    #: The hour of the day (0-23) at which this store's people react most; learned.
    best_hour = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    #: What the best 1, 2, … 99 per cent of the customers have spent at least, as texts; learned.
    spend_marks = models.JSONField(default=list, blank=True, editable=False)
    #: Which parts of the day may be the best for texts, and what speaks for it; learned (``measurement.best_time``).
    send_times = models.JSONField(default=dict, blank=True, editable=False)
    #: The Monday on which the last weekly report was written.
    reported_on = models.DateField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)

    objects = StoreQuerySet.as_manager()

    class Meta:
        verbose_name = _("store")
        verbose_name_plural = _("stores")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class StoreMembership(models.Model):
    """Gives a user the permissions of ``role``, inside one store only."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="store_memberships", verbose_name=_("user")
    )
    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("store"))
    role = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="+", verbose_name=_("role"))

    class Meta:
        verbose_name = _("store membership")
        verbose_name_plural = _("store memberships")
        constraints = [models.UniqueConstraint(fields=["user", "store"], name="smsflow_one_role_per_store")]

    def __str__(self) -> str:
        return f"{self.user} · {self.store} · {self.role}"


def new_token() -> str:
    return secrets.token_urlsafe(24)


class Connection(models.Model):
    """How a store reaches one vendor, and how we know that a call is from it.

    ``kind`` is the vendor's key in the settings ("shopify", "sinch"). ``account``
    is the vendor's own name for the store: the shop's domain, the service plan.
    ``token`` is the unguessable part of the address that the vendor calls.
    ``secrets`` holds what only the adapter understands.
    """

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="connections", verbose_name=_("store"))
    kind = models.CharField(_("kind"), max_length=20)
    account = models.CharField(_("account"), max_length=255)
    token = models.CharField(max_length=64, unique=True, default=new_token, editable=False)
    secrets = EncryptedJSONField(default=dict)
    settings = models.JSONField(default=dict, blank=True)
    connected_at = models.DateTimeField(default=clock.now, editable=False)

    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        constraints = [
            models.UniqueConstraint(fields=["kind", "account"], name="smsflow_connection_account"),
            models.UniqueConstraint(fields=["store", "kind"], name="smsflow_connection_store_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.account}"


class Heartbeat(models.Model):
    """When a part of the system last showed that it is alive."""

    name = models.CharField(max_length=60, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at}"


class StoreLogEntryManager(BaseLogEntryManager):
    def log_action(self, instance: models.Model, action: str, **kwargs: Any) -> Any:
        store_id = instance.pk if isinstance(instance, Store) else instance.store_id  # type: ignore[attr-defined]
        return super().log_action(instance, action, store_id=store_id, object_id=str(instance.pk), **kwargs)

    def viewable_by_user(self, user: Any) -> Any:
        return super().viewable_by_user(user).filter(store__in=Store.objects.visible_to(user))

    def for_instance(self, instance: models.Model) -> Any:
        content_type = ContentType.objects.get_for_model(instance, for_concrete_model=False)
        return self.filter(content_type=content_type, object_id=str(instance.pk))


class StoreLogEntry(BaseLogEntry):
    """The audit log of one store, apart from Wagtail's own so that no name crosses the wall."""

    #: Empty for what concerns the whole site.
    store = models.ForeignKey(Store, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    object_id = models.CharField(max_length=255, db_index=True)

    objects = StoreLogEntryManager()

    class Meta(BaseLogEntry.Meta):
        verbose_name = _("store log entry")
        verbose_name_plural = _("store log entries")
