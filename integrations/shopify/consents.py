"""Who agreed to texts, and who took it back. Pure.

Only two things in Shopify are consent to texts: a customer's SMS marketing state, and
the box ticked in a checkout, together with the number that was given for it. A number
on an order or an address is not.
"""

from __future__ import annotations

from datetime import datetime

from smsflow_plugin.audience.consent import CONFIRMED
from smsflow_plugin.events.facts import Consent, Happening, Person, PersonFact, Translation
from smsflow_plugin.integrations.shopify.letter import Letter
from smsflow_plugin.integrations.shopify.people import Number, identities, needs_someone, number_at

GRANTED, PENDING, REVOKED = "granted", "pending", "revoked"
_ACTIONS = {"subscribed": GRANTED, "pending": PENDING, "unsubscribed": REVOKED, "redacted": REVOKED}


def marketing_consent(letter: Letter) -> Translation:
    """``customers_marketing_consent/update``."""
    payload = letter.payload
    given = payload.object("sms_marketing_consent")
    state = given.word("state")
    action = _ACTIONS.get(state)
    if action is None:
        return Translation(ignored=f"The customer has neither agreed to texts nor refused them (state “{state}”).")
    phone = number_at(letter, payload, "phone")
    person = needs_someone(
        Person(identities=identities(customer=payload.id("id")), phone=phone.e164), "a customer who agreed or refused"
    )
    if phone.e164 is None and action != REVOKED:
        # consent is given for a number; refusing needs none
        return Translation(ignored=f"The customer agreed to texts without a number that can be texted{_quote(phone)}.")
    at = given.time("consent_updated_at")
    consent = Consent(
        action=action,
        scope="all" if state == "redacted" else "marketing",
        source="shopify_customer",
        effective_at=at or letter.triggered_at,
        key=f"shopify:customer:{payload.id('id') or phone.e164}:{letter.stamp(at)}:{action}",
        evidence={
            "state": state,
            "opt_in_level": given.text("opt_in_level"),
            "collected_from": given.text("consent_collected_from"),
            "customer": payload.id("id"),
            "delivery": letter.raw.external_id,
            **phone.note,
        },
        dated=at is not None,
        level=CONFIRMED if given.word("opt_in_level") == "confirmed_opt_in" else "",
    )
    return Translation(facts=(PersonFact(person, (consent,), happenings_of(consent)),))


def checkout_consent(letter: Letter, token: str) -> tuple[Consent, Number] | None:
    """Return the consent given in a checkout and its number, or None.

    A checkout is updated at every keystroke, but consents once for each number. Taking
    the tick away is no refusal: nothing had been sent in between that could be refused.
    """
    payload = letter.payload
    if not payload.is_true("buyer_accepts_sms_marketing"):
        return None
    phone = number_at(letter, payload, "sms_marketing_phone")
    if phone.e164 is None:
        return None
    at: datetime = letter.time("updated_at", "created_at")
    consent = Consent(
        action=GRANTED,
        scope="marketing",
        source="shopify_checkout",
        effective_at=at,
        key=f"shopify:checkout:{token or letter.stamp(at)}:{phone.e164}",
        evidence={"checkout": token, "delivery": letter.raw.external_id},
    )
    return consent, phone


def happenings_of(consent: Consent) -> tuple[Happening, ...]:
    """Return what flows see of a consent."""
    kind = {GRANTED: "opted_in", PENDING: "opt_in_requested", REVOKED: "opted_out"}[consent.action]
    data = {"source": consent.source} if kind == "opted_in" else {}
    return (Happening(kind, consent.key, consent.effective_at, data=data),)


def _quote(phone: Number) -> str:
    return f" (“{phone.unusable}”)" if phone.unusable else ""
