"""The fields of a store's connection to Sinch's Conversation API."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms import WagtailAdminModelForm

from smsflow_plugin.admin_panels.stores.secret_field import SecretField
from smsflow_plugin.messaging.settling import PAUSE
from smsflow_plugin.models import Connection

CONVERSATION_FIELDS = (
    "conversation_project",
    "conversation_app",
    "conversation_key_id",
    "conversation_key_secret",
    "conversation_callback_secret",
    "conversation_region",
)
#: Where calls go is decided by whoever runs the installation.
OPERATOR_ORIGINS = ("conversation_origin", "conversation_auth_origin")

#: The Conversation API has no others.
REGIONS = [
    ("us", gettext_lazy("United States")),
    ("eu", gettext_lazy("Europe")),
    ("br", gettext_lazy("Brazil")),
]
#: Characters below which the secret of a signature can be guessed.
SECRET_LENGTH = 16
# They become parts of addresses. Sinch's own have at most 36 characters.
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ORIGIN_HELP = gettext_lazy("Only for a proxy or a test network. Empty means the address of the region.")


def clean_origin(text: str) -> str:
    """Return the address of a gateway as it is stored.

    :raises ValidationError: if it is none.
    """
    url = text.strip().rstrip("/")
    # a host without a dot (localhost, a container) is as good as any
    if url and not re.fullmatch(r"https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?(/[^\s]*)?", url):
        URLValidator(schemes=["http", "https"])(url)
    return url


def clean_identifier(text: str) -> str:
    """Return an id that Sinch gave, as it is stored.

    :raises ValidationError: if it cannot be one.
    """
    identifier = text.strip()
    if identifier and not _IDENTIFIER.fullmatch(identifier):
        raise ValidationError(
            _("Copy the id from the Sinch dashboard: letters, digits, “-” and “_” only, at most 64 of them.")
        )
    return identifier


def clean_signing_secret(secret: str) -> str:
    """Return the secret with which callbacks are signed; empty keeps what is stored.

    :raises ValidationError: if it is too short.
    """
    if secret and len(secret) < SECRET_LENGTH:
        message = _("Use at least %(count)s characters: a short secret can be guessed, and callbacks forged.")
        raise ValidationError(message % {"count": SECRET_LENGTH})
    return secret


class ConversationFields(WagtailAdminModelForm):  # type: ignore[misc]
    """The part of a store's form that asks for a project of the Conversation API."""

    conversation_project = forms.CharField(label=gettext_lazy("Project id"), required=False, max_length=255)
    conversation_app = forms.CharField(
        label=gettext_lazy("App id"),
        required=False,
        max_length=255,
        help_text=gettext_lazy("The app whose channels the store texts through."),
    )
    conversation_key_id = SecretField(label=gettext_lazy("Access key id"))
    conversation_key_secret = SecretField(label=gettext_lazy("Access key secret"))
    conversation_callback_secret = SecretField(label=gettext_lazy("Webhook secret"))
    conversation_region = forms.ChoiceField(label=gettext_lazy("Region"), choices=REGIONS, required=False)
    conversation_origin = forms.CharField(
        label=gettext_lazy("Base address"), required=False, max_length=255, help_text=_ORIGIN_HELP
    )
    conversation_auth_origin = forms.CharField(
        label=gettext_lazy("Address of access tokens"), required=False, max_length=255, help_text=_ORIGIN_HELP
    )

    def show_conversation(self, connection: Connection | None) -> dict[str, bool]:
        """Fill in what is stored, and return which secrets are."""
        if connection:
            self.fields["conversation_project"].initial = connection.account
            self.fields["conversation_app"].initial = connection.settings.get("app_id")
            self.fields["conversation_region"].initial = connection.settings.get("region")
            self.fields["conversation_origin"].initial = connection.settings.get("conversation_origin")
            self.fields["conversation_auth_origin"].initial = connection.settings.get("auth_origin")
        names = ("key_id", "key_secret", "callback_secret")
        return {f"conversation_{name}": bool(connection and connection.secrets.get(name)) for name in names}

    def clean_conversation_app(self) -> str:
        return clean_identifier(self.cleaned_data["conversation_app"])

    def clean_conversation_key_id(self) -> str:
        return clean_identifier(self.cleaned_data["conversation_key_id"])

    def clean_conversation_callback_secret(self) -> str:
        return clean_signing_secret(self.cleaned_data["conversation_callback_secret"])

    def clean_conversation_origin(self) -> str:
        return clean_origin(self.cleaned_data["conversation_origin"])

    def clean_conversation_auth_origin(self) -> str:
        return clean_origin(self.cleaned_data["conversation_auth_origin"])

    def conversation_values(self, cleaned: dict[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
        """Return the secrets and the settings of the connection."""
        secrets = {name: cleaned[f"conversation_{name}"] for name in ("key_id", "key_secret", "callback_secret")}
        # whatever made the gateway refuse before, it is asked again with this
        settings: dict[str, Any] = {
            "app_id": cleaned["conversation_app"],
            "region": cleaned["conversation_region"] or "us",
            PAUSE: None,
        }
        if "conversation_origin" in self.fields:
            settings["conversation_origin"] = cleaned["conversation_origin"]
            settings["auth_origin"] = cleaned["conversation_auth_origin"]
        return secrets, settings
