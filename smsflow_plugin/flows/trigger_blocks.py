"""The forms of what starts a flow. What they mean is in ``program.Trigger``."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from smsflow_plugin.events.kinds import grouped_kind_choices
from smsflow_plugin.flows.condition_blocks import ConditionBlock
from smsflow_plugin.flows.store_choosers import SegmentChooserBlock

EVENTS, TEXTS, PERSON, TIME = _("Events"), _("Texts"), _("Person"), _("Dates and times")

DATE_CHOICES = [
    ("birthday", _("Birthday")),
    ("signed_up", _("Day of sign-up")),
    ("opted_in", _("Day of the opt-in")),
    ("first_order", _("Day of the first order")),
    ("own", _("A date of your own")),
]
REPEAT_CHOICES = [
    ("once", _("Once")),
    ("daily", _("Every day")),
    ("weekly", _("Every week")),
    ("monthly", _("Every month")),
]

#: The kind of event of each trigger that always has the same one.
KIND_OF = {
    "custom": "custom",
    "keyword": "message_received",
    "any_text": "message_received",
    "field": "field_changed",
    "segment": "segment_entered",
    "date": "date_due",
    "lapsed": "lapsed",
    "replenishment": "replenishment_due",
    "schedule": "scheduled",
    "manual": "entered_by_hand",
}


def trigger_choices() -> list[tuple[object, object]]:
    return list(grouped_kind_choices(triggers_only=True))


class EventTriggerBlock(blocks.StructBlock):
    """Something that happens."""

    kind = blocks.ChoiceBlock(choices=trigger_choices, default="opted_in", label=_("Event"))
    rules = ConditionBlock(
        required=False, label=_("Only if all of these hold"), help_text=_("Rules about the event. Empty means always.")
    )

    class Meta:
        icon = "history"
        label = _("Something happens")
        label_format = "{kind}"
        group = EVENTS
        description = _("Starts the flow when this happens to a person.")
        form_layout = blocks.BlockGroup(children=["kind"], settings=["rules"])


class CustomTriggerBlock(blocks.StructBlock):
    """An event of another system."""

    name = blocks.CharBlock(max_length=60, label=_("Name of the event"), help_text=_("For example “quiz_finished”."))

    class Meta:
        icon = "code"
        label = _("An event of your own")
        label_format = "{name}"
        group = EVENTS
        description = _("Starts the flow when another system reports an event of this name.")


class KeywordTriggerBlock(blocks.StructBlock):
    """A word that people text."""

    words = blocks.CharBlock(
        max_length=200,
        label=_("Words"),
        help_text=_("With commas between them: VIP, GOLD. Words for opting in and out cannot be used."),
    )

    class Meta:
        icon = "comment"
        label = _("A word is texted")
        label_format = "{words}"
        group = TEXTS
        description = _("Starts the flow when a person texts one of these words.")


class AnyTextTriggerBlock(blocks.StructBlock):
    """Any text that nothing else took."""

    class Meta:
        icon = "comment"
        label = _("Any other text")
        group = TEXTS
        description = _("Starts the flow when a person texts something that no question and no word has taken.")


class TagTriggerBlock(blocks.StructBlock):
    """A tag that comes or goes."""

    tag = blocks.CharBlock(max_length=100, label=_("Tag"))
    change = blocks.ChoiceBlock(
        choices=[("added", _("is added")), ("removed", _("is taken away"))], default="added", label=_("When it")
    )

    class Meta:
        icon = "tag"
        label = _("A tag changes")
        label_format = "{tag} {change}"
        group = PERSON
        description = _("Starts the flow when a person gets a tag, or loses it.")


class FieldTriggerBlock(blocks.StructBlock):
    """A field that changes."""

    name = blocks.CharBlock(max_length=60, label=_("Field"), help_text=_("One of the person's own fields."))

    class Meta:
        icon = "edit"
        label = _("A field changes")
        label_format = "{name}"
        group = PERSON
        description = _("Starts the flow when a field of the person gets another value.")


class SegmentTriggerBlock(blocks.StructBlock):
    """A segment that somebody comes into."""

    segment = SegmentChooserBlock(label=_("Segment"))

    class Meta:
        icon = "group"
        label = _("Comes into a segment")
        label_format = "{segment}"
        group = PERSON
        description = _("Starts the flow when a person comes into a segment. Who is in it already does not enter.")


class DateTriggerBlock(blocks.StructBlock):
    """A date of the person."""

    field = blocks.ChoiceBlock(choices=DATE_CHOICES, default="birthday", label=_("Date"))
    custom = blocks.CharBlock(
        required=False,
        max_length=60,
        label=_("Name of your own date"),
        help_text=_("Only for “A date of your own”."),
    )
    direction = blocks.ChoiceBlock(
        choices=[("on", _("on the day itself")), ("before", _("before")), ("after", _("after"))],
        default="on",
        label=_("When"),
    )
    amount = blocks.IntegerBlock(required=False, min_value=1, max_value=3650, label=_("How long before or after"))
    unit = blocks.ChoiceBlock(choices=[("days", _("days")), ("weeks", _("weeks"))], default="days", label=_("Unit"))
    time = blocks.TimeBlock(default="10:00", label=_("At"), help_text=_("In the recipient's own time zone."))
    yearly = blocks.BooleanBlock(required=False, default=True, label=_("Every year"))

    class Meta:
        icon = "date"
        label = _("A date comes")
        label_format = "{field} {custom} {direction} {amount}"
        group = TIME
        description = _("Starts the flow on, before or after a birthday or another date of the person.")


class LapsedTriggerBlock(blocks.StructBlock):
    """No order for some time."""

    days = blocks.IntegerBlock(min_value=1, max_value=3650, default=90, label=_("Days without an order"))

    class Meta:
        icon = "time"
        label = _("No order for some time")
        label_format = "{days}"
        group = TIME
        description = _("Starts the flow when a customer has not ordered for so many days.")


class ReplenishmentTriggerBlock(blocks.StructBlock):
    """What was bought is probably used up."""

    early_days = blocks.IntegerBlock(min_value=0, max_value=365, default=3, label=_("So many days before"))
    default_days = blocks.IntegerBlock(
        min_value=1,
        max_value=3650,
        default=30,
        label=_("Days between orders, if nothing is known yet"),
        help_text=_("After three orders, the person's own usual interval counts."),
    )

    class Meta:
        icon = "rotate"
        label = _("Probably used up")
        label_format = "{default_days}"
        group = TIME
        description = _("Starts the flow shortly before the person would usually order again.")


class ScheduleTriggerBlock(blocks.StructBlock):
    """A planned time."""

    at = blocks.DateTimeBlock(label=_("At"))
    repeat = blocks.ChoiceBlock(choices=REPEAT_CHOICES, default="once", label=_("Repeat"))

    class Meta:
        icon = "calendar"
        label = _("A planned time")
        label_format = "{at} {repeat}"
        group = TIME
        description = _("Lets everybody who fits the audience in at a time that you choose.")


class ManualTriggerBlock(blocks.StructBlock):
    """Nothing but a person's hand."""

    class Meta:
        icon = "user"
        label = _("By hand, or from another flow")
        group = PERSON
        description = _("Starts only when somebody lets people in. Every flow can be entered like this as well.")


