"""Somebody of a made-up year, and what befell them. Plain values: nothing here knows the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from smsflow_plugin.models import Contact, FlowVersion


@dataclass
class Text:
    """A text and all that came of it. ``about`` is its flow, version, step and variant, as the truth sorts them."""

    contact: Contact
    at: datetime
    flow: str = ""
    step: str = ""
    variant: str = ""
    kind: str = "marketing"
    purpose: str = "flow"
    key: str = ""
    pk: int = 0
    run: int | None = None
    state: str = "delivered"
    accepted_at: datetime | None = None
    finished_at: datetime | None = None
    clicks: list[datetime] = field(default_factory=list)
    replied_at: datetime | None = None
    opted_out_at: datetime | None = None
    parts: int = 1
    about: tuple[Any, ...] = ()


@dataclass
class Order:
    """An order, which may be paid with another sum than it was placed with, and come back in parts."""

    name: str
    at: datetime
    total: Decimal
    currency: str
    paid_at: datetime | None = None
    paid: Decimal | None = None
    refunds: list[tuple[datetime, Decimal]] = field(default_factory=list)
    cancelled_at: datetime | None = None

    @property
    def left(self) -> Decimal:
        """What the shop has of it in the end."""
        total = self.total if self.paid is None else self.paid
        return max(total - sum((amount for _at, amount in self.refunds), Decimal(0)), Decimal(0))


@dataclass
class Run:
    """How somebody went through a flow."""

    contact: Contact
    flow: str
    version: FlowVersion
    key: str
    entered_at: datetime
    finished_at: datetime | None
    status: str


@dataclass
class Person:
    """Somebody and their year."""

    contact: Contact
    joined: datetime
    texts: list[Text] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    #: (experiment, arm, at)
    shown: list[tuple[str, str, datetime]] = field(default_factory=list)
    #: (action, at)
    said: list[tuple[str, datetime]] = field(default_factory=list)
    #: When they opted out.
    gone: datetime | None = None
