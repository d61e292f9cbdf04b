"""What the simulator remembers: how far its time is ahead, and what lies in whose cart."""

from __future__ import annotations

import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.models import Contact


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
