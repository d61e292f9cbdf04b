"""The form with which a template becomes a flow of a store."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.flows.library import FlowTemplate
from smsflow_plugin.flows.library.settings import defaults, form_fields, in_zone
from smsflow_plugin.models import Segment, Store

#: With more stores than this a list is easier than radio buttons.
MANY_STORES = 6


class EnableForm(forms.Form):
    """Which store gets the flow, and the template's own few questions.

    ``taken`` are the stores that have a flow of this template: one more needs a tick. ``email`` is
    where the user is told things.
    """

    store = forms.ModelChoiceField(
        label=_("Store"), queryset=Store.objects.none(), empty_label=None, widget=forms.RadioSelect
    )
    another = forms.BooleanField(
        label=_("Add another one"),
        required=False,
        help_text=_("The store has this flow already. Two of them text the same people unless you change who enters."),
    )

    def __init__(
        self,
        *args: Any,
        template: FlowTemplate,
        stores: list[Store],
        taken: Collection[int],
        segments: Iterable[Segment],
        email: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.template = template
        self.taken = taken
        field: Any = self.fields["store"]
        field.queryset = Store.objects.filter(pk__in=[store.pk for store in stores]).order_by("name")
        if len(stores) > MANY_STORES:
            field.widget = forms.Select(choices=field.choices)
        for name, own in form_fields(template, segments).items():
            self.fields[name] = own
        for setting in template.settings:
            if setting.kind == "emails":
                self.initial.setdefault(setting.name, email)
        first = self.initial.get("store")
        if isinstance(first, Store):
            for name, value in defaults(template, first).items():
                if value != "":
                    self.initial.setdefault(name, value)
        if any(store.pk in taken for store in stores):
            self.order_fields(["store", "another"])
        else:
            del self.fields["another"]

    @property
    def settings(self) -> dict[str, Any]:
        """The answers to the template's questions."""
        return {setting.name: self.cleaned_data[setting.name] for setting in self.template.settings}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        store = cleaned.get("store")
        if store is None:
            return cleaned
        if store.pk in self.taken and not cleaned.get("another"):
            self.add_error(
                "another",
                _("%(store)s has this flow already. Tick this if you want one more.") % {"store": store},
            )
        for setting in self.template.settings:
            value = cleaned.get(setting.name)
            if setting.kind == "segment" and value is not None and value.store_id != store.pk:
                self.add_error(setting.name, _("This segment belongs to another store."))
            if setting.kind == "moment" and value is not None and in_zone(value, store) < clock.now():
                self.add_error(setting.name, _("This time has passed already."))
        return cleaned
