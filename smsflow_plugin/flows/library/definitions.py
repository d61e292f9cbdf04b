"""What a template is. Plain data; ``build`` turns it into a flow, ``words`` writes its steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: The languages that every template speaks, and the one that stands in for any other.
LANGUAGES = ("en", "da", "de", "es", "fr")
DEFAULT_LANGUAGE = "en"

#: Text for people who use the admin.
Label = str | Promise
#: A block of the form without its id: ``{"type": …, "value": …}``.
Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Copy:
    """A text by language. ``fallback`` is used when a value is missing; it may be empty."""

    texts: Mapping[str, str]
    fallback: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Words:
    """Stands where the form wants a text in all languages; ``key`` names it in the template's copy."""

    key: str = ""


@dataclass(frozen=True, slots=True)
class Local:
    """Stands where the form wants one text, for the store's own staff: in the store's language."""

    key: str


@dataclass(frozen=True, slots=True)
class Outside:
    """Steps that are left out for stores of some countries, because the law there forbids them."""

    countries: frozenset[str]
    steps: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class When:
    """Steps or rules that are there only if a setting has been given (and is not 0), and others if not."""

    setting: str
    parts: tuple[Part, ...]
    otherwise: tuple[Part, ...] = ()


Part = Raw | Outside | When


@dataclass(frozen=True, slots=True)
class Setting:
    """Something that must be known before a template runs.

    ``kind``: number (from ``minimum`` to ``maximum``), percent (0 means none), link, keyword, emails,
    moment (wall time in the store's zone), segment or word. Copy and steps say ``[[name]]`` where its value
    goes. An empty link means the store's own address.
    """

    name: str
    kind: str
    label: Label
    help: Label = ""
    default: Any = ""
    minimum: int = 1
    maximum: int = 365


@dataclass(frozen=True, slots=True)
class Story:
    """How the sample person goes through the flow, for showing it.

    ``data`` is laid over the sample of the trigger's event, ``contact`` over the sample person. ``acts`` are
    what the person does at each wait that listens, in order: a text, ``"event:<kind>"``, or "" to let the time pass.
    """

    acts: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    contact: Mapping[str, Any] = field(default_factory=dict)


#: What gallery and docs group templates by, in their order.
PURPOSES: dict[str, Label] = {
    "grow": _("Win subscribers"),
    "sell": _("Win the sale"),
    "orders": _("Orders and deliveries"),
    "after": _("After the purchase"),
    "back": _("Bring people back"),
    "ask": _("Ask and answer"),
    "news": _("News and campaigns"),
}

#: What a template may need of a store.
NEEDS: dict[str, Label] = {
    "read_customers": _("Shopify: read_customers"),
    "read_orders": _("Shopify: read_orders"),
    "read_fulfillments": _("Shopify: read_fulfillments"),
    "read_checkouts": _("Shopify: read_checkouts"),
    "read_products": _("Shopify: read_products"),
    "inventory": _("Shopify: read_inventory, and a waitlist in the shop"),
    "discounts": _("Shopify: write_discounts"),
    "views": _("Product views from the shop's pixel or the API"),
    "subscriptions": _("Cancelled subscriptions from the subscription app or the API"),
    "appointments": _("Appointments from the booking system, by the API"),
    "cases": _("Closed cases from the help desk, by the API"),
    "replies": _("A number that can receive texts"),
    "birthdays": _("Birthdays in the people's details"),
}


@dataclass(frozen=True, slots=True)
class FlowTemplate:
    """A flow that somebody has thought through, in several languages.

    ``id`` is its number in the product's list. ``worth`` says why it may pay, without numbers. ``goal`` is
    the kind of event that it is for; with ``goal_leaves`` it ends the run. ``icon`` is a Wagtail icon, ``copy``
    every text by its key.
    """

    key: str
    id: str
    name: Label
    description: Label
    worth: Label
    purpose: str
    icon: str
    triggers: tuple[Raw, ...]
    steps: tuple[Part, ...]
    copy: Mapping[str, Copy]
    goal: str
    goal_leaves: bool = False
    audience: tuple[Part, ...] = ()
    leave_unmatched: bool = False
    exits: tuple[str, ...] = ()
    reentry: str = "never"
    reentry_days: int | str = 7
    restart: bool = False
    message_class: str = "marketing"
    priority: str = "lifecycle"
    priority_number: int = 100
    stage: str = ""
    needs: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()
    story: Story = Story()

    @property
    def trigger(self) -> str:
        """The kind of event of the first trigger."""
        return trigger_kind(self.triggers[0])


_KINDS = {
    "keyword": "message_received",
    "any_text": "message_received",
    "field": "field_changed",
    "custom": "custom",
    "segment": "segment_entered",
    "date": "date_due",
    "lapsed": "lapsed",
    "replenishment": "replenishment_due",
    "schedule": "scheduled",
    "manual": "entered_by_hand",
}


def trigger_kind(trigger: Raw) -> str:
    """Return the kind of event that a trigger of the form waits for."""
    value = trigger["value"]
    match trigger["type"]:
        case "event":
            return str(value["kind"])
        case "tag":
            return f"tag_{value['change']}"
        case kind:
            return _KINDS[kind]
