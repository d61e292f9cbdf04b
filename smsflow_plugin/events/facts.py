"""What a delivery says, in the core's own words. Plain values, no vendor, no database.

A translator (one per source, see ``SMSFLOW["TRANSLATORS"]``) is a pure function::

    def translate(raw: RawDelivery, store: StoreInfo) -> Translation

It must tolerate missing keys. What it cannot understand it refuses with
``CannotUnderstand``, and the delivery is parked with that sentence for a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from smsflow_plugin.audience.consent import Consent
from smsflow_plugin.events.reports import Cause, ReportStatus


class CannotUnderstand(Exception):
    """The delivery makes no sense. The message is a sentence for the person who looks into it."""


@dataclass(frozen=True, slots=True)
class RawDelivery:
    """A stored delivery. ``headers`` has lower-case names."""

    source: str
    topic: str
    external_id: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What a translator may know of the store.

    ``gone``: the shop took its app away. ``connected_at``: since when the source of the delivery is connected.
    """

    country: str
    timezone: str
    language: str
    currency: str
    gone: bool = False
    connected_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Everything in a delivery that names one person. All of it may be missing.

    ``identities`` are (kind, value) pairs with kinds of ``audience.models.Identity``;
    ``phone`` is E.164. Profile fields are None when the delivery does not speak of
    them, and empty when it says that there is none. ``profile_at`` is the vendor's
    time of this profile: an older one never overwrites a newer. ``owns_phone`` says
    that the number is the customer's own (their profile); elsewhere, on an order, it
    may be somebody else's and only helps to find a person who is not known otherwise.
    ``mailbox`` names everybody in the store who has this e-mail address, where nothing else names anybody; it makes
    nobody known who was not.
    """

    identities: tuple[tuple[str, str], ...] = ()
    phone: str | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    language: str | None = None
    country: str | None = None
    province: str | None = None
    postcode: str | None = None
    tags: tuple[str, ...] | None = None
    profile_at: datetime | None = None
    owns_phone: bool = False
    email_consent: str | None = None
    tags_added: tuple[str, ...] = ()
    tags_removed: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    was: tuple[tuple[str, str], ...] = ()
    forget: bool = False
    totals: Totals | None = None
    mailbox: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """How much somebody has bought in all, as the vendor counts it: since long before it knew us."""

    orders: int
    spent: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Happening:
    """An event to be recorded, see ``events.models.Event`` and ``events.kinds``."""

    kind: str
    key: str
    occurred_at: datetime
    subject: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PersonFact:
    """Something about one person: who it is, what they agreed to, what happened."""

    person: Person
    consents: tuple[Consent, ...] = ()
    happenings: tuple[Happening, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one text. At least one of ``reference`` and ``provider_id`` is set.

    ``cause`` says why it did not arrive, ``code`` the same in the vendor's own numbers. ``channel`` is how it
    travelled, where the vendor says so; ``parts`` what the vendor counts.
    """

    to: str
    status: ReportStatus
    at: datetime
    reference: str = ""
    provider_id: str = ""
    code: int | None = None
    parts: int | None = None
    channel: str = ""
    cause: Cause = Cause.UNKNOWN


@dataclass(frozen=True, slots=True)
class Inbound:
    """A text from a person."""

    external_id: str
    sender: str
    to: str
    body: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StockFact:
    """What a shop says of one variant of a product; ``said_at`` is the shop's own time of it.

    What is None is not spoken of. ``price`` is a decimal number in the store's currency.
    ``counted`` is False where the shop does not count what it has: there is always some.
    """

    variant_id: str
    said_at: datetime
    product_id: str | None = None
    title: str | None = None
    variant: str | None = None
    url: str | None = None
    price: str | None = None
    available: int | None = None
    counted: bool = True


@dataclass(frozen=True, slots=True)
class StoreGone:
    """The shop took its app away: nothing may be sent for it any more."""

    at: datetime


@dataclass(frozen=True, slots=True)
class StoreWord:
    """What concerns the shop itself, or only its adapter, and no person that is known yet.

    It is handed to whoever listens for ``kind``, see ``events.words``.
    """

    kind: str
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)


Fact = PersonFact | Report | Inbound | StockFact | StoreGone | StoreWord


@dataclass(frozen=True, slots=True)
class Translation:
    """All facts of one delivery; ``ignored`` says why there are none."""

    facts: tuple[Fact, ...] = ()
    ignored: str = ""


class Translator(Protocol):
    def __call__(self, raw: RawDelivery, store: StoreInfo) -> Translation: ...
