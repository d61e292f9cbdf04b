"""The form of one number or name of a store."""

from __future__ import annotations

import re
from typing import Any

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.models import Connection, Sender, Store

#: What the gateways are called.
GATEWAY_NAMES = {"sinch": "Sinch SMS API", "sinch_conversation": "Sinch Conversation API"}

_ADDRESS = re.compile(r"\+?[0-9]{3,15}|[A-Za-z0-9 .&_-]{1,11}")


def clean_address(address: str) -> str:
    """Return a number or name as it is stored.

    :raises ValidationError: if it can be neither.
    """
    address = address.strip()
    if not _ADDRESS.fullmatch(address):
        raise ValidationError(_("Write a number with its prefix, a short code, or a name of at most 11 letters."))
    return address


class SenderForm(forms.ModelForm):  # type: ignore[type-arg]
    """Asks for a sender of one store. It is saved by ``messaging.sender_actions``."""

    countries = forms.CharField(
        label=gettext_lazy("Countries"),
        required=False,
        max_length=400,
        help_text=gettext_lazy(
            "Two letters each, for example “DK, SE”. Empty means every country that no other sender names."
        ),
    )

    class Meta:
        model = Sender
        fields = ("address", "active", "use", "countries", "channel", "connection", "texts_per_second", "position")
        help_texts = {
            "address": gettext_lazy("A number with its prefix, a short code, or a name of at most 11 letters."),
            "active": gettext_lazy("A sender that is switched off sends nothing; what waits leaves from another one."),
            "texts_per_second": gettext_lazy("What your plan lets this sender send. Empty: as the store's rules say."),
            "position": gettext_lazy("Where several senders suit, the one with the lowest number sends."),
        }

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.store = store
        self.fields["countries"].initial = ", ".join(self.instance.countries or [])
        connections = Connection.objects.filter(store=store, kind__in=list(smsflow_settings.GATEWAYS))
        field = self.fields["connection"]
        field.queryset = connections.defer("secrets").order_by("pk")
        field.empty_label = _("The connection that sends by default")
        field.label_from_instance = lambda row: GATEWAY_NAMES.get(row.kind, row.kind)
        self.fields["texts_per_second"].min_value = 0

    def clean_address(self) -> str:
        return clean_address(self.cleaned_data["address"])

    def clean_countries(self) -> list[str]:
        codes = [code.upper() for code in re.split(r"[\s,;]+", self.cleaned_data["countries"]) if code]
        unknown = [code for code in codes if code not in phonenumbers.SUPPORTED_REGIONS]
        if unknown:
            raise ValidationError(_("These are no countries: %(codes)s") % {"codes": ", ".join(unknown)})
        return list(dict.fromkeys(codes))

    def clean_texts_per_second(self) -> Any:
        rate = self.cleaned_data["texts_per_second"]
        if rate is not None and rate <= 0:
            raise ValidationError(_("Write a number above zero, or leave this empty."))
        return rate
