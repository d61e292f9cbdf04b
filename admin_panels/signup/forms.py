"""The form with which somebody makes an opt-in form."""

from __future__ import annotations

import re
from typing import Any

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.admin_panels.scoping import StoreScopedForm
from smsflow_plugin.audience.opt_in_rules import SINGLE, is_forced
from smsflow_plugin.callers import origin_of
from smsflow_plugin.flows.copy_blocks import LANGUAGE_CHOICES
from smsflow_plugin.messaging.country_rules import rules_of
from smsflow_plugin.models import OptInForm, Store
from smsflow_plugin.signup.page_words import base
from smsflow_plugin.signup.versions import keep_versions

MAX_DISCLOSURE = 2000
MAX_WORDS = 50


class ListField(forms.CharField):
    """A list that is typed as one line, with commas, or one to a line."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        parts = (part.strip() for part in re.split(r"[,;\n]", super().to_python(value)))
        return list(dict.fromkeys(part for part in parts if part))[:MAX_WORDS]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != self.to_python(data)


class OptInFormForm(StoreScopedForm):
    """Takes only what can be shown and sent: known countries, whole addresses, words for every language."""

    countries = ListField(
        label=gettext_lazy("Countries"),
        required=False,
        help_text=gettext_lazy(
            "Two letters each, with commas. What counts is where a number belongs, not its prefix. "
            "Empty means the store's country only; each further one is one more for fraudsters to try."
        ),
    )
    tags = ListField(
        label=gettext_lazy("Tags"), required=False, help_text=gettext_lazy("Given to who signs up, with commas.")
    )
    origins = ListField(
        label=gettext_lazy("Websites"),
        required=False,
        help_text=gettext_lazy(
            "Where the form may be shown in a frame besides the store's own web address, with commas: "
            "for example https://blog.sierra-gear.example."
        ),
    )
    also = forms.MultipleChoiceField(
        label=gettext_lazy("Further languages"),
        choices=LANGUAGE_CHOICES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Besides the store's own. Visitors see theirs."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.instance.disclosures or {}
        for language, _label in LANGUAGE_CHOICES:
            if field := self.fields.get(field_name(language)):
                field.initial = stored.get(language, "")
        if "also" in self.fields:
            self.fields["also"].initial = list(stored)

    def clean_countries(self) -> list[str]:
        countries = [country.upper() for country in self.cleaned_data["countries"]]
        unknown = [country for country in countries if country not in phonenumbers.SUPPORTED_REGIONS]
        if unknown:
            raise ValidationError(_("There is no country “%(country)s”.") % {"country": unknown[0][:20]})
        for country in countries:
            if why := rules_of(country).blocked:
                raise ValidationError(
                    _("Texts to %(country)s do not arrive: %(why)s") % {"country": country, "why": why}
                )
        return countries

    def clean_origins(self) -> list[str]:
        origins = []
        for url in self.cleaned_data["origins"]:
            origin = origin_of(url)
            if not origin:
                raise ValidationError(_("“%(url)s” is no web address.") % {"url": url[:60]})
            origins.append(origin)
        return list(dict.fromkeys(origins))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        store = self._store(cleaned)
        if store and cleaned.get("level") == SINGLE and is_forced(store.country):
            self.add_error("level", _("In %(country)s everybody must confirm.") % {"country": store.country})
        return cleaned

    def _store(self, cleaned: dict[str, Any]) -> Store | None:
        return cleaned.get("store") or (self.instance.store if self.instance.store_id else None)

    def _post_clean(self) -> None:
        super()._post_clean()
        store = self._store(self.cleaned_data)
        if store is None:
            return
        offered = {base(store.language), *self.cleaned_data.get("also", ())}
        texts = {language: self.cleaned_data.get(field_name(language), "") for language, _label in LANGUAGE_CHOICES}
        self.instance.disclosures = {
            language: text.strip() for language, text in texts.items() if language in offered or text.strip()
        }

    def save(self, commit: bool = True) -> OptInForm:
        form: OptInForm = super().save(commit=commit)
        if commit:
            keep_versions(form)
        return form


def field_name(language: str) -> str:
    return f"disclosure_{language}"


# one declared field for each language: panels know only what a form's class declares
OptInFormForm = type(  # type: ignore[misc]
    "OptInFormForm",
    (OptInFormForm,),
    {
        field_name(code): forms.CharField(
            label=label,
            required=False,
            max_length=MAX_DISCLOSURE,
            widget=forms.Textarea(attrs={"rows": 5}),
        )
        for code, label in LANGUAGE_CHOICES
    },
)
