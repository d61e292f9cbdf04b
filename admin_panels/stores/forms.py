"""The form of a store: its own fields and its connections, on one page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from zoneinfo import available_timezones

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.permissions import policy_registry

from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.admin_panels.stores.conversation_fields import (
    CONVERSATION_FIELDS,
    OPERATOR_ORIGINS,
    ConversationFields,
    clean_identifier,
    clean_origin,
    clean_signing_secret,
)
from smsflow_plugin.admin_panels.stores.link_fields import LinkFields
from smsflow_plugin.admin_panels.stores.secret_field import SecretField
from smsflow_plugin.admin_panels.stores.sender_forms import clean_address
from smsflow_plugin.integrations.shopify.models import Grant
from smsflow_plugin.messaging.settling import PAUSE
from smsflow_plugin.models import Connection, Policy, Store, StoreMembership
from smsflow_plugin.stores.actions import SaveConnection, readable_connections

SHOPIFY_FIELDS = ("shop_domain", "shopify_secret")
SINCH_FIELDS = ("sinch_plan", "sinch_token", "sinch_callback_secret", "sinch_region")
#: Where calls go is decided by whoever runs the installation: it could be any host of its network.
OPERATOR_FIELDS = ("sinch_base_url", *OPERATOR_ORIGINS)
#: What is kept with an account only, by the field that names the account.
_PARTS = {
    "shop_domain": ("shopify_secret",),
    "sinch_plan": ("sinch_token", "sinch_callback_secret"),
    "conversation_project": CONVERSATION_FIELDS[1:5],
}

LANGUAGES = [
    ("en", gettext_lazy("English")),
    ("da", gettext_lazy("Danish")),
    ("de", gettext_lazy("German")),
    ("es", gettext_lazy("Spanish")),
    ("fr", gettext_lazy("French")),
]
REGIONS = [
    ("us", gettext_lazy("United States")),
    ("eu", gettext_lazy("Europe")),
    ("au", gettext_lazy("Australia")),
    ("br", gettext_lazy("Brazil")),
    ("ca", gettext_lazy("Canada")),
]
_SHOP_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")


def timezone_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the zones of cities, grouped by region."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(available_timezones()):
        region, slash, city = name.partition("/")
        if slash and region not in ("Etc", "SystemV", "posix", "right"):
            groups.setdefault(region, []).append((name, city.replace("_", " ")))
    return [*groups.items(), ("UTC", [("UTC", "UTC")])]


class StoreForm(ConversationFields, LinkFields):
    """Shows each user the parts that they may change; saves all of it or nothing."""

    timezone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=timezone_choices)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=LANGUAGES)

    shop_domain = forms.CharField(
        label=gettext_lazy("Shop domain"),
        required=False,
        max_length=255,
        help_text=gettext_lazy("For example sierra-gear.myshopify.com."),
    )
    shopify_secret = SecretField(label=gettext_lazy("Webhook secret"))
    sinch_plan = forms.CharField(label=gettext_lazy("Service plan id"), required=False, max_length=255)
    sinch_token = SecretField(label=gettext_lazy("API token"))
    sinch_callback_secret = SecretField(
        label=gettext_lazy("Callback secret"),
    )
    sinch_region = forms.ChoiceField(label=gettext_lazy("Region"), choices=REGIONS, required=False)
    sinch_base_url = forms.CharField(
        label=gettext_lazy("Base address"),
        required=False,
        max_length=255,
        help_text=gettext_lazy("Only for a proxy or a test network. Empty means the address of the region."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connections = {row.kind: row for row in readable_connections(self.instance.pk)}
        self._show_stored()
        self._remove_forbidden()

    def _show_stored(self) -> None:
        shopify, sinch = self.connections.get("shopify"), self.connections.get("sinch")
        if shopify:
            self.fields["shop_domain"].initial = shopify.account
        if sinch:
            self.fields["sinch_plan"].initial = sinch.account
            self.fields["sinch_region"].initial = sinch.settings.get("region")
            self.fields["sinch_base_url"].initial = sinch.settings.get("base_url")
        stored = {
            "shopify_secret": bool(shopify and shopify.secrets.get("secret")),
            "sinch_token": bool(sinch and sinch.secrets.get("api_token")),
            "sinch_callback_secret": bool(sinch and sinch.secrets.get("callback_secret")),
            **self.show_conversation(self.connections.get("sinch_conversation")),
        }
        for name, is_stored in stored.items():
            self.fields[name].help_text = (
                _("One is stored. Leave this empty to keep it.") if is_stored else _("None is stored yet.")
            )
        self._keep_choice("language", self.instance.language)
        self._keep_choice("timezone", self.instance.timezone)

    def _keep_choice(self, name: str, value: str) -> None:
        field = self.fields[name]
        if value and not field.valid_value(value):
            field.choices = [*field.choices, (value, value)]

    def _remove_forbidden(self) -> None:
        for name in self.forbidden():
            self.fields.pop(name, None)

    def forbidden(self) -> set[str]:
        """Return the fields that the user must not see in this store."""
        names: set[str] = set()
        if not self.may(Connection):
            names.update(SHOPIFY_FIELDS, SINCH_FIELDS, CONVERSATION_FIELDS, OPERATOR_FIELDS)
        if self.for_user is not None and not self.for_user.has_perm("smsflow.change_connection"):
            names.update(OPERATOR_FIELDS)
        return names

    def may(self, model: type[Connection] | type[StoreMembership]) -> bool:
        """Return whether the user may change this part of the store."""
        if self.for_user is None:
            return True
        if self.instance.pk is None:
            return bool(policy_registry.get_by_type(model).user_has_permission(self.for_user, "change"))
        return may(self.for_user, "change", model(store=self.instance))

    def clean_country(self) -> str:
        country: str = self.cleaned_data["country"].upper()
        if country not in phonenumbers.SUPPORTED_REGIONS:
            raise ValidationError(_("Write the two letters of the country, for example US or DK."))
        return country

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"].upper()
        if not re.fullmatch("[A-Z]{3}", currency):
            raise ValidationError(_("Write the three letters of the currency, for example USD or DKK."))
        return currency

    def clean_sender(self) -> str:
        return clean_address(self.cleaned_data["sender"])

    def clean_shop_domain(self) -> str:
        domain: str = re.sub(r"^https?://|/.*$", "", self.cleaned_data["shop_domain"].strip().lower())
        if domain and not _SHOP_DOMAIN.fullmatch(domain):
            raise ValidationError(_("Write the domain that ends in .myshopify.com."))
        self._check_account("shopify", domain)
        self._check_granted(domain)
        return domain

    def _check_granted(self, domain: str) -> None:
        """Refuse another shop while the tokens of this one are there: they would be sent to the other."""
        connection = self.connections.get("shopify")
        if connection and domain and domain != connection.account and self._is_granted():
            raise ValidationError(_("The store is connected to this shop through an app. Disconnect it first."))

    def _is_granted(self) -> bool:
        return Grant.objects.filter(connection=self.connections.get("shopify")).exists()

    def clean_sinch_plan(self) -> str:
        plan = clean_identifier(self.cleaned_data["sinch_plan"])
        self._check_account("sinch", plan)
        return plan

    def clean_conversation_project(self) -> str:
        project = clean_identifier(self.cleaned_data["conversation_project"])
        self._check_account("sinch_conversation", project)
        return project

    def clean_sinch_callback_secret(self) -> str:
        return clean_signing_secret(self.cleaned_data["sinch_callback_secret"])

    def clean_sinch_base_url(self) -> str:
        return clean_origin(self.cleaned_data["sinch_base_url"])

    def _check_account(self, kind: str, account: str) -> None:
        if not account:
            if kind in self.connections:
                raise ValidationError(_("This store is connected. Write the new value, or keep the old one."))
            return
        # across all stores, on purpose: an account belongs to one store
        taken = Connection.objects.filter(kind=kind, account=account).exclude(store=self.instance.pk)
        if taken.exists():
            raise ValidationError(_("Another store is connected to this."))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        self._need_secret(cleaned, "shopify", "shop_domain", "shopify_secret", "secret")
        self._need_secret(cleaned, "sinch", "sinch_plan", "sinch_token", "api_token")
        self._need_secret(cleaned, "sinch_conversation", "conversation_project", "conversation_key_id", "key_id")
        self._need_secret(
            cleaned, "sinch_conversation", "conversation_project", "conversation_key_secret", "key_secret"
        )
        app_is_wrong = "conversation_app" in self.errors
        if cleaned.get("conversation_project") and not cleaned.get("conversation_app") and not app_is_wrong:
            self.add_error("conversation_app", _("A connection needs this."))
        for account, others in _PARTS.items():
            self._need_account(cleaned, account, others)
        return cleaned

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound and self._errors:
            self._ask_secrets_again()

    def _ask_secrets_again(self) -> None:
        """Say of each secret that was written that it is gone: a form with errors comes back without them."""
        for name, field in self.fields.items():
            if isinstance(field, SecretField) and self.cleaned_data.get(name):
                self.add_error(name, _("Nothing was saved. Write this again: secrets are not shown."))

    def _need_account(self, cleaned: dict[str, Any], account: str, others: Sequence[str]) -> None:
        """Refuse parts of a connection without what names it: there is nowhere to keep them."""
        written = [str(self.fields[name].label) for name in others if cleaned.get(name) or name in self.errors]
        if written and account in self.fields and not cleaned.get(account) and account not in self.errors:
            message = _("Write this as well, or empty the rest of it (%(fields)s): a connection needs all of it.")
            self.add_error(account, message % {"fields": ", ".join(written)})

    def _need_secret(self, cleaned: dict[str, Any], kind: str, account: str, field: str, secret: str) -> None:
        if not cleaned.get(account) or cleaned.get(field) or field in self.errors:
            return
        connection = self.connections.get(kind)
        if kind == "shopify" and connection is not None and self._is_granted():
            return  # its webhooks are signed with the app's secret
        if connection is None or not connection.secrets.get(secret):
            self.add_error(field, _("A connection needs this."))

    def save(self, commit: bool = True) -> Store:
        store: Store = super().save(commit=commit)
        if commit:
            Policy.objects.get_or_create(store=store)
            self.forget_domains()
            self._save_connections(store)
        return store

    def _save_connections(self, store: Store) -> None:
        cleaned = self.cleaned_data
        if cleaned.get("shop_domain"):
            self._connect(store, "shopify", cleaned["shop_domain"], {"secret": cleaned["shopify_secret"]}, {})
        if cleaned.get("sinch_plan"):
            secrets = {"api_token": cleaned["sinch_token"], "callback_secret": cleaned["sinch_callback_secret"]}
            # whatever made the gateway refuse before, it is asked again with this
            settings = {"region": cleaned["sinch_region"] or "us", PAUSE: None}
            if "sinch_base_url" in self.fields:
                settings["base_url"] = cleaned["sinch_base_url"]
            self._connect(store, "sinch", cleaned["sinch_plan"], secrets, settings)
        if cleaned.get("conversation_project"):
            secrets, settings = self.conversation_values(cleaned)
            self._connect(store, "sinch_conversation", cleaned["conversation_project"], secrets, settings)

    def _connect(
        self, store: Store, kind: str, account: str, secrets: dict[str, str], settings: dict[str, Any]
    ) -> None:
        # the fields are only there for those who may
        action = SaveConnection(store, self.for_user, kind=kind, account=account, secrets=secrets, settings=settings)
        action.execute(skip_permission_checks=True)


class TestTextForm(forms.Form):
    __test__ = False

    to = forms.CharField(label=gettext_lazy("Number"), max_length=30, widget=forms.TextInput(attrs={"type": "tel"}))
    body = forms.CharField(label=gettext_lazy("Text"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4}))
    sender = forms.ChoiceField(label=gettext_lazy("From"), required=False)
    #: A form that is sent twice is one text.
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, senders: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(senders) < 2:
            del self.fields["sender"]
            return
        own = ("", _("The one that would text this number"))
        self.fields["sender"].choices = [own, *((address, address) for address in senders)]


class PeopleForm(forms.Form):
    """A role for everybody who works in the store, and a line for somebody new."""

    KEEP = ""
    REMOVE = "remove"

    email = forms.EmailField(
        label=gettext_lazy("E-mail of somebody new"),
        required=False,
        help_text=gettext_lazy("They need an account on this site already."),
    )
    role = forms.ModelChoiceField(label=gettext_lazy("Role"), queryset=None, required=False)

    def __init__(self, *args: Any, memberships: list[StoreMembership], roles: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].queryset = roles
        self.memberships = memberships
        choices = [(str(role.pk), role.name) for role in roles]
        assignable = {role.pk for role in roles}
        for membership in memberships:
            self.fields[f"member-{membership.pk}"] = forms.ChoiceField(
                label=str(membership.user),
                choices=[*choices, (self.REMOVE, _("Remove from this store"))],
                initial=str(membership.role_id),
                required=False,
                disabled=membership.role_id not in assignable,
            )
            if membership.role_id not in assignable:
                field = self.fields[f"member-{membership.pk}"]
                field.choices = [(str(membership.role_id), membership.role.name)]

    def member_fields(self) -> list[Any]:
        return [self[f"member-{membership.pk}"] for membership in self.memberships]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        if cleaned.get("email") and not cleaned.get("role"):
            self.add_error("role", _("Choose what they may do."))
        if cleaned.get("role") and not cleaned.get("email"):
            self.add_error("email", _("Say who gets this role."))
        return cleaned
