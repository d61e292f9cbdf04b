"""A field for what is written and never shown."""

from __future__ import annotations

from typing import Any

from django import forms


class SecretField(forms.CharField):
    """Written and never shown again; left empty, what is stored stays."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})
        super().__init__(**{"required": False, "max_length": 500, "widget": widget, **kwargs})
