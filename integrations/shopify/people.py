"""Who a payload is about. Pure.

Two kinds of payload speak of people. A customer's own profile is complete: what is
empty there is empty. A checkout or an order says only what somebody typed this time,
so what is missing there says nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from smsflow_plugin.events.facts import CannotUnderstand, Person
from smsflow_plugin.integrations.shopify.letter import Letter
from smsflow_plugin.integrations.shopify.payload import Payload
from smsflow_plugin.integrations.shopify.phones import to_e164

MAX_NAME, MAX_EMAIL, MAX_PROVINCE, MAX_POSTCODE = 100, 254, 10, 20

_EMAIL_CONSENT = {"subscribed": "granted", "pending": "pending", "unsubscribed": "revoked", "redacted": "revoked"}


@dataclass(frozen=True, slots=True)
class Number:
    """A phone number. ``unusable`` is what somebody wrote where no number could be made of it."""

    e164: str | None = None
    unusable: str = ""

    @property
    def note(self) -> dict[str, str]:
        """What event data says of a number that could not be used."""
        return {"unusable_phone": self.unusable} if self.unusable else {}


def customer(letter: Letter) -> tuple[Person, Number]:
    """Read the profile of a customer, from ``customers/create`` and ``customers/update``."""
    payload = letter.payload
    address = payload.object("default_address")
    number = _first_number(letter, (payload, "phone", address))
    return Person(
        identities=identities(customer=payload.id("id")),
        phone=number.e164,
        owns_phone=number.e164 is not None,
        email=_email(payload) if "email" in payload else None,
        first_name=payload.text("first_name", MAX_NAME) if "first_name" in payload else None,
        last_name=payload.text("last_name", MAX_NAME) if "last_name" in payload else None,
        country=country(address) or None,
        province=_province(address) or None,
        postcode=address.text("zip", MAX_POSTCODE) or None,
        tags=_tags(payload) if "tags" in payload else None,
        email_consent=email_consent(payload),
        profile_at=letter.profile_at(),
    ), number


def buyer(letter: Letter, *, agreed_number: Number | None = None, **named: str) -> tuple[Person, Number]:
    """Read who a checkout or an order is from. ``named`` are its own identities, by kind.

    ``agreed_number`` is the number for which the buyer agreed to texts; it goes before
    all others.
    """
    payload = letter.payload
    known = payload.object("customer")
    address = _address(payload)
    number = agreed_number if agreed_number and agreed_number.e164 else _buyers_number(letter, address)
    return Person(
        identities=identities(customer=known.id("id"), **named),
        phone=number.e164,
        email=_email(payload) or _email(payload, "contact_email") or _email(known) or None,
        first_name=(known if _name(known) else address).text("first_name", MAX_NAME) or None,
        last_name=(known if _name(known) else address).text("last_name", MAX_NAME) or None,
        language=_language(payload.text("customer_locale")) or None,
        country=country(address) or None,
        province=_province(address) or None,
        postcode=address.text("zip", MAX_POSTCODE) or None,
        profile_at=letter.profile_at(),
    ), number


def email_consent(payload: Payload) -> str | None:
    """Return whether the customer agreed to e-mails, as ``Contact.Consent``; None if they were never asked."""
    return _EMAIL_CONSENT.get(payload.object("email_marketing_consent").word("state"))


def identities(**values: str) -> tuple[tuple[str, str], ...]:
    """Return the identities that are there, by kind (``audience.models.Identity.Kind``)."""
    return tuple((kind, value) for kind, value in values.items() if value)


def needs_someone(person: Person, what: str) -> Person:
    """Return ``person``.

    :raises CannotUnderstand: if nothing tells who it is. ``what`` is what the payload speaks of.
    """
    if not person.identities and person.phone is None:
        raise CannotUnderstand(f"It speaks of {what}, but holds no id and no phone number that tells whom it is about.")
    return person


def number_at(letter: Letter, payload: Payload, key: str) -> Number:
    """Return the number at ``key``."""
    return _first_number(letter, (payload, key, _address(payload)))


def country(address: Payload) -> str:
    """Return the two letters of an address's country, or ""."""
    code = address.text("country_code").upper()
    return code if re.fullmatch(r"[A-Z]{2}", code, re.ASCII) else ""


def _buyers_number(letter: Letter, address: Payload) -> Number:
    """Return the customer's number, else the one given for this order, else that of the buyer's own address."""
    payload = letter.payload
    known = payload.object("customer")
    own = [a for a in (*_addresses(payload), known.object("default_address")) if _is_own(a, payload)]
    return _first_number(
        letter, (known, "phone", address), (payload, "phone", address), *((a, "phone", a) for a in own)
    )


def _first_number(letter: Letter, *places: tuple[Payload, str, Payload]) -> Number:
    """Return the first usable number of ``places``: (where, key, the address that goes with it)."""
    unusable = ""
    for holder, key, address in places:
        written = holder.text(key)
        found = to_e164(written, *filter(None, (country(address), letter.store.country)))
        if found:
            return Number(found)
        unusable = unusable or written[:40]
    return Number(None, unusable)


def _addresses(payload: Payload) -> tuple[Payload, Payload]:
    return payload.object("shipping_address"), payload.object("billing_address")


def _address(payload: Payload) -> Payload:
    """Return where the buyer lives, as far as the payload knows: their time zone hangs on it."""
    default = payload.object("customer").object("default_address") or payload.object("default_address")
    own = [a for a in _addresses(payload) if _is_own(a, payload)]
    return next((a for a in (*own, default, payload.object("billing_address")) if country(a)), default)


def _is_own(address: Payload, payload: Payload) -> bool:
    """Return whether the address is the buyer's. A gift goes to somebody else, who must not be texted."""
    name = _name(payload.object("customer")) or _name(payload.object("billing_address"))
    return not name or not _name(address) or _name(address) == name


def _name(holder: Payload) -> str:
    return f"{holder.text('first_name')} {holder.text('last_name')}".strip().casefold()


def _email(holder: Payload, key: str = "email") -> str:
    email = holder.text(key)
    return email if "@" in email and len(email) <= MAX_EMAIL else ""


def _province(address: Payload) -> str:
    code = address.text("province_code")
    return code if len(code) <= MAX_PROVINCE else ""


def _language(locale: str) -> str:
    """Return the language of a locale: "da" of "da-DK"."""
    found = re.match(r"[a-z]{2,3}(?![a-z])", locale.lower())
    return found.group() if found else ""


def _tags(payload: Payload) -> tuple[str, ...]:
    # only API versions before 2025-01 send tags, as one text
    return tuple(dict.fromkeys(tag for part in payload.text("tags", 10_000).split(",") if (tag := part.strip())))
