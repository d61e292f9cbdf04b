"""The forms of the single steps. What they mean is in ``program``; the compiler joins the two."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from smsflow_plugin.events.kinds import kind_choices

#: Languages that copy can be written in; the main text serves everybody else.
LANGUAGE_CHOICES = [
    ("en", _("English")),
    ("da", _("Danish")),
    ("de", _("German")),
    ("es", _("Spanish")),
    ("fi", _("Finnish")),
    ("fr", _("French")),
    ("it", _("Italian")),
    ("nb", _("Norwegian")),
    ("nl", _("Dutch")),
    ("pl", _("Polish")),
    ("pt", _("Portuguese")),
    ("sv", _("Swedish")),
]
UNIT_CHOICES = [("minutes", _("minutes")), ("hours", _("hours")), ("days", _("days")), ("weeks", _("weeks"))]
HOLD_UNIT_CHOICES = UNIT_CHOICES[:2]
WEEKDAY_CHOICES = [
    ("0", _("Monday")),
    ("1", _("Tuesday")),
    ("2", _("Wednesday")),
    ("3", _("Thursday")),
    ("4", _("Friday")),
    ("5", _("Saturday")),
    ("6", _("Sunday")),
]
MAX_COPY = 1000


def copy_block(**kwargs: Any) -> blocks.TextBlock:
    return blocks.TextBlock(max_length=MAX_COPY, rows=3, **kwargs)


class TranslationBlock(blocks.StructBlock):
    """The same text for people who read another language."""

    language = blocks.ChoiceBlock(choices=LANGUAGE_CHOICES, label=_("Language"))
    text = copy_block(label=_("Text"))
    fallback = copy_block(required=False, label=_("If a value is missing"))

    class Meta:
        icon = "globe"
        label = _("Translation")
        label_format = "{language}: {text}"


class SendBlock(blocks.StructBlock):
    """One text."""

    text = copy_block(
        label=_("Text"),
        help_text=_(
            "Personal words go in double braces: {{ contact.first_name | default: 'there' }}. "
            "Marketing texts get the brand in front and the words for opting out at the end."
        ),
    )
    fallback = copy_block(
        required=False,
        label=_("Instead, if a value is missing"),
        help_text=_("Leave this empty to send nothing to people for whom a value is missing."),
    )
    translations = blocks.ListBlock(TranslationBlock(), default=[], required=False, label=_("In other languages"))
    hold_amount = blocks.IntegerBlock(
        required=False,
        min_value=1,
        max_value=60 * 24 * 60,
        label=_("May be put off for at most"),
        help_text=_("Quiet hours and caps put a text off. After this long it is dropped. Empty means no limit."),
    )
    hold_unit = blocks.ChoiceBlock(choices=HOLD_UNIT_CHOICES, default="hours", label=_("Unit"))

    class Meta:
        icon = "mail"
        label = _("Send a text")
        label_format = "{text}"
        description = _("Sends one text, if consent, quiet hours and caps allow it.")
        form_layout = blocks.BlockGroup(
            children=["text", "fallback", "translations"], settings=["hold_amount", "hold_unit"]
        )


class WaitBlock(blocks.StructBlock):
    """Some time."""

    amount = blocks.IntegerBlock(min_value=1, max_value=100_000, default=1, label=_("How long"))
    unit = blocks.ChoiceBlock(choices=UNIT_CHOICES, default="days", label=_("Unit"))

    class Meta:
        icon = "time"
        label = _("Wait")
        label_format = "{amount} {unit}"
        description = _("Waits. One day means the same time tomorrow.")


class WaitUntilTimeBlock(blocks.StructBlock):
    """A time of day."""

    time = blocks.TimeBlock(label=_("Time"), help_text=_("In the recipient's own time zone."))
    weekdays = blocks.MultipleChoiceBlock(
        required=False,
        choices=WEEKDAY_CHOICES,
        widget=forms.CheckboxSelectMultiple,
        label=_("On these days"),
        help_text=_("None means any day."),
    )

    class Meta:
        icon = "calendar-alt"
        label = _("Wait until a time of day")
        label_format = "{time} {weekdays}"
        description = _("Waits for the next such time where the person lives.")


class WaitForEventBlock(blocks.StructBlock):
    """Something to happen, or a time-out."""

    events = blocks.MultipleChoiceBlock(
        choices=kind_choices, widget=forms.CheckboxSelectMultiple, label=_("One of these events")
    )
    amount = blocks.IntegerBlock(min_value=1, max_value=100_000, default=1, label=_("At most"))
    unit = blocks.ChoiceBlock(choices=UNIT_CHOICES, default="days", label=_("Unit"))

    class Meta:
        icon = "history"
        label = _("Wait for an event")
        label_format = "{events} · {amount} {unit}"
        description = _("Goes on when something happens, or when the time is up.")


class ExitBlock(blocks.StructBlock):
    """The end, before the end."""

    reason = blocks.CharBlock(
        required=False, max_length=120, label=_("Reason"), help_text=_("Shown on the person's timeline.")
    )

    class Meta:
        icon = "logout"
        label = _("Leave the flow")
        label_format = "{reason}"
        description = _("Ends the flow for this person here.")


def leaf_steps() -> list[tuple[str, blocks.Block]]:
    """Return one instance of each step that holds no other steps."""
    return [
        ("send", SendBlock()),
        ("wait", WaitBlock()),
        ("wait_until_time", WaitUntilTimeBlock()),
        ("wait_for_event", WaitForEventBlock()),
        ("exit", ExitBlock()),
    ]
