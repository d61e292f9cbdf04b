"""Fields of the page that can be left "as above"."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.admin_panels.governance.caps_field import clean_code


class YesNoField(forms.TypedChoiceField):
    """Yes, no, or as above."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [("", gettext_lazy("As above")), ("true", gettext_lazy("Yes")), ("false", gettext_lazy("No"))]
        super().__init__(
            choices=choices, coerce=lambda given: given == "true", empty_value=None, required=False, **kwargs
        )

    def prepare_value(self, value: Any) -> Any:
        return {True: "true", False: "false", None: ""}.get(value, value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial) != (data or ""))


class CodesWidget(forms.Widget):
    """Two-letter codes in one line, and a box for "none at all": an empty line means as above."""

    template_name = "smsflow/governance/codes.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return [] if data.get(f"{name}-none") else (data.get(name) or "").strip() or None

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        text = ", ".join(value) if isinstance(value, list) else value or ""
        context["line"] = forms.TextInput().render(name, text, context["widget"]["attrs"])
        context["none"] = value == []
        return context


class CodesField(forms.Field):
    """A list of countries, an empty one for none, or None for "as above"."""

    widget = CodesWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> list[str] | None:
        if value is None or isinstance(value, list):
            return value
        codes = [clean_code(code) for code in value.replace(",", " ").split()]
        if not codes:
            raise ValidationError(_("Write the two letters of countries, with commas between them."))
        return sorted(set(codes))

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.clean(data) != initial)
        except ValidationError:
            return True


class FlowsField(forms.TypedMultipleChoiceField):
    """Some of the store's flows, by their ids."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(coerce=int, required=False, widget=forms.CheckboxSelectMultiple, **kwargs)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return {str(pk) for pk in initial or ()} != {str(pk) for pk in data or ()}
