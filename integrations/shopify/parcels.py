"""``fulfillments/create`` and ``fulfillment_events/create``. Pure.

Neither says whose parcel it is, only which order it belongs to; the recipient may be
somebody else than the customer.
"""

from __future__ import annotations

from typing import Any

from smsflow_plugin.events.facts import CannotUnderstand, Happening, Person, PersonFact, Translation
from smsflow_plugin.integrations.shopify.letter import Letter
from smsflow_plugin.integrations.shopify.people import identities

_NOT_SENT = ("cancelled", "error", "failure")
_ONLY_PAPER = ("label_printed", "label_purchased")


def parcel_sent(letter: Letter) -> Translation:
    """A parcel, or what else an order was fulfilled with, has left."""
    payload = letter.payload
    order_id = _order_id(letter)
    status = payload.word("status")
    if status in _NOT_SENT:
        return Translation(ignored=f"The parcel has not been sent (status “{status}”).")
    parcel_id = payload.id("id") or payload.id("admin_graphql_api_id")
    parcel = {
        "fulfillment_id": parcel_id or None,
        # "#1001.2" is the second parcel of the order "#1001"
        "order_name": payload.text("name").rpartition(".")[0] or None,
        "status": payload.word("shipment_status") or status or None,
        "tracking_company": payload.text("tracking_company") or None,
        "tracking_number": payload.text("tracking_number") or None,
        "tracking_url": payload.url("tracking_url"),
    }
    happening = Happening(
        kind="parcel_sent",
        key=parcel_id or f"{order_id}:{letter.stamp(payload.time('created_at'))}",
        occurred_at=letter.time("created_at", "updated_at"),
        subject=order_id,
        data=_data(order_id, parcel),
    )
    return _of_order(order_id, happening)


def parcel_moved(letter: Letter) -> Translation:
    """The carrier has seen a parcel. Not every carrier says so, and some say it twice."""
    payload = letter.payload
    order_id = _order_id(letter)
    status = payload.word("status")
    if not status:
        return Translation(ignored="The carrier's report does not say what became of the parcel.")
    if status in _ONLY_PAPER:
        return Translation(ignored=f"The parcel has not moved yet (status “{status}”).")
    parcel_id = payload.id("fulfillment_id")
    report_id = payload.id("id") or f"{parcel_id or order_id}:{status}:{letter.stamp(payload.time('happened_at'))}"
    delivered = status == "delivered"
    happening = Happening(
        kind="parcel_delivered" if delivered else "parcel_moved",
        # a parcel is delivered once, however often its carrier says so
        key=parcel_id if delivered and parcel_id else report_id,
        occurred_at=letter.time("happened_at", "created_at"),
        subject=order_id,
        data=_data(order_id, {"fulfillment_id": parcel_id or None, "status": status}),
    )
    return _of_order(order_id, happening)


def _order_id(letter: Letter) -> str:
    order_id = letter.payload.id("order_id")
    if not order_id:
        raise CannotUnderstand("It speaks of a parcel, but does not say of which order.")
    return order_id


def _data(order_id: str, parcel: dict[str, Any]) -> dict[str, Any]:
    blank = dict.fromkeys(("order_name", "tracking_company", "tracking_number", "tracking_url"))
    return {"parcel": {"order_id": order_id, **blank, **parcel}}


def _of_order(order_id: str, happening: Happening) -> Translation:
    person = Person(identities=identities(order=order_id))
    return Translation(facts=(PersonFact(person, happenings=(happening,)),))
