"""The field in which copy is written: a text area that counts what the text will cost."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.functional import cached_property
from wagtail import blocks
from wagtail.admin.widgets import AdminAutoHeightTextInput

#: Characters of one text, markup included.
MAX_COPY = 1000


def plain_ends(text: Any) -> Any:
    """Return ``text`` with the ends of its lines as the database holds them.

    Browsers send others. Kept, they would make a change of words out of every save.
    """
    return text.replace("\r\n", "\n") if isinstance(text, str) else text


class CopyWidget(AdminAutoHeightTextInput):  # type: ignore[misc]
    """A text area with the counter, the names and the hints below it.

    ``kind`` is "text", "snippet" for a piece of one (nobody knows yet which names it may use),
    or "mail" for words that no phone gets: those have names, but no counter. ``language``
    is that of the text where no field beside it says so. Without the tools on the page (see
    ``admin_panels.flows.copy_widget``) it is a plain text area.
    """

    def __init__(self, attrs: Any = None, *, kind: str = "text", language: str = "") -> None:
        super().__init__(attrs)
        self.attrs["data-controller"] += " sms-counter"
        self.attrs["data-sms-counter-kind-value"] = kind
        if language:
            self.attrs["data-sms-counter-language-value"] = language

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return plain_ends(super().value_from_datadict(data, files, name))

    @property
    def media(self) -> forms.Media:
        return forms.Media(
            js=["smsflow/parts.js", "smsflow/names-picker.js", "smsflow/counter.js"],
            css={"all": ["smsflow/copy.css"]},
        )


class LinesBlock(blocks.TextBlock):  # type: ignore[misc]
    """Text of several lines that a browser sends back as it got it."""

    def value_from_form(self, value: Any) -> Any:
        return plain_ends(super().value_from_form(value))


class CopyTextBlock(blocks.TextBlock):  # type: ignore[misc]
    """Copy in a list of steps, however deep it stands."""

    def __init__(
        self, *args: Any, rows: int = 3, max_length: int = MAX_COPY, kind: str = "text", **kwargs: Any
    ) -> None:
        self.kind = kind
        super().__init__(*args, rows=rows, max_length=max_length, **kwargs)

    @cached_property
    def field(self) -> forms.Field:
        # a cached property, because a plain one loses the flag of deferred validation
        widget = CopyWidget(attrs={"rows": self.rows}, kind=self.kind)
        return forms.CharField(widget=widget, **self.field_options)

    class Meta:
        icon = "pilcrow"
