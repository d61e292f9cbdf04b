"""What the simulator remembers: how far its time is ahead, what lies in whose cart, and its discount codes."""

from __future__ import annotations

import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.models import Contact, Store


class SimulatedClock(models.Model):
    """How far the simulated time is ahead of the machine's. One row, shared by web and workers."""

    #: Always the same, so that there can be no second row.
    name = models.CharField(max_length=10, unique=True, default="clock", editable=False)
    ahead_seconds = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.ahead_seconds} s ahead"


def new_token() -> str:
    return secrets.token_hex(16)


class SimulatedCart(models.Model):
    """A cart in the simulated shop, from checkout to parcel: the shop's memory, not SMSFlow's."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        ORDERED = "ordered", _("Ordered")
        SENT = "sent", _("Sent")
        DELIVERED = "delivered", _("Delivered")
        CANCELLED = "cancelled", _("Cancelled")

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    token = models.CharField(max_length=32, unique=True, default=new_token)
    #: Places in the shop's range of goods, see ``goods``.
    items = models.JSONField(default=list)
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    started_at = models.DateTimeField(default=clock.now)
    ordered_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        indexes = [models.Index(fields=["contact", "state"], name="smsflow_simulator_cart")]

    def __str__(self) -> str:
        return self.token


class SimulatedDiscount(models.Model):
    """A code that the simulated shop takes off one order. ``key`` is what it was asked for by."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    code = models.CharField(max_length=60)
    kind = models.CharField(max_length=10)
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    minimum = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    ends_at = models.DateTimeField()
    #: The token of the cart that it was used for.
    used_in = models.CharField(max_length=32, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "key"], name="smsflow_simulator_discount"),
            models.UniqueConstraint(fields=["store", "code"], name="smsflow_simulator_code"),
        ]

    def __str__(self) -> str:
        return self.code
