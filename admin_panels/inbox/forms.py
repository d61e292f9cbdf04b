"""What staff sends from a conversation's page."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin import clock
from smsflow_plugin.conversations import reading
from smsflow_plugin.engine.staff_texts import MAX_LENGTH
from smsflow_plugin.engine.thread_actions import MAX_NOTE, assignable
from smsflow_plugin.models import Thread

#: Tomorrow begins at this hour of the store's clock.
MORNING = time(9)


class BodyForm(forms.Form):
    """A text. ``key`` makes a double press one text; ``seen`` is the newest text that the page showed.

    ``heard`` is when the person had written last, as far as the page knew.
    """

    body = forms.CharField(
        label=gettext_lazy("Answer"),
        max_length=MAX_LENGTH,
        error_messages={"required": gettext_lazy("Write something first.")},
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    key = forms.UUIDField(widget=forms.HiddenInput)
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)
    heard = forms.CharField(required=False, empty_value=None)


class NoteForm(forms.Form):
    body = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=MAX_NOTE,
        error_messages={"required": gettext_lazy("Write something first.")},
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class AssignForm(forms.Form):
    """``to`` is somebody who may answer here; empty for nobody."""

    to = forms.ModelChoiceField(queryset=get_user_model().objects.none(), required=False)

    def __init__(self, *args: Any, thread: Thread, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = assignable(thread)  # type: ignore[attr-defined]


class SnoozeForm(forms.Form):
    """``way``: "hour", "tomorrow" or "until" with ``at`` on the store's clock."""

    WAYS = ("hour", "tomorrow", "until")

    way = forms.ChoiceField(choices=[(way, way) for way in WAYS])
    at = forms.DateTimeField(
        label=gettext_lazy("Until"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )

    def __init__(self, *args: Any, thread: Thread, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = ZoneInfo(thread.store.timezone)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        until = self._until(cleaned.get("way"), cleaned.get("at"))
        if until is None or until <= clock.now():
            raise ValidationError(_("Say until when: a time that is still to come."))
        cleaned["until"] = until
        return cleaned

    def _until(self, way: Any, at: datetime | None) -> datetime | None:
        now = clock.now()
        if way == "hour":
            return now + timedelta(hours=1)
        if way == "tomorrow":
            day = now.astimezone(self.zone).date() + timedelta(days=1)
            return datetime.combine(day, MORNING, self.zone)
        # the form read it on Django's own clock; it was meant on the store's
        return at.replace(tzinfo=None).replace(tzinfo=self.zone) if at else None


def newest(thread: Thread) -> int:
    """Return what ``BodyForm.seen`` holds on a page that is drawn now."""
    return reading.last_text_of(thread.contact)
