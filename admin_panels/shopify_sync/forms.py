"""The form that starts an import."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.widgets import AdminDateInput

ORDERS = [
    ("all", gettext_lazy("All of them")),
    ("since", gettext_lazy("From a day on")),
    ("none", gettext_lazy("None")),
]


class ImportForm(forms.Form):
    orders = forms.ChoiceField(
        label=gettext_lazy("Orders"),
        choices=ORDERS,
        initial="all",
        widget=forms.RadioSelect,
        help_text=gettext_lazy("Customers are always imported: orders must find whose they are."),
    )
    since = forms.DateField(label=gettext_lazy("Orders from this day on"), required=False, widget=AdminDateInput)
    start_flows = forms.BooleanField(
        label=gettext_lazy("Let flows start on what happened in the last two days"),
        required=False,
        help_text=gettext_lazy("Without this, an import starts no flow. With it, people may be texted today."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("orders") == "since" and not cleaned.get("since") and "since" not in self.errors:
            self.add_error("since", _("Choose the day."))
        return cleaned
