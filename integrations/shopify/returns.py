"""``returns/*``. Pure. A return names its order, and nobody."""

from __future__ import annotations

from functools import partial

from smsflow_plugin.events.facts import CannotUnderstand, Happening, Person, PersonFact, Translation
from smsflow_plugin.integrations.shopify.letter import Letter
from smsflow_plugin.integrations.shopify.people import identities


def _returned(letter: Letter, kind: str) -> Translation:
    payload = letter.payload
    order_id = payload.object("order").id("id") or payload.object("order").id("admin_graphql_api_id")
    order_id = order_id or payload.id("order_id")
    return_id = payload.id("id") or payload.id("admin_graphql_api_id")
    if not order_id:
        raise CannotUnderstand("It speaks of a return, but does not say of which order.")
    told = {
        "id": return_id or None,
        "name": payload.text("name") or None,
        "items": payload.count("total_return_line_items"),
        "order_id": order_id,
    }
    happening = Happening(
        kind,
        return_id or f"{order_id}:{letter.stamp(None)}",
        letter.time("updated_at", "created_at"),
        order_id,
        {"return": told},
    )
    return Translation((PersonFact(Person(identities=identities(order=order_id)), happenings=(happening,)),))


requested = partial(_returned, kind="return_requested")
approved = partial(_returned, kind="return_approved")
declined = partial(_returned, kind="return_declined")
