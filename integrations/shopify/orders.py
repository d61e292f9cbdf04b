"""``orders/*`` and ``refunds/create``. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from smsflow_plugin.events.facts import CannotUnderstand, Happening, Person, PersonFact, Translation
from smsflow_plugin.integrations.shopify.goods import goods
from smsflow_plugin.integrations.shopify.letter import Letter
from smsflow_plugin.integrations.shopify.people import Number, buyer, identities, needs_someone

TEST_ORDER = "This is a test order. Nobody is texted about it."

#: An order processed longer than this before it was created was brought in from elsewhere.
IMPORTED = timedelta(hours=48)


def order_created(letter: Letter) -> Translation:
    """An order was placed: now, or long ago in a shop system that it is imported from."""
    return _order(letter, "order_created", _placed_at(letter))


def order_paid(letter: Letter) -> Translation:
    """An order was paid, which may be heard of before the order itself."""
    placed_at = _placed_at(letter)
    imported = letter.time("created_at") - placed_at > IMPORTED
    return _order(letter, "order_paid", placed_at if imported else letter.time("updated_at", "processed_at"))


def order_cancelled(letter: Letter) -> Translation:
    """An order was cancelled."""
    return _order(letter, "order_cancelled", letter.time("cancelled_at", "updated_at"))


def order_fulfilled(letter: Letter) -> Translation:
    """Everything of an order was sent."""
    return _order(letter, "order_fulfilled", letter.time("updated_at", "processed_at"))


def order_known(letter: Letter) -> Translation:
    """An order was touched in any way: it says whose it is, and nothing that flows could use.

    Its other topics say what happened. Whether the shop has just placed it or only tagged an old
    one, nobody can tell from this one.
    """
    payload = letter.payload
    if payload.is_true("test"):
        return Translation(ignored=TEST_ORDER)
    person, _number = _buyer(letter)
    return Translation(facts=(PersonFact(needs_someone(person, "an order")),))


def order_edited(letter: Letter) -> Translation:
    """Somebody in the shop has changed what was ordered."""
    edit = letter.payload.object("order_edit")
    order_id = edit.id("order_id")
    if not order_id:
        raise CannotUnderstand("It speaks of a changed order, but does not say of which.")
    at = edit.time("committed_at") or edit.time("created_at")
    happening = Happening(
        "order_edited",
        edit.id("id") or f"{order_id}:{letter.stamp(at)}",
        at or letter.triggered_at,
        order_id,
        {"order": {"id": order_id}},
    )
    return Translation(facts=(PersonFact(Person(identities=identities(order=order_id)), happenings=(happening,)),))


def order_refunded(letter: Letter) -> Translation:
    """Money went back. A refund says only of which order; what that was is not repeated."""
    payload = letter.payload
    order_id = payload.id("order_id")
    if not order_id:
        raise CannotUnderstand("It speaks of a refund, but does not say of which order.")
    paid_back = [t.money("amount") for t in payload.objects("transactions") if t.word("kind") in ("", "refund")]
    if not paid_back:
        paid_back = [line.money("subtotal") for line in payload.objects("refund_line_items")]
    total = sum((Decimal(amount) for amount in paid_back if amount), Decimal(0))
    order = {
        "name": None, "url": None, "source": None, "total": None, "currency": letter.store.currency, "item_count": None,
        "first_item": None, "lines": [], "discount_codes": [], "refunded": f"{total:.2f}",
    }  # fmt: skip
    happening = Happening(
        "order_refunded",
        payload.id("id") or f"{order_id}:{letter.stamp(None)}",
        letter.time("processed_at", "created_at"),
        order_id,
        {"order": order},
    )
    return Translation(facts=(PersonFact(Person(identities=identities(order=order_id)), happenings=(happening,)),))


def _buyer(letter: Letter) -> tuple[Person, Number]:
    payload = letter.payload
    return buyer(
        letter,
        order=payload.id("id") or payload.id("admin_graphql_api_id"),
        checkout=payload.token("checkout_token"),
        cart=payload.cart(),
    )


def _order(letter: Letter, kind: str, occurred_at: datetime) -> Translation:
    payload = letter.payload
    if payload.is_true("test"):
        return Translation(ignored=TEST_ORDER)
    order_id = payload.id("id") or payload.id("admin_graphql_api_id")
    person, number = _buyer(letter)
    needs_someone(person, "an order")
    if kind != "order_cancelled" and payload.time("cancelled_at"):
        # born dead: whose it is may be of use, but nobody is thanked for it
        return Translation(facts=(PersonFact(person),))
    data = {
        "order": {
            "name": payload.text("name") or None,
            "url": payload.url("order_status_url"),
            "source": payload.text("source_name") or None,
            **goods(letter),
        },
        **number.note,
    }
    subject = order_id or payload.token("checkout_token")
    happening = Happening(kind, subject or letter.stamp(None), occurred_at, subject, data)
    return Translation(facts=(PersonFact(person, happenings=(happening,)),))


def _placed_at(letter: Letter) -> datetime:
    """Return when the customer ordered. Imported orders are created today, but processed long ago."""
    return min(letter.time("created_at"), letter.time("processed_at", "created_at"))
