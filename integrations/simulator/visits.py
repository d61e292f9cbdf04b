"""One person in one shop, and what a button is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from smsflow_plugin.integrations.simulator.shop import Answer, Shop
from smsflow_plugin.models import Contact


class NotPossible(Exception):
    """The person cannot do that now. The message is a sentence that says what must come first."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One person in one shop. ``said`` is what was chosen and typed beside the buttons."""

    shop: Shop
    contact: Contact
    said: Mapping[str, str] = field(default_factory=dict)


#: Where the buttons stand, in this order.
GROUPS: dict[str, str | Promise] = {
    "texts": _("Texts"),
    "orders": pgettext_lazy("what people have bought", "Cart and order"),
    "products": _("One product"),
    "appointments": _("Appointment"),
    "care": _("Subscription and support"),
    "person": _("The person"),
}


@dataclass(frozen=True, slots=True)
class Doing:
    """A button: ``needs`` are the states of a cart that it can go on from; none means that it needs no cart."""

    name: str
    label: str | Promise
    icon: str
    do: Callable[[Visit], list[Answer]]
    needs: tuple[str, ...] = ()
    group: str = "orders"
