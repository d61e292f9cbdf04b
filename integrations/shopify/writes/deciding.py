"""Is Shopify to be told what somebody agreed to? Pure: both sides as they are now, and what we wrote before."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from smsflow_plugin.audience.consent import CONFIRMED, GRANTED, PENDING, REVOKED

#: Our words for Shopify's states. What is missing there cannot be written.
STATES = {GRANTED: "SUBSCRIBED", PENDING: "PENDING", REVOKED: "UNSUBSCRIBED"}
OURS = {state: word for word, state in STATES.items()}

_CONFIRMED, _SINGLE = "CONFIRMED_OPT_IN", "SINGLE_OPT_IN"


class Verdict(StrEnum):
    """What is to be done; all but the first two are values of ``Write.Outcome``, with which it ends."""

    WRITE = "write"
    #: The customer needs a number first, and the store lets us write it.
    WRITE_PHONE = "write_phone"
    SAME = "same"
    NO_PHONE = "no_phone"
    OTHER_PHONE = "other_phone"
    NEWER = "newer"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Ours:
    """What the contact agreed to, and when. ``state`` is that of ``ConsentState.marketing``."""

    phone: str | None
    state: str
    level: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Theirs:
    """What Shopify knows of the customer's number, in its own words; no ``phone``: it has none."""

    phone: str = ""
    state: str = "NOT_SUBSCRIBED"
    level: str = ""
    at: datetime | None = None


Sent = tuple[str, str]


def decide(ours: Ours, theirs: Theirs, sent: Collection[Sent], *, may_write_phone: bool = False) -> Verdict:
    """Return what is to be done. ``sent`` is what we wrote before, see ``stamp``.

    Consent is for one number: it is never written to another. What Shopify heard later than us stands, unless
    it heard it from us.
    """
    wanted = STATES.get(ours.state)
    if wanted is None or ours.at is None or not ours.phone or theirs.state == "REDACTED":
        return Verdict.NOTHING
    if not theirs.phone:
        if ours.state == REVOKED:
            return Verdict.NOTHING  # nobody can be texted there
        return Verdict.WRITE_PHONE if may_write_phone else Verdict.NO_PHONE
    if theirs.phone != ours.phone:
        return Verdict.OTHER_PHONE
    if theirs.state == wanted and not (ours.level == CONFIRMED and theirs.level != _CONFIRMED):
        return Verdict.SAME
    if ours.state == PENDING and theirs.state != "NOT_SUBSCRIBED":
        return Verdict.NOTHING  # a question takes back no answer: anybody can type a number into a form
    own = OURS.get(theirs.state)
    heard_from_us = own is not None and theirs.at is not None and stamp(own, theirs.at) in sent
    if theirs.at is not None and not heard_from_us and second(theirs.at) > second(ours.at):
        return Verdict.NEWER
    return Verdict.WRITE


def consent_input(ours: Ours, now: datetime) -> dict[str, str]:
    """Return what is written: ``CustomerSmsMarketingConsentInput``."""
    given = {"marketingState": STATES[ours.state], "consentUpdatedAt": written_at(ours, now)}
    if ours.state == GRANTED:
        given["marketingOptInLevel"] = _CONFIRMED if ours.level == CONFIRMED else _SINGLE
    elif ours.state == PENDING:
        given["marketingOptInLevel"] = _CONFIRMED  # what it waits for is the confirmation
    return given


def written_at(ours: Ours, now: datetime) -> str:
    """Return the time of the statement as Shopify takes it: in whole seconds, and not in its future."""
    return second(min(ours.at or now, now)).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp(state: str, at: datetime) -> Sent:
    """Return what a statement in Shopify is recognised by: our word for its state, and the second."""
    return state, second(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def second(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)
