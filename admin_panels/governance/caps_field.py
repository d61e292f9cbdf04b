"""The small table of caps, and that of prices."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.admin_panels.governance.rows import RowsField, RowsWidget
from smsflow_plugin.governance.policy import WINDOWS, Scope
from smsflow_plugin.measurement.setting_words import WINDOW_CHOICES, Names
from smsflow_plugin.models import Flow

#: What a cap counts, as one choice: the scope, and what of it.
ALL = "all"


def counted_choices(flows: Names) -> list[tuple[Any, Any]]:
    """Return what a cap can count."""
    return [
        (ALL, _("all flows together")),
        (_("One class"), [(f"priority:{value}", label) for value, label in Flow.Priority.choices]),
        (_("One stage"), [(f"stage:{value}", label) for value, label in Flow.Stage.choices]),
        *([(_("One flow"), [(f"flow:{pk}", name) for pk, name in flows.items()])] if flows else []),
    ]


class CapRow(forms.Form):
    """One cap. ``counts`` is its scope and what of it."""

    limit = forms.IntegerField(
        label=gettext_lazy("Texts at most"),
        min_value=1,
        max_value=1000,
        widget=forms.NumberInput(attrs={"class": "smsflow-short"}),
        error_messages={
            "required": gettext_lazy("Say how many texts."),
            "invalid": gettext_lazy("Write a whole number."),
        },
    )
    window = forms.ChoiceField(label=gettext_lazy("In which time"), choices=WINDOW_CHOICES, initial="day")
    counts = forms.ChoiceField(label=gettext_lazy("Of what"))

    def __init__(self, *args: Any, flows: Names, initial: Any = None, **kwargs: Any) -> None:
        if initial:
            scope, of = initial.get("scope", Scope.ALL), initial.get("of", "")
            initial = {**initial, "counts": ALL if scope == Scope.ALL else f"{scope}:{of}"}
        super().__init__(*args, initial=initial, **kwargs)
        choices = counted_choices(flows)
        gone = (
            (initial or {}).get("counts", ALL) if not self.is_bound else self.data.get(self.add_prefix("counts"), ALL)
        )
        if str(gone).startswith("flow:") and str(gone) not in {f"flow:{pk}" for pk in flows}:
            choices.append((gone, _("a flow that is not there any more")))
        self.fields["counts"].choices = choices


class CapsField(RowsField):
    """Rows of {"limit", "window", "scope", "of"}."""

    def __init__(self, *, flows: Names, **kwargs: Any) -> None:
        def make(**given: Any) -> CapRow:
            return CapRow(flows=flows, **given)

        widget = RowsWidget(make, add_label=_("Add a cap"), remove_label=_("Remove cap %(number)s"))
        super().__init__(make_form=make, widget=widget, **kwargs)

    def row_of(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        scope, _colon, of = cleaned["counts"].partition(":")
        row = {"limit": cleaned["limit"], "window": cleaned["window"]}
        return row if scope == ALL else {**row, "scope": scope, "of": of}

    def check(self, rows: list[forms.Form]) -> None:
        known: dict[str, dict[str, forms.Form]] = defaultdict(dict)
        for row in rows:
            counts, window = row.cleaned_data["counts"], row.cleaned_data["window"]
            if window in known[counts]:
                row.add_error("window", _("There is a cap for this time already."))
            known[counts].setdefault(window, row)
        for same in known.values():
            self._check_order(same)

    def _check_order(self, rows: dict[str, forms.Form]) -> None:
        """A longer time must not allow less than a shorter one within it: that could never be reached."""
        least = 0
        for window in WINDOWS:
            row = rows.get(window)
            if row is None or "limit" not in row.cleaned_data:
                continue
            limit = row.cleaned_data["limit"]
            if limit < least:
                row.add_error("limit", _("This is less than what the cap for a shorter time allows."))
            least = max(least, limit)


class PriceRow(forms.Form):
    """What a part costs in one country; in all others where there is no country."""

    country = forms.CharField(
        label=gettext_lazy("Country"),
        required=False,
        max_length=2,
        widget=forms.TextInput(attrs={"class": "smsflow-short", "placeholder": gettext_lazy("others")}),
    )
    price = forms.DecimalField(
        label=gettext_lazy("Price of a part"),
        max_digits=9,
        decimal_places=4,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1000))],
        widget=forms.NumberInput(attrs={"class": "smsflow-short", "step": "any"}),
        error_messages={"required": gettext_lazy("Say what a part costs.")},
    )

    def clean_country(self) -> str:
        return clean_code(self.cleaned_data["country"]) if self.cleaned_data["country"] else ""


class PricesField(RowsField):
    """Prices as text by country, "" for all others."""

    def __init__(self, **kwargs: Any) -> None:
        widget = PricesWidget(
            PriceRow, add_label=gettext_lazy("Add a price"), remove_label=gettext_lazy("Remove price %(number)s")
        )
        super().__init__(make_form=PriceRow, widget=widget, **kwargs)

    def row_of(self, cleaned: dict[str, Any]) -> tuple[str, str]:
        return cleaned["country"], format(cleaned["price"].normalize(), "f")

    def joined(self, rows: list[tuple[str, str]]) -> dict[str, str]:
        return dict(rows)

    def check(self, rows: list[forms.Form]) -> None:
        seen: set[str] = set()
        for row in rows:
            country = row.cleaned_data["country"]
            if country in seen:
                row.add_error("country", _("There is a price for this country already."))
            seen.add(country)


class PricesWidget(RowsWidget):
    """Shows what is stored by country as rows."""

    def forms_of(self, name: str, value: Any) -> list[forms.Form]:
        if isinstance(value, dict):
            value = [{"country": country, "price": price} for country, price in value.items()]
        return super().forms_of(name, value)


def clean_code(code: str) -> str:
    """Return the two letters of a country.

    :raises ValidationError: if there is no such country.
    """
    code = code.strip().upper()
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValidationError(_("“%(code)s” is not a country. Write its two letters, for example US.") % {"code": code})
    return code
