"""The simulated shop's discount codes: made for one person, taken once."""

from __future__ import annotations

import re
import secrets
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext as _

from smsflow_plugin import clock
from smsflow_plugin.engine.discounts import CodeRequest
from smsflow_plugin.integrations.simulator.models import SimulatedDiscount
from smsflow_plugin.models import Store

#: Letters and digits that nobody mistakes for each other on a phone.
_LETTERS = "ABCDEFGHJKLMNPQRTUVWXY346789"
_LENGTH = 8


class CodeRefused(Exception):
    """The shop does not take the code. The message is a sentence for the person at the checkout."""


class SimulatedDiscounts:
    """Makes codes as a shop would: ``WELCOME-7KQ3HX9D``."""

    def make(self, store: Store, request: CodeRequest) -> str:
        """Make a code, or return the one that was made for the same key before."""
        prefix = re.sub(r"[^A-Z0-9]", "", request.prefix.upper())[:20]
        code = "".join(secrets.choice(_LETTERS) for _place in range(_LENGTH))
        made, _created = SimulatedDiscount.objects.get_or_create(
            store=store,
            key=request.key,
            defaults={
                "code": f"{prefix}-{code}" if prefix else code,
                "kind": request.kind,
                "amount": request.amount,
                "minimum": request.minimum,
                "ends_at": request.ends_at,
            },
        )
        return made.code


def taken(store: Store, written: str, subtotal: Decimal) -> SimulatedDiscount:
    """Return the discount behind a code, if the shop takes it for an order of ``subtotal``.

    :raises CodeRefused: if it is unknown, used, over, or the order too small.
    """
    discount = SimulatedDiscount.objects.filter(store=store, code=written.strip().upper()).first()
    if discount is None:
        raise CodeRefused(_("The shop does not know the code %(code)s.") % {"code": written})
    if discount.used_in:
        raise CodeRefused(_("The code %(code)s has been used.") % {"code": discount})
    if discount.ends_at < clock.now():
        raise CodeRefused(_("The code %(code)s is no longer valid.") % {"code": discount})
    if discount.minimum is not None and subtotal < discount.minimum:
        raise CodeRefused(_("The code %(code)s is for orders of %(minimum)s or more.") % {
            "code": discount, "minimum": discount.minimum,
        })  # fmt: skip
    return discount


def taken_off(discount: SimulatedDiscount, subtotal: Decimal) -> Decimal:
    """Return how much of ``subtotal`` the discount takes off. The simulated shop sends everything for free anyway."""
    if discount.kind == "percent":
        off = (subtotal * discount.amount / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
    else:
        off = discount.amount if discount.kind == "amount" else Decimal(0)
    return min(off, subtotal)
