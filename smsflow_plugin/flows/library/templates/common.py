"""Settings that several templates ask for."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smsflow_plugin.flows.library.definitions import Label, Setting

#: Words for yes, in every language: people answer in their own.
YES = "YES, Y, ja, j, si, oui, o, ok, okay"
ONE = "1, one, en, eins, uno, un"
TWO = "2, two, to, zwei, dos, deux"
A, B, C = "A", "B", "C"
#: Answers that are a plain yes or no as well: "yep", "nej tak" and 👍 are then understood.
AS_YES, AS_NO = "yes, ja, si, oui", "no, nej, nein, non"


def link(label: Label, name: str = "link") -> Setting:
    return Setting(name, "link", label, help=_("Empty means the address of the shop."))


def percent(default: int = 10) -> Setting:
    return Setting(
        "percent",
        "percent",
        _("Discount in percent"),
        help=_("Each person gets a code of their own. 0 means no discount."),
        default=default,
        minimum=0,
        maximum=80,
    )


def number(name: str, label: Label, default: int, maximum: int = 365, help: Label = "") -> Setting:
    return Setting(name, "number", label, help=help, default=default, maximum=maximum)


def staff() -> Setting:
    return Setting(
        "staff",
        "emails",
        _("E-mail of who is told"),
        help=_("Several with commas between. Empty means the owner of the flow, which is you."),
    )
