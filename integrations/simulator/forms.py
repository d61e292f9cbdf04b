"""What can be typed on the simulator's screens."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField

from smsflow_plugin.models import Contact, Store

#: Numbers that belong to nobody: the range that films use in the US, and a made-up one in Denmark.
_FICTIONAL = {"US": ("+1202555", 100, 199, 4), "DK": ("+4520", 0, 999, 6)}


def free_number(store: Store) -> str:
    """Return a fictional number that nobody in the store has, or "" if the range is used up."""
    prefix, first, last, digits = _FICTIONAL.get(store.country, _FICTIONAL["US"])
    taken = set(Contact.objects.filter(store=store, phone__startswith=prefix).values_list("phone", flat=True))
    known = {str(phone) for phone in taken} | {store.sender}
    numbers = (f"{prefix}{n:0{digits}d}" for n in range(first, last + 1))
    return next((number for number in numbers if number not in known), "")


class NewPersonForm(forms.Form):
    """Somebody who opens an account in the simulated shop."""

    first_name = forms.CharField(label=_("First name"), max_length=100)
    last_name = forms.CharField(label=_("Last name"), max_length=100, required=False)
    agrees = forms.BooleanField(label=_("Agrees to marketing texts"), required=False, initial=True)

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.store = store
        self.fields["phone"] = PhoneNumberField(
            label=_("Number"),
            region=store.country,
            initial=free_number(store),
            help_text=_("A fictional number. Its phone is on this page; no text leaves this machine."),
            widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
        )
        self.order_fields(["first_name", "last_name", "phone", "agrees"])

    def clean_phone(self) -> str:
        phone = str(self.cleaned_data["phone"])
        owner = Contact.objects.filter(store=self.store, phone=phone).first()
        if owner:
            raise forms.ValidationError(_("%(person)s has this number already."), params={"person": owner})
        return phone


class ReplyForm(forms.Form):
    """What the person writes back."""

    body = forms.CharField(
        label=_("Reply"),
        max_length=1600,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": _("Text message")}),
    )
