"""The form of a condition: a list of rules that must all hold."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from smsflow_plugin.events.kinds import grouped_kind_choices
from smsflow_plugin.flows.behaviour_blocks import behaviour_rules
from smsflow_plugin.flows.condition_fields import (
    DATE_FIELD_CHOICES,
    DATE_OPERATOR_CHOICES,
    EVENT_FIELDS,
    FIELD_CHOICES,
    KNOWN_FIELD_CHOICES,
    OPERATOR_CHOICES,
    PERIOD_CHOICES,
)
from smsflow_plugin.flows.step_lists import StepListBlock
from smsflow_plugin.flows.store_choosers import FlowChooserBlock, SegmentChooserBlock

#: How many groups of rules can stand inside each other.
MAX_GROUPS = 3

PERSON, HISTORY, GROUPS = _("Person"), _("What happened"), _("Groups of rules")


def _name_block(**kwargs: Any) -> blocks.CharBlock:
    return blocks.CharBlock(required=False, max_length=60, **kwargs)


class CompareBlock(blocks.StructBlock):
    """A field compared with a value."""

    field = blocks.ChoiceBlock(choices=FIELD_CHOICES, default="orders_count", label=_("Field"))
    custom = _name_block(
        label=_("Its name"),
        help_text=_("Only for a field of your own, a value of your own event, an answer or a webhook."),
    )
    operator = blocks.ChoiceBlock(choices=OPERATOR_CHOICES, default="ge", label=_("Comparison"))
    value = blocks.CharBlock(
        max_length=200,
        label=_("Value"),
        help_text=_("Small and capital letters are the same. For “is one of”, put commas between: DK, SE, NO."),
    )

    class Meta:
        icon = "sliders"
        label = _("Compare a field")
        label_format = "{field} {custom} {operator} {value}"
        group = PERSON
        description = _("Asks about the person, or about what started the flow.")


class TagBlock(blocks.StructBlock):
    """Whether the person has a tag."""

    tag = blocks.CharBlock(max_length=100, label=_("Tag"))

    class Meta:
        icon = "tag"
        label = _("Has a tag")
        label_format = "{tag}"
        group = PERSON
        description = _("Asks for a tag that the person has in Shopify, or got from a flow.")


class DateBlock(blocks.StructBlock):
    """A date of the person, seen from today or from a day of the calendar."""

    field = blocks.ChoiceBlock(choices=DATE_FIELD_CHOICES, default="last_order_at", label=_("Date"))
    custom = _name_block(label=_("Name of your own date"), help_text=_("Only for “A date of your own”."))
    operator = blocks.ChoiceBlock(choices=DATE_OPERATOR_CHOICES, default="within_days", label=_("When"))
    amount = blocks.IntegerBlock(
        required=False, min_value=1, max_value=36_500, label=_("How many days"), help_text=_("Not for a fixed day.")
    )
    date = blocks.DateBlock(
        required=False, label=_("Day"), help_text=_("Only for “before” and “after”. Days begin at midnight UTC.")
    )

    class Meta:
        icon = "date"
        label = _("When something was")
        label_format = "{field} {custom} {operator} {amount} {date}"
        group = PERSON
        description = _("Asks how long ago the last order, the last text or another date is.")


class KnownBlock(blocks.StructBlock):
    """Whether something is known at all."""

    field = blocks.ChoiceBlock(choices=KNOWN_FIELD_CHOICES, default="last_texted_at", label=_("Field"))
    custom = _name_block(label=_("Name of your own field"), help_text=_("Only for “A field of your own”."))
    known = blocks.ChoiceBlock(
        choices=[("yes", _("is known")), ("no", _("is not known"))], default="yes", label=_("Asks that it")
    )

    class Meta:
        icon = "help"
        label = _("Is known, or not")
        label_format = "{field} {custom} {known}"
        group = PERSON
        description = _("Asks whether there is a value at all. “Never texted” is: the last text is not known.")


class SegmentBlock(blocks.StructBlock):
    """Whether the person is in a segment."""

    segment = SegmentChooserBlock(
        label=_("Segment"), help_text=_("A flow takes over the segment's rules when it is published.")
    )
    within = blocks.ChoiceBlock(choices=[("yes", _("in it")), ("no", _("not in it"))], default="yes", label=_("Is"))

    class Meta:
        icon = "group"
        label = _("In a segment")
        label_format = "{segment} {within}"
        group = PERSON
        description = _("Asks the rules of a saved segment.")


class HandedOverBlock(blocks.StructBlock):
    """Whether staff has taken over."""

    def __init__(self, local_blocks: Any = None, **kwargs: Any) -> None:
        choices = [("yes", _("is with staff")), ("no", _("is not with staff"))]
        # "is" is no name for an attribute
        own = [("is", blocks.ChoiceBlock(choices=choices, default="no", label=_("The person")))]
        super().__init__([*own, *(local_blocks or [])], **kwargs)

    class Meta:
        icon = "user"
        label = _("With staff")
        label_format = "{is}"
        group = PERSON
        description = _("Asks whether a flow has handed the person over to somebody.")


class DetailBlock(blocks.StructBlock):
    """Something about an event."""

    path = blocks.ChoiceBlock(choices=EVENT_FIELDS, label=_("What"))
    operator = blocks.ChoiceBlock(choices=OPERATOR_CHOICES, default="eq", label=_("Comparison"))
    value = blocks.CharBlock(max_length=200, label=_("Value"))

    class Meta:
        icon = "sliders"
        label = _("Detail")
        label_format = "{path} {operator} {value}"


class HappenedBlock(blocks.StructBlock):
    """Whether something happened, or did not."""

    happened = blocks.ChoiceBlock(
        choices=[("yes", _("has happened")), ("no", _("has not happened"))], default="no", label=_("Asks that it")
    )
    event = blocks.ChoiceBlock(choices=grouped_kind_choices, default="order_created", label=_("Event"))
    period = blocks.ChoiceBlock(choices=PERIOD_CHOICES, default="entry", label=_("When"))
    amount = blocks.IntegerBlock(
        required=False, min_value=1, max_value=366 * 24, label=_("How many"), help_text=_("Hours or days.")
    )
    at_least = blocks.IntegerBlock(
        required=False,
        min_value=1,
        max_value=1000,
        label=_("At least so many times"),
        help_text=_("Empty means once."),
    )
    same_subject = blocks.BooleanBlock(
        required=False,
        label=_("Only about the same cart, order or appointment"),
        help_text=_("As the one that started the flow. Cannot be used for segments."),
    )
    details = blocks.ListBlock(
        DetailBlock(), default=[], required=False, label=_("Only if"), help_text=_("Each must be so.")
    )

    class Meta:
        icon = "history"
        label = _("Something happened, or not")
        label_format = "{event} {happened} {period} {amount}"
        group = HISTORY
        description = _("Asks for an event, for example an order, a click or a reply.")
        form_layout = blocks.BlockGroup(
            children=["happened", "event", "period", "amount"], settings=["at_least", "same_subject", "details"]
        )


class InFlowBlock(blocks.StructBlock):
    """Whether the person is in another flow."""

    flow = FlowChooserBlock(required=False, label=_("Flow"), help_text=_("Empty means any other flow."))
    within = blocks.ChoiceBlock(choices=[("yes", _("in it now")), ("no", _("not in it"))], default="no", label=_("Is"))

    class Meta:
        icon = "mail"
        label = _("In another flow")
        label_format = "{flow} {within}"
        group = HISTORY
        description = _("Asks whether the person is in another flow at this moment.")


class RuleListBlock(StepListBlock):
    """A list of rules: how they are joined is told by where it stands."""


class ConditionBlock(RuleListBlock):
    """Rules that must all hold; groups inside it turn that into "any" and "none".

    Every condition of every form has the same children, and all levels share the same
    rules: with blocks of their own the editor's definitions would multiply with every level.
    """

    def __init__(self, local_blocks: Any = None, **kwargs: Any) -> None:
        super().__init__(local_blocks or rules_and_groups(), **kwargs)


@cache
def rules_and_groups(depth: int = MAX_GROUPS) -> list[tuple[str, blocks.Block]]:
    """Return one instance of each rule, and groups of them nested ``depth`` deep. Always the same ones."""
    rules: list[tuple[str, blocks.Block]] = [
        ("compare", CompareBlock()),
        ("tag", TagBlock()),
        ("date", DateBlock()),
        ("known", KnownBlock()),
        ("segment", SegmentBlock()),
        ("handed_over", HandedOverBlock()),
        ("happened", HappenedBlock()),
        ("in_flow", InFlowBlock()),
        *behaviour_rules(),
    ]
    children = rules
    for _level in range(depth):
        children = [*rules, *_groups(children)]
    return children


def _groups(children: list[tuple[str, blocks.Block]]) -> list[tuple[str, blocks.Block]]:
    def group(**kwargs: Any) -> RuleListBlock:
        return RuleListBlock(children, required=False, group=GROUPS, **kwargs)

    return [
        ("all_of", group(icon="list-ol", label=_("All of these"), description=_("Each of its rules must hold."))),
        ("any_of", group(icon="list-ul", label=_("Any of these"), description=_("One of its rules must hold."))),
        ("none_of", group(icon="cross", label=_("None of these"), description=_("None of its rules may hold."))),
    ]
