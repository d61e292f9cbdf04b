"""``checkouts/create`` and ``checkouts/update``. Pure."""

from __future__ import annotations

from smsflow_plugin.events.facts import Happening, PersonFact, Translation
from smsflow_plugin.integrations.shopify.consents import checkout_consent, happenings_of
from smsflow_plugin.integrations.shopify.goods import goods
from smsflow_plugin.integrations.shopify.letter import Letter
from smsflow_plugin.integrations.shopify.people import Number, buyer, needs_someone


def checkout(letter: Letter) -> Translation:
    """A checkout was started or changed. One that was completed is an order, and no cart to come back to."""
    payload = letter.payload
    # since API 2026-04 a checkout has no id any more
    token = payload.token("token") or payload.id("id")
    agreed = checkout_consent(letter, token)
    consents = (agreed[0],) if agreed else ()
    person, number = buyer(letter, agreed_number=agreed[1] if agreed else None, checkout=token, cart=payload.cart())
    needs_someone(person, "a checkout")
    happenings = tuple(happening for consent in consents for happening in happenings_of(consent))
    if payload.time("completed_at") is None:
        happenings += (_changed(letter, token or payload.cart(), number),)
    return Translation(facts=(PersonFact(person, consents, happenings),))


def _changed(letter: Letter, subject: str, number: Number) -> Happening:
    updated_at = letter.payload.time("updated_at")
    return Happening(
        kind="checkout_updated",
        key=f"{subject}:{letter.stamp(updated_at)}",
        subject=subject,
        occurred_at=letter.time("updated_at", "created_at"),
        data={"cart": {"url": letter.payload.url("abandoned_checkout_url"), **goods(letter)}, **number.note},
    )
