"""What the arms of a step that tries something are, in words: "1 hour", "15 %", "free shipping"."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smsflow_plugin.flows.program import VARIANTS, Discount, Instruction, Wait


def arm_words(instruction: Instruction) -> dict[str, str]:
    """Return how long a wait takes, or how much a discount takes off, by arm. Empty where words would not say it."""
    match instruction:
        case Wait() if instruction.variants:
            times = [length(instruction.amount, instruction.unit)]
            return _by_arm([*times, *(length(each.amount, each.unit) for each in instruction.variants)])
        case Discount() if instruction.variants:
            return _by_arm([taken_off(kind, amount) for kind, amount in instruction.offers])
    return {}


def _by_arm(words: list[str]) -> dict[str, str]:
    return dict(zip(VARIANTS, words, strict=False))


def tried_words(own: str, instruction: Wait | Discount) -> str:
    """Return ``own``, the line that sums the step up, with the other arms and their shares behind it."""
    words = arm_words(instruction)
    others = [f"{each.name}: {words[each.name]} ({each.weight} %)" for each in instruction.variants]
    return " / ".join([f"{VARIANTS[0]}: {own}", *others]) if others else own


def taken_off(kind: str, amount: str) -> str:
    """Return a discount in few words: "15 %", "5 off" or "free shipping"."""
    if kind == "shipping":
        return _("free shipping")
    return f"{amount} %" if kind == "percent" else _("%(amount)s off") % {"amount": amount}


def length(amount: int, unit: str) -> str:
    """Return "3 days"."""
    match unit:
        case "minutes":
            words = ngettext("%(count)d minute", "%(count)d minutes", amount)
        case "hours":
            words = ngettext("%(count)d hour", "%(count)d hours", amount)
        case "days":
            words = ngettext("%(count)d day", "%(count)d days", amount)
        case "weeks":
            words = ngettext("%(count)d week", "%(count)d weeks", amount)
        case _:
            words = ngettext("%(count)d month", "%(count)d months", amount)
    return words % {"count": amount}
