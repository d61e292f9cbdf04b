"""What a help desk says of a case, in the core's own words. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberFormat

from smsflow_plugin.events.facts import (
    CannotUnderstand,
    Happening,
    Person,
    PersonFact,
    RawDelivery,
    StoreInfo,
    Translation,
)

#: What a help desk may say happened, and the kind of event that it is.
EVENTS: Mapping[str, str] = {
    "opened": "case_opened",
    "reopened": "case_opened",
    "updated": "case_updated",
    "closed": "case_closed",
}
MAX_SUBJECT = 200


def translate(raw: RawDelivery, store: StoreInfo) -> Translation:
    """Return the case as something that happened to one person.

    Only an opening may leave its time out: that of ``opened_at`` counts, or when it came.

    :raises CannotUnderstand: if it names no case, no person, or something else happened.
    """
    body = _body(raw.body)
    event = _word(body, "event").lower()
    kind = EVENTS.get(event)
    if kind is None:
        raise CannotUnderstand(f"“event” must be one of {', '.join(EVENTS)}, not “{event[:40]}”.")
    case = _word(body, "case")
    if not case:
        raise CannotUnderstand("“case” is missing: the number of the case.")
    data = {"id": case, "title": _word(body, "subject")[:MAX_SUBJECT] or None, "url": _word(body, "url") or None}
    happening = Happening(
        kind, f"helpdesk:{raw.external_id}", _time(body, event, raw.received_at), subject=case, data={"case": data}
    )
    return Translation((PersonFact(_person(body, store), (), (happening,)),))


def _body(raw: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise CannotUnderstand("It is no JSON.") from None
    if not isinstance(body, dict):
        raise CannotUnderstand("It is no JSON object.")
    return body


def _word(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None or isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return str(value).strip()


def _time(body: Mapping[str, Any], event: str, received_at: datetime) -> datetime:
    """Return when it happened: "at" if it is said; of an opening "opened_at"; else when we heard of it."""
    names = ("at", "opened_at") if event == "opened" else ("at",)
    text = next((word for name in names if (word := _word(body, name))), "")
    if not text:
        return received_at
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CannotUnderstand(f"“{text[:40]}” is no time; write it as 2026-03-12T09:30:00Z.") from None
    try:
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        raise CannotUnderstand(f"“{text[:40]}” is no time of this world.") from None
    # a help desk whose clock is fast tells of nothing that is still to come
    return min(at, received_at)


def _person(body: Mapping[str, Any], store: StoreInfo) -> Person:
    contact = body.get("contact")
    contact = contact if isinstance(contact, dict) else {}
    customer = _word(contact, "customer_id").rpartition("/")[2]
    phone = _phone(_word(contact, "phone"), store.country)
    email = _word(contact, "email")
    if customer or phone:
        return Person(identities=(("customer", customer),) if customer else (), phone=phone)
    if "@" in email:
        return Person(mailbox=email[:254])
    raise CannotUnderstand("“contact” names nobody: give “customer_id”, “phone” or “email”.")


def _phone(text: str, country: str) -> str | None:
    if not text or len(text) > 40:
        return None
    try:
        number = phonenumbers.parse(text, country.upper() or None)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
