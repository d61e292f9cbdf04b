"""Discount codes for one person alone: asked for here, made by the shop that will take them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from smsflow_plugin import clock
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine.performing import Failed, Job
from smsflow_plugin.governance.incentives import KINDS, number
from smsflow_plugin.stores.models import Connection, Store


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """The code that is wanted.

    ``kind``: percent of the order, an amount in the store's currency, or free shipping
    (``amount`` is 0 then). ``minimum`` is the least that the order must come to. ``key`` is
    the same for every try: a maker that sees it again returns the code that it made before.
    """

    key: str
    kind: str
    amount: Decimal
    minimum: Decimal | None
    starts_at: datetime
    ends_at: datetime
    prefix: str
    customer: str


class DiscountMaker(Protocol):
    """Makes codes in one kind of shop. Found by the setting DISCOUNT_MAKERS, by the kind of connection."""

    def make(self, store: Store, request: CodeRequest) -> str:
        """Make a code that one person can use once, and return it.

        :raises Failed: if it cannot be had, with a sentence for a person.
        """


def discount_maker_for(store: Store) -> DiscountMaker:
    """Return who makes codes for the shop that ``store`` is connected to.

    :raises Failed: if nobody does.
    """
    connected = set(Connection.objects.filter(store=store).values_list("kind", flat=True))
    for kind, path in smsflow_settings.DISCOUNT_MAKERS.items():
        if kind in connected:
            maker: DiscountMaker = import_string(path)()
            return maker
    raise Failed(_("No shop that makes discount codes is connected to this store."))


def perform(job: Job) -> str:
    """Make the code that a run has asked for, and return it.

    :raises Failed: if it cannot be had.
    """
    return discount_maker_for(job.store).make(job.store, read(job))


def read(job: Job) -> CodeRequest:
    """Read what a run asks for, as it stands in the step.

    :raises Failed: if it makes no sense.
    """
    payload, now = job.payload, clock.now()
    kind = str(payload.get("kind") or "")
    if kind not in KINDS:
        raise Failed(_("This kind of discount is unknown: %(kind)s.") % {"kind": kind})
    amount = Decimal(0) if kind == "shipping" else number(payload.get("amount"))
    if amount is None or (kind != "shipping" and amount <= 0) or (kind == "percent" and amount > 100):
        raise Failed(_("The discount has no amount that could be taken off."))
    return CodeRequest(
        key=job.key,
        kind=kind,
        amount=amount,
        minimum=number(payload.get("minimum")) or None,
        starts_at=now,
        ends_at=now + timedelta(days=int(payload.get("valid_days") or 7)),
        prefix=str(payload.get("prefix") or ""),
        customer=job.contact.first_name,
    )
