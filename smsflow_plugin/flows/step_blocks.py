"""The forms of the steps that hold no other steps. What they mean is in ``program``."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from smsflow_plugin.flows.action_blocks import action_steps
from smsflow_plugin.flows.copy_blocks import (
    LANGUAGE_CHOICES,
    MAX_COPY,
    CopyBlock,
    TranslationBlock,
    copy_block,
    fallback_block,
    translations_block,
)
from smsflow_plugin.flows.pictures import PictureBlock
from smsflow_plugin.flows.variant_blocks import share_block, variants_block

__all__ = ["LANGUAGE_CHOICES", "MAX_COPY", "CopyBlock", "TranslationBlock", "leaf_steps"]

UNIT_CHOICES = [
    ("minutes", _("minutes")),
    ("hours", _("hours")),
    ("days", _("days")),
    ("weeks", _("weeks")),
    ("months", _("months")),
]
HOLD_UNIT_CHOICES = UNIT_CHOICES[:2]
WHEN_BLOCKED_CHOICES = [("hold", _("Wait until it may go")), ("drop", _("Drop it"))]
WEEKDAY_CHOICES = [
    ("0", _("Monday")),
    ("1", _("Tuesday")),
    ("2", _("Wednesday")),
    ("3", _("Thursday")),
    ("4", _("Friday")),
    ("5", _("Saturday")),
    ("6", _("Sunday")),
]
DATE_SOURCE_CHOICES = [
    ("appointment", _("The appointment that the flow is about")),
    ("field", _("A date of the person")),
    ("trigger", _("A date that came with what started the flow")),
]
DIRECTION_CHOICES = [("before", _("before")), ("on", _("on the day itself")), ("after", _("after"))]
IF_PAST_CHOICES = [
    ("go_on", _("go on at once")),
    ("skip_next", _("skip the next step")),
    ("leave", _("leave the flow")),
]
#: Groups of the picker, in the order in which the steps stand in it.
TEXTS, WAITING = _("Texts"), _("Waiting")
LONGEST_AMOUNT = 100_000


def amount_block(label: Any, default: int | None = 1, **kwargs: Any) -> blocks.IntegerBlock:
    return blocks.IntegerBlock(min_value=1, max_value=LONGEST_AMOUNT, default=default, label=label, **kwargs)


def unit_block(default: str = "days") -> blocks.ChoiceBlock:
    return blocks.ChoiceBlock(choices=UNIT_CHOICES, default=default, label=_("Unit"))


class VariantBlock(blocks.StructBlock):
    """The same text in other words, for some of the people."""

    weight = share_block(_("Everybody else gets the text."))
    text = copy_block(label=_("Text"))
    fallback = fallback_block()
    translations = translations_block(TranslationBlock())

    class Meta:
        icon = "copy"
        label = _("Variant")
        label_format = "{weight} %: {text}"
        form_layout = blocks.BlockGroup(children=["weight", "text"], settings=["fallback", "translations"])


class SendBlock(blocks.StructBlock):
    """One text."""

    text = copy_block(
        label=_("Text"),
        help_text=_(
            "Personal words go in double braces: {{ contact.first_name | default: 'there' }}. "
            "Marketing texts get the brand in front and the words for opting out at the end."
        ),
    )
    picture = PictureBlock(
        required=False,
        label=_("Picture"),
        help_text=_(
            "Goes with the text where the sender and the country carry pictures. Everybody else gets the text alone."
        ),
    )
    fallback = fallback_block()
    translations = translations_block(TranslationBlock())
    hold_amount = blocks.IntegerBlock(
        required=False,
        min_value=1,
        max_value=60 * 24 * 60,
        label=_("May be put off for at most"),
        help_text=_("Quiet hours and caps put a text off. After this long it is dropped. Empty means no limit."),
    )
    hold_unit = blocks.ChoiceBlock(choices=HOLD_UNIT_CHOICES, default="hours", label=_("Unit"))
    when_blocked = blocks.ChoiceBlock(
        required=False,
        choices=WHEN_BLOCKED_CHOICES,
        label=_("When it may not go yet"),
        help_text=_("Empty: as the flow says, or the store's rules."),
    )
    variants = variants_block(
        VariantBlock(),
        _("Variants to try"),
        _(
            "The text above is A, and these are B, C and D. Who gets which is a matter of chance; the same "
            "always gets the same. Change one thing at a time."
        ),
    )

    class Meta:
        icon = "mail"
        label = _("Send a text")
        label_format = "{text}"
        group = TEXTS
        description = _("Sends one text, if consent, quiet hours and caps allow it.")
        form_layout = blocks.BlockGroup(
            children=["text", "picture", "fallback", "translations"],
            settings=["hold_amount", "hold_unit", "when_blocked", "variants"],
        )


class DelayBlock(blocks.StructBlock):
    """Another time to wait, for some of the people."""

    weight = share_block(_("Everybody else waits as long as the step says."))
    amount = amount_block(_("How long"), default=None)
    unit = unit_block()

    class Meta:
        icon = "time"
        label = _("Delay")
        label_format = _("or {amount} {unit} ({weight} %)")


class WaitBlock(blocks.StructBlock):
    """Some time."""

    amount = amount_block(_("How long"))
    unit = unit_block()
    variants = variants_block(
        DelayBlock(),
        _("Other delays to try"),
        _(
            "The step's own time is A, and these are B, C and D. Who waits how long is a matter of chance; the same "
            "person always waits as long. Change one thing at a time."
        ),
    )

    class Meta:
        icon = "time"
        label = _("Wait")
        label_format = "{amount} {unit} {variants}"
        group = WAITING
        description = _("Waits. One day means the same time tomorrow.")
        form_layout = blocks.BlockGroup(children=["amount", "unit"], settings=["variants"])


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
        group = WAITING
        description = _("Waits for the next such time where the person lives.")


class WaitBestTimeBlock(blocks.StructBlock):
    """The part of the day at which texts are clicked, or the hour at which this person reacts."""

    within_hours = blocks.IntegerBlock(
        min_value=1,
        max_value=24 * 7,
        default=24,
        label=_("At most so many hours"),
        help_text=_(
            "Once the store knows at which part of the day texts are clicked, that part counts; until then the hour at "
            "which the person usually reacts, or most people of the store do."
        ),
    )

    class Meta:
        icon = "pick"
        label = _("Wait for the best time")
        label_format = "{within_hours}"
        group = WAITING
        description = _("Waits for the time of day at which this store's texts are clicked most.")


class WaitUntilDateBlock(blocks.StructBlock):
    """Before or after a date, which may move."""

    source = blocks.ChoiceBlock(choices=DATE_SOURCE_CHOICES, default="appointment", label=_("Date"))
    custom = blocks.CharBlock(
        required=False,
        max_length=100,
        label=_("Name of the date"),
        help_text=_(
            "Not needed for an appointment. Of the person, for example “birthday”; of what started the flow, "
            "for example “subscription.next_order_at”."
        ),
    )
    direction = blocks.ChoiceBlock(choices=DIRECTION_CHOICES, default="before", label=_("Before or after"))
    amount = blocks.IntegerBlock(
        required=False, min_value=0, max_value=LONGEST_AMOUNT, default=1, label=_("How long before or after")
    )
    unit = unit_block()
    time = blocks.TimeBlock(
        required=False,
        label=_("At this time of the day"),
        help_text=_("In the recipient's own time zone. Empty means at the time of the date itself."),
    )
    if_past = blocks.ChoiceBlock(
        choices=IF_PAST_CHOICES,
        default="skip_next",
        label=_("If that has passed already, or there is no such date"),
    )

    class Meta:
        icon = "date"
        label = _("Wait until a date")
        label_format = "{amount} {unit} {direction}: {source} {custom}"
        group = WAITING
        description = _("Waits for a moment before or after a date, and follows the date when it moves.")
        form_layout = blocks.BlockGroup(
            children=["source", "custom", "direction", "amount", "unit", "if_past"], settings=["time"]
        )


def leaf_steps() -> list[tuple[str, blocks.Block]]:
    """Return one instance of each step that holds no other steps."""
    return [
        ("send", SendBlock()),
        ("wait", WaitBlock()),
        ("wait_until_time", WaitUntilTimeBlock()),
        ("wait_until_date", WaitUntilDateBlock()),
        ("wait_best_time", WaitBestTimeBlock()),
        *action_steps(),
    ]