def trigger_blocks() -> list[tuple[str, blocks.Block]]:
    """Return one instance of each trigger."""
    return [
        ("event", EventTriggerBlock()),
        ("custom", CustomTriggerBlock()),
        ("keyword", KeywordTriggerBlock()),
        ("any_text", AnyTextTriggerBlock()),
        ("tag", TagTriggerBlock()),
        ("field", FieldTriggerBlock()),
        ("segment", SegmentTriggerBlock()),
        ("manual", ManualTriggerBlock()),
        ("date", DateTriggerBlock()),
        ("lapsed", LapsedTriggerBlock()),
        ("replenishment", ReplenishmentTriggerBlock()),
        ("schedule", ScheduleTriggerBlock()),
    ]


def kind_of(child: Any) -> str:
    """Return the kind of event that a trigger of the form waits for, "" if it says none."""
    value = child.value
    if child.block_type == "event":
        return str(value.get("kind") or "")
    if child.block_type == "tag":
        return "tag_removed" if value.get("change") == "removed" else "tag_added"
    return KIND_OF.get(child.block_type, "")


def kinds_of(triggers: Any) -> tuple[str, ...]:
    """Return the kinds of event that start a flow, each once."""
    return tuple(dict.fromkeys(filter(None, map(kind_of, triggers or ()))))


def event_trigger(kind: str) -> dict[str, Any]:
    """Return a trigger of the form that waits for events of ``kind``, as raw data without an id."""
    return {"type": "event", "value": {"kind": kind, "rules": []}}
