"""``customers/*`` and ``customer.*``: accounts, tags, segments, merges and what somebody has bought in all. Pure."""

from __future__ import annotations

from dataclasses import replace

from smsflow_plugin.events.facts import Happening, Person, PersonFact, Totals, Translation
from smsflow_plugin.integrations.shopify.letter import Letter
from smsflow_plugin.integrations.shopify.people import customer, email_consent, identities, needs_someone


def customer_created(letter: Letter) -> Translation:
    """``customers/create``."""
    customer_id = letter.payload.id("id")
    return _profile(letter, "customer_created", customer_id or letter.stamp(None), "created_at")


def customer_updated(letter: Letter) -> Translation:
    """``customers/update``."""
    return _changed(letter, "customer_updated")


def customer_enabled(letter: Letter) -> Translation:
    """``customers/enable``: the person has chosen a password."""
    return _changed(letter, "customer_enabled")


def customer_disabled(letter: Letter) -> Translation:
    """``customers/disable``."""
    return _changed(letter, "customer_disabled")


def customer_deleted(letter: Letter) -> Translation:
    """``customers/delete``: the shop keeps no profile any more, and neither do we.

    What the person agreed to or refused stays: it is about their number, and proof of what was sent.
    """
    customer_id = letter.payload.id("id") or letter.payload.id("admin_graphql_api_id")
    person = Person(identities=identities(customer=customer_id), forget=True, profile_at=letter.triggered_at)
    happening = Happening("customer_deleted", customer_id, letter.triggered_at)
    return Translation((PersonFact(needs_someone(person, "a customer"), happenings=(happening,)),))


def customers_merged(letter: Letter) -> Translation:
    """``customers/merge``: the shop has made one customer of two."""
    payload = letter.payload
    status = payload.word("status")
    if status and status != "completed":
        return Translation(ignored=f"The shop has not made one customer of the two (status “{status}”).")
    kept = payload.id("admin_graphql_api_customer_kept_id")
    gone = payload.id("admin_graphql_api_customer_deleted_id")
    person = Person(identities=identities(customer=kept), was=identities(customer=gone))
    return Translation((PersonFact(needs_someone(person, "two customers who are one")),))


def purchasing_summary(letter: Letter) -> Translation:
    """``customers/purchasing_summary``: what somebody has bought in all, also before the shop knew us."""
    payload = letter.payload
    totals = Totals(
        payload.count("numberOfOrders"), payload.object("amountSpent").money("amount"), letter.time("occurredAt")
    )
    person = Person(identities=_who(letter), totals=totals)
    return Translation((PersonFact(needs_someone(person, "what a customer has bought")),))


def email_consent_changed(letter: Letter) -> Translation:
    """``customers_email_marketing_consent/update``."""
    person = Person(
        identities=identities(customer=letter.payload.id("customer_id") or letter.payload.id("id")),
        email_consent=email_consent(letter.payload),
    )
    needs_someone(person, "a customer who agreed to e-mails or refused them")
    return Translation(facts=(PersonFact(person),))


def tags_added(letter: Letter) -> Translation:
    """``customer.tags_added``: since its version 2025-01 a profile no longer holds them."""
    return _tags(letter, tags_added=tuple(letter.payload.texts("tags")))


def tags_removed(letter: Letter) -> Translation:
    """``customer.tags_removed``."""
    return _tags(letter, tags_removed=tuple(letter.payload.texts("tags")))


def segment_joined(letter: Letter) -> Translation:
    """``customer.joined_segment``."""
    return _segment(letter, "shop_segment_joined")


def segment_left(letter: Letter) -> Translation:
    """``customer.left_segment``."""
    return _segment(letter, "shop_segment_left")


def _segment(letter: Letter, kind: str) -> Translation:
    person = needs_someone(Person(identities=_who(letter)), "a segment of customers")
    segment = letter.payload.id("segment_id") or letter.payload.id("segmentId")
    if not segment:
        return Translation(ignored="It does not say which segment it is about.")
    at = letter.time("occurredAt", "occurred_at")
    # the body says no time, and people come and go; a repeated delivery keeps the header of the first
    key = f"{person.identities[0][1]}:{segment}:{at.isoformat()}"
    happening = Happening(kind, key, at, data={"shop_segment": {"id": segment, "name": None}})
    return Translation((PersonFact(person, happenings=(happening,)),))


def _changed(letter: Letter, kind: str) -> Translation:
    stamp = letter.stamp(letter.payload.time("updated_at"))
    return _profile(letter, kind, f"{letter.payload.id('id')}:{stamp}", "updated_at")


def _profile(letter: Letter, kind: str, key: str, when: str) -> Translation:
    person, number = customer(letter)
    needs_someone(person, "a customer")
    happening = Happening(kind, key, letter.time(when, "updated_at"), data=number.note)
    return Translation(facts=(PersonFact(person, happenings=(happening,)),))


def _tags(letter: Letter, **changed: tuple[str, ...]) -> Translation:
    person = replace(Person(identities=_who(letter)), **changed)
    needs_someone(person, "a customer's tags")
    return Translation(facts=(PersonFact(person),))


def _who(letter: Letter) -> tuple[tuple[str, str], ...]:
    return identities(customer=letter.payload.id("customerId") or letter.payload.id("customer_id"))
