"""The form of a condition: a list of rules that must all hold."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from smsflow_plugin.events.kinds import kind_choices
from smsflow_plugin.flows.step_lists import StepListBlock

#: Stands for "a field of your own", whose name is typed in.
CUSTOM_FIELD = "fields"

NUMBER_FIELDS = frozenset(
    {
        "orders_count",
        "trigger.cart.total",
        "trigger.cart.item_count",
        "trigger.order.total",
        "trigger.order.item_count",
    }
)

FIELD_CHOICES = [
    (
        _("Person"),
        [
            ("orders_count", _("Number of orders")),
            ("country", _("Country (two letters)")),
            ("province", _("Province or state")),
            ("postcode", _("Postcode")),
            ("language", _("Language")),
            ("email", _("E-mail")),
            (CUSTOM_FIELD, _("A field of your own")),
        ],
    ),
    (
        _("What started the flow"),
        [
            ("trigger.cart.total", _("Cart: total")),
            ("trigger.cart.item_count", _("Cart: number of items")),
            ("trigger.cart.first_item", _("Cart: first item")),
            ("trigger.order.total", _("Order: total")),
            ("trigger.order.item_count", _("Order: number of items")),
            ("trigger.order.first_item", _("Order: first item")),
            ("trigger.parcel.status", _("Parcel: status")),
            ("trigger.parcel.tracking_company", _("Parcel: carrier")),
        ],
    ),
]

OPERATOR_CHOICES = [
    ("eq", _("is")),
    ("ne", _("is not")),
    ("gt", _("is more than")),
    ("ge", _("is at least")),
    ("lt", _("is less than")),
    ("le", _("is at most")),
    ("contains", _("contains")),
]

PERIOD_CHOICES = [
    ("entry", _("since the person entered the flow")),
    ("hours", _("in the last … hours")),
    ("days", _("in the last … days")),
]


class CompareBlock(blocks.StructBlock):
    """A field compared with a value."""

    field = blocks.ChoiceBlock(choices=FIELD_CHOICES, default="orders_count", label=_("Field"))
    custom = blocks.CharBlock(
        required=False,
        max_length=60,
        label=_("Name of your own field"),
        help_text=_("Only for “A field of your own”."),
    )
    operator = blocks.ChoiceBlock(choices=OPERATOR_CHOICES, default="ge", label=_("Comparison"))
    value = blocks.CharBlock(max_length=200, label=_("Value"))

    class Meta:
        icon = "sliders"
        label = _("Compare a field")
        label_format = "{field} {operator} {value}"
        description = _("Asks about the person, or about what started the flow.")


class TagBlock(blocks.StructBlock):
    """Whether the person has a tag."""

    tag = blocks.CharBlock(max_length=100, label=_("Tag"))

    class Meta:
        icon = "tag"
        label = _("Has a tag")
        label_format = "{tag}"
        description = _("Asks for a tag that the person has in Shopify.")


class HappenedBlock(blocks.StructBlock):
    """Whether something happened, or did not."""

    happened = blocks.ChoiceBlock(
        choices=[("yes", _("has happened")), ("no", _("has not happened"))], default="no", label=_("Asks that it")
    )
    event = blocks.ChoiceBlock(choices=kind_choices, default="order_created", label=_("Event"))
    period = blocks.ChoiceBlock(choices=PERIOD_CHOICES, default="entry", label=_("When"))
    amount = blocks.IntegerBlock(
        required=False, min_value=1, max_value=366 * 24, label=_("How many"), help_text=_("Hours or days.")
    )

    class Meta:
        icon = "history"
        label = _("Something happened, or not")
        label_format = "{event} {happened} {period} {amount}"
        description = _("Asks for an event, for example an order.")


class RuleListBlock(StepListBlock):
    """A list of rules: how they are joined is told by where it stands."""


class ConditionBlock(RuleListBlock):
    """Rules that must all hold; groups inside it turn that into "any" and "none"."""

    def __init__(self, local_blocks: Any = None, **kwargs: Any) -> None:
        super().__init__(local_blocks or _rules_and_groups(), **kwargs)


def _rules_and_groups() -> list[tuple[str, blocks.Block]]:
    rules = [("compare", CompareBlock()), ("tag", TagBlock()), ("happened", HappenedBlock())]
    any_of = RuleListBlock(
        rules, required=False, icon="list-ul", label=_("Any of these"), description=_("One of its rules must hold.")
    )
    none_of = RuleListBlock(
        rules, required=False, icon="cross", label=_("None of these"), description=_("None of its rules may hold.")
    )
    return [*rules, ("any_of", any_of), ("none_of", none_of)]
