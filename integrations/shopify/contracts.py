"""``subscription_contracts/*`` and ``subscription_billing_attempts/*``. Pure.

Shopify tells an app only of the contracts that it has made itself.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from smsflow_plugin.events.facts import Happening, Person, PersonFact, Translation
from smsflow_plugin.integrations.shopify.letter import Letter
from smsflow_plugin.integrations.shopify.people import identities, needs_someone


def _contract(letter: Letter, kind: str) -> Translation:
    payload = letter.payload
    contract_id = payload.id("id") or payload.id("admin_graphql_api_id")
    person = Person(
        identities=identities(
            customer=payload.id("customer_id") or payload.id("admin_graphql_api_customer_id"),
            contract=contract_id,
            order=payload.id("origin_order_id") or payload.id("admin_graphql_api_origin_order_id"),
        )
    )
    needs_someone(person, "a subscription")
    # a contract goes on and is paused again: each time it has another revision
    revision = payload.id("revision_id") or letter.stamp(payload.time("updated_at"))
    happening = Happening(
        kind,
        f"{contract_id}:{revision}",
        letter.time("updated_at"),
        contract_id,
        _data(contract_id),
    )
    return Translation((PersonFact(person, happenings=(happening,)),))


def _billing(letter: Letter, kind: str) -> Translation:
    payload = letter.payload
    contract_id = payload.id("subscription_contract_id") or payload.id("admin_graphql_api_subscription_contract_id")
    if not contract_id:
        return Translation(ignored="It does not say which subscription it is about.")
    attempt = payload.id("id") or payload.id("admin_graphql_api_id") or letter.stamp(None)
    person = Person(identities=identities(contract=contract_id, order=payload.id("order_id")))
    reason = payload.word("error_code") or None
    happening = Happening(kind, attempt, letter.time("updated_at"), contract_id, _data(contract_id, reason))
    return Translation((PersonFact(person, happenings=(happening,)),))


def _data(contract_id: str, reason: str | None = None) -> dict[str, Any]:
    told = {"id": contract_id, "title": None, "reason": reason, "next_order_at": None, "url": None}
    return {"subscription": told}


started = partial(_contract, kind="subscription_started")
resumed = partial(_contract, kind="subscription_resumed")
paused = partial(_contract, kind="subscription_paused")
cancelled = partial(_contract, kind="subscription_cancelled")
failed = partial(_contract, kind="subscription_failed")
expired = partial(_contract, kind="subscription_expired")
paid = partial(_billing, kind="subscription_paid")
unpaid = partial(_billing, kind="subscription_unpaid")
challenged = partial(_billing, kind="subscription_challenged")
