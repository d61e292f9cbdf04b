"""What a shop has granted us: through which app, for which scopes, and with which tokens."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.models import Connection
from smsflow_plugin.stores.crypto import EncryptedJSONField


class ShopifyApp(models.Model):
    """An app in Shopify's Dev Dashboard. An agency has one for each client, or one for all of them.

    ``secrets``: ``{"secret": …, "previous_secret": …}``; Shopify signs webhooks with the oldest that is not revoked.
    """

    class Kind(models.TextChoices):
        OAUTH = "oauth", _("Installed by merchants (they agree on a page of Shopify)")
        CLIENT_CREDENTIALS = "client_credentials", _("For shops of the app's own organisation (no page to agree on)")

    name = models.CharField(_("name"), max_length=100, help_text=_("As it is called in Shopify's Dev Dashboard."))
    client_id = models.CharField(
        _("client ID"),
        max_length=64,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9_-]+$", _("Letters, digits, - and _ only."))],
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, default=Kind.OAUTH)
    secrets = EncryptedJSONField(default=dict)
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("Shopify app")
        verbose_name_plural = _("Shopify apps")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def secret(self) -> str:
        return str(self.secrets.get("secret") or "")


class Grant(models.Model):
    """What one shop lets us do. Its tokens are read and renewed by ``admin.tokens`` alone.

    ``secrets``: ``{"access_token": …, "refresh_token": …}``.
    """

    class Kind(models.TextChoices):
        EXPIRING = "expiring", _("Renewed every hour")
        CLIENT_CREDENTIALS = "client_credentials", _("Asked for every day")
        STATIC = "static", _("Entered by hand, valid until it is revoked")

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="grant")
    #: Empty for a token that was entered by hand.
    app = models.ForeignKey(ShopifyApp, null=True, blank=True, on_delete=models.PROTECT, related_name="grants")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    secrets = EncryptedJSONField(default=dict)
    scopes = models.JSONField(default=list)
    granted_at = models.DateTimeField(default=clock.now)
    #: When the access token ends; empty if it does not.
    expires_at = models.DateTimeField(null=True, blank=True)
    #: When the token ends with which a new access token is had. After that the merchant must agree again.
    refresh_until = models.DateTimeField(null=True, blank=True)
    #: A worker is renewing the token until then, at the longest.
    renewing_until = models.DateTimeField(null=True, blank=True)
    #: Since when Shopify refuses us, and what it says. Nothing is asked until a person has put it right.
    broken_at = models.DateTimeField(null=True, blank=True)
    broken_because = models.CharField(max_length=255, blank=True)

    class Meta:
        verbose_name = _("grant of a shop")
        verbose_name_plural = _("grants of shops")

    def __str__(self) -> str:
        return f"{self.connection.account} ({self.kind})"
