"""What the rules of a form may ask for: fields, operators, periods, with the words that people see."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

#: Stands for "a field of your own", whose name is typed in.
CUSTOM_FIELD = "fields"

#: Fields that are completed by a name that is typed in.
NAMED_FIELDS = frozenset({CUSTOM_FIELD, "trigger.data", "run.answers", "run.webhooks"})

NUMBER_FIELDS = frozenset(
    {
        "orders_count",
        "total_spent",
        "trigger.cart.total",
        "trigger.cart.item_count",
        "trigger.order.total",
        "trigger.order.item_count",
        "trigger.order.refunded",
        "trigger.product.price",
        "trigger.product.old_price",
        "trigger.product.drop_percent",
        "trigger.product.available",
    }
)

_PERSON_TEXTS = [
    ("country", _("Country (two letters)")),
    ("province", _("Province or state")),
    ("postcode", _("Postcode")),
    ("language", _("Language")),
    ("timezone", _("Time zone")),
    ("email", _("E-mail")),
    ("first_name", _("First name")),
    ("last_name", _("Last name")),
    ("marketing_consent", _("Consent to marketing texts")),
    ("email_consent", _("Consent to e-mails")),
    ("consent_source", _("Where the consent came from")),
]
_OWN = (CUSTOM_FIELD, _("A field of your own"))
#: What an event brings, by the path in its data.
EVENT_FIELDS: list[tuple[str, Any]] = [
    ("cart.total", _("Cart: total")),
    ("cart.item_count", _("Cart: number of items")),
    ("cart.first_item", _("Cart: first item")),
    ("order.total", _("Order: total")),
    ("order.item_count", _("Order: number of items")),
    ("order.first_item", _("Order: first item")),
    ("order.source", _("Order: where it was placed")),
    ("order.refunded", _("Order: refunded")),
    ("product.title", _("Product: name")),
    ("product.product_id", _("Product: number")),
    ("product.price", _("Product: price")),
    ("product.old_price", _("Product: price before")),
    ("product.drop_percent", _("Product: price dropped by per cent")),
    ("product.available", _("Product: in stock")),
    ("parcel.status", _("Parcel: status")),
    ("parcel.tracking_company", _("Parcel: carrier")),
    ("appointment.title", _("Appointment: what")),
    ("appointment.place", _("Appointment: where")),
    ("appointment.staff", _("Appointment: with whom")),
    ("subscription.title", _("Subscription: what")),
    ("subscription.reason", _("Subscription: reason for cancelling")),
    ("case.title", _("Support case: about")),
    ("source", _("Opt-in: where")),
    ("body", _("Text: words")),
    ("url", _("Link: address")),
    ("tag", _("Tag")),
    ("field", _("Name of the field or date")),
    ("goal", _("Goal")),
]
_DATA = ("data", _("Event of your own: a value"))
FIELD_CHOICES: list[tuple[Any, list[tuple[str, Any]]]] = [
    (
        _("Person"),
        [("orders_count", _("Number of orders")), ("total_spent", _("Spent in all")), *_PERSON_TEXTS, _OWN],
    ),
    (
        _("What started the flow"),
        [(f"trigger.{path}", label) for path, label in (*EVENT_FIELDS, _DATA)],
    ),
    (
        _("In this flow"),
        [("run.answers", _("An answer to a question")), ("run.webhooks", _("What a webhook answered"))],
    ),
]

_PERSON_DATES = [
    ("created_at", _("First seen")),
    ("first_order_at", _("First order")),
    ("last_order_at", _("Last order")),
    ("last_texted_at", _("Last text to the person")),
    ("consent_changed_at", _("Last word about consent")),
]
DATE_FIELD_CHOICES = [*_PERSON_DATES, (CUSTOM_FIELD, _("A date of your own"))]
KNOWN_FIELD_CHOICES = [(_("Texts"), [*_PERSON_TEXTS, _OWN]), (_("Dates"), _PERSON_DATES)]

OPERATOR_CHOICES = [
    ("eq", _("is")),
    ("ne", _("is not")),
    ("gt", _("is more than")),
    ("ge", _("is at least")),
    ("lt", _("is less than")),
    ("le", _("is at most")),
    ("contains", _("contains")),
    ("starts", _("starts with")),
    ("in", _("is one of")),
]
#: Numbers do not contain, or start with, anything.
TEXT_OPERATORS = frozenset({"contains", "starts"})

DATE_OPERATOR_CHOICES = [
    ("within_days", _("in the last … days")),
    ("older_than_days", _("more than … days ago")),
    ("in_next_days", _("in the next … days")),
    ("before", _("before the day")),
    ("after", _("after the day")),
]
#: Operators that compare with a day of the calendar; the others count days.
DAY_OPERATORS = frozenset({"before", "after"})

PERIOD_CHOICES = [
    ("entry", _("since the person entered the flow")),
    ("hours", _("in the last … hours")),
    ("days", _("in the last … days")),
    ("ever", _("at any time")),
]


def labels(choices: list[Any]) -> dict[str, Any]:
    """Return the labels of choices, grouped or not, by value."""
    found: dict[str, Any] = {}
    for value, label in choices:
        if isinstance(label, list):
            found.update(label)
        else:
            found[value] = label
    return found
