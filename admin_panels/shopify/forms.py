"""Forms about Shopify. Secrets and tokens are written, and never shown again."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms import WagtailAdminModelForm

from smsflow_plugin.admin_panels.stores.forms import SecretField
from smsflow_plugin.integrations.shopify.models import ShopifyApp
from smsflow_plugin.integrations.shopify.verify import shop_domain


class ShopField(forms.CharField):
    """The domain of a shop, however somebody copies it out of the address bar."""

    def __init__(self, **kwargs: Any) -> None:
        help_text = gettext_lazy("For example sierra-gear.myshopify.com.")
        super().__init__(**{"label": gettext_lazy("Shop domain"), "max_length": 255, "help_text": help_text, **kwargs})

    def clean(self, value: Any) -> str:
        written = str(super().clean(value)).strip().lower()
        # the address of a shop's admin names it, too
        in_admin = re.fullmatch(r"(?:https?://)?admin\.shopify\.com/store/([a-z0-9-]+)(?:/.*)?", written)
        name = f"{in_admin.group(1)}.myshopify.com" if in_admin else re.sub(r"^https?://|/.*$", "", written)
        found = shop_domain(name)
        if not found:
            raise ValidationError(_("Write the domain that ends in .myshopify.com."))
        return found


class ConnectForm(forms.Form):
    """Which shop, through which app."""

    shop = ShopField()
    app = forms.ModelChoiceField(label=gettext_lazy("App"), queryset=None, empty_label=None)

    def __init__(self, *args: Any, apps: Any, account: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["app"].queryset = apps
        if account:
            self.fields["shop"].initial, self.fields["shop"].disabled = account, True


class TokenForm(forms.Form):
    """A token of an app that somebody has made in the shop's own admin."""

    shop = ShopField()
    token = forms.CharField(
        label=gettext_lazy("Admin API access token"),
        max_length=500,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("It begins with shpat_. It is stored encrypted, and not shown again."),
    )
    secret = SecretField(
        label=gettext_lazy("API secret key"),
        help_text=gettext_lazy("Shopify signs the app's webhooks with it. Leave it empty to keep what is stored."),
    )

    def __init__(self, *args: Any, account: str = "", has_secret: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["secret"].required = not has_secret
        if account:
            self.fields["shop"].initial, self.fields["shop"].disabled = account, True

    def clean_token(self) -> str:
        token: str = self.cleaned_data["token"].strip()
        if not re.fullmatch(r"[\x21-\x7e]+", token):
            raise ValidationError(_("A token has letters, digits and signs, and no spaces."))
        return token


class AppForm(WagtailAdminModelForm):  # type: ignore[misc]
    """An app. A new secret keeps the one before it: Shopify goes on signing with that for up to an hour."""

    secret = SecretField(label=gettext_lazy("Client secret"))
    forget_previous = forms.BooleanField(
        label=gettext_lazy("Forget the previous secret"),
        required=False,
        help_text=gettext_lazy("Once it is revoked in the Dev Dashboard. Until then Shopify may sign with it."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self._stored()
        self.fields["secret"].required = not stored.get("secret")
        self.fields["secret"].help_text = (
            _("One is stored. Leave this empty to keep it.") if stored.get("secret") else _("None is stored yet.")
        )
        if not stored.get("previous_secret"):
            del self.fields["forget_previous"]

    def _stored(self) -> dict[str, Any]:
        return self.instance.secrets if self.instance.pk else {}

    def clean_client_id(self) -> str:
        client_id: str = self.cleaned_data["client_id"].strip()
        if self.instance.pk and client_id != self.initial.get("client_id") and self.instance.grants.exists():
            raise ValidationError(_("Stores are connected through this app. Another app is another entry."))
        return client_id

    def save(self, commit: bool = True) -> ShopifyApp:
        secrets = dict(self._stored())
        new = self.cleaned_data["secret"].strip()
        if new and new != secrets.get("secret"):
            secrets = {"secret": new, "previous_secret": secrets.get("secret", "")}
        if self.cleaned_data.get("forget_previous"):
            secrets["previous_secret"] = ""
        self.instance.secrets = secrets
        app: ShopifyApp = super().save(commit=commit)
        return app
