"""``fulfillments/*``, ``fulfillment_events/create`` and what is ready to be picked up. Pure.

Neither says whose parcel it is, only which order it belongs to; the recipient may be
somebody else than the customer.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from smsflow_plugin.events.facts import CannotUnderstand, Happening, Person, PersonFact, StoreWord, Translation
from smsflow_plugin.integrations.shopify.letter import Letter
from smsflow_plugin.integrations.shopify.people import identities

_NOT_SENT = ("cancelled", "error", "failure")
_REPORTED = {"delivered": "parcel_delivered", "ready_for_pickup": "pickup_ready"}
_ONCE = frozenset(_REPORTED.values())
_ONLY_PAPER = ("label_printed", "label_purchased")


def parcel_sent(letter: Letter) -> Translation:
    """A parcel, or what else an order was fulfilled with, has left; or more is known about one.

    The tracking number often comes later than the parcel. What a newer report says again was said before.
    """
    payload = letter.payload
    order_id = _order_id(letter)
    status = payload.word("status")
    if status in _NOT_SENT:
        return Translation(ignored=f"The parcel has not been sent (status “{status}”).")
    parcel_id = payload.id("id") or payload.id("admin_graphql_api_id")
    number = payload.text("tracking_number")
    seen = payload.word("shipment_status")
    parcel = {
        "fulfillment_id": parcel_id or None,
        # "#1001.2" is the second parcel of the order "#1001"
        "order_name": payload.text("name").rpartition(".")[0] or None,
        "status": seen or status or None,
        "tracking_company": payload.text("tracking_company") or None,
        "tracking_number": number or None,
        "tracking_url": payload.url("tracking_url"),
    }
    data = _data(order_id, parcel)
    sent_at = letter.time("created_at", "updated_at")
    key = parcel_id or f"{order_id}:{letter.stamp(payload.time('created_at'))}"
    happenings = [Happening("parcel_sent", key, sent_at, order_id, data)]
    changed_at = letter.time("updated_at", "created_at")
    if number:
        happenings.append(Happening("parcel_tracked", f"{key}:{number}", changed_at, order_id, data))
    if seen == "delivered" and parcel_id:
        happenings.append(Happening("parcel_delivered", parcel_id, changed_at, order_id, data))
    return _of_order(order_id, *happenings)


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
    kind = _REPORTED.get(status, "parcel_moved")
    happening = Happening(
        kind=kind,
        # a parcel is delivered once, however often its carrier says so
        key=parcel_id if kind in _ONCE and parcel_id else report_id,
        occurred_at=letter.time("happened_at", "created_at"),
        subject=order_id,
        data=_data(order_id, {"fulfillment_id": parcel_id or None, "status": status}),
    )
    return _of_order(order_id, happening)


def pickup_ready(letter: Letter) -> Translation:
    """What somebody has ordered lies ready in the shop. It says which part of an order, but not of which order."""
    part = letter.payload.object("fulfillment_order")
    part_id, order_id = part.id("id"), part.id("order_id")
    if order_id:
        return _of_order(order_id, pickup(order_id, part_id or letter.stamp(None), letter.triggered_at))
    if not part_id:
        raise CannotUnderstand("It speaks of something to be picked up, but does not say of what.")
    return Translation(facts=(StoreWord("pickup_ready", letter.triggered_at, {"part": part_id}),))


def pickup(order_id: str, part_id: str, at: datetime) -> Happening:
    """Return that a part of an order can be picked up."""
    return Happening(
        "pickup_ready", part_id, at, order_id, _data(order_id, {"fulfillment_id": None, "status": "ready"})
    )


def _order_id(letter: Letter) -> str:
    order_id = letter.payload.id("order_id")
    if not order_id:
        raise CannotUnderstand("It speaks of a parcel, but does not say of which order.")
    return order_id


def _data(order_id: str, parcel: dict[str, Any]) -> dict[str, Any]:
    blank = dict.fromkeys(("order_name", "tracking_company", "tracking_number", "tracking_url"))
    return {"parcel": {"order_id": order_id, **blank, **parcel}}


def _of_order(order_id: str, *happenings: Happening) -> Translation:
    person = Person(identities=identities(order=order_id))
    return Translation(facts=(PersonFact(person, happenings=happenings),))
