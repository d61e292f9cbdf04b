"""What a person of the demo does in the simulated shop, remembered from cart to parcel."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from smsflow_plugin import clock
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.integrations.simulator import discounts, services, shelves
from smsflow_plugin.integrations.simulator.goods import shelf
from smsflow_plugin.integrations.simulator.models import SimulatedCart, SimulatedDiscount
from smsflow_plugin.integrations.simulator.payload_parts import Cart, ShopInfo, articles_at
from smsflow_plugin.integrations.simulator.people import customer_of
from smsflow_plugin.integrations.simulator.shop import Answer, Post, Shop, over_http
from smsflow_plugin.integrations.simulator.visits import GROUPS, Doing, NotPossible, Visit
from smsflow_plugin.models import Connection, Contact, Store

__all__ = ["DOINGS", "Doing", "NotPossible", "Visit", "buttons_for", "groups_for", "shop_of", "webhook_address"]

State = SimulatedCart.State


def shop_of(store: Store, post: Post = over_http) -> Shop:
    """Return the simulated shop of ``store``, which signs with the secret of its Shopify connection.

    :raises NotPossible: if the store has no such connection, or no secret.
    """
    connection = Connection.objects.filter(store=store, kind="shopify").first()
    if connection is None:
        raise NotPossible(
            _("%(store)s has no Shopify connection, so its shop cannot tell it anything.") % {"store": store}
        )
    secret = connection.secrets.get("secret", "")
    if not secret:
        raise NotPossible(
            _("The Shopify connection of %(store)s has no webhook secret to sign with.") % {"store": store}
        )
    info = ShopInfo(
        domain=connection.account,
        name=store.name,
        currency=store.currency,
        country=store.country,
        timezone=store.timezone,
        language=store.language,
    )
    return Shop(
        info=info, secret=secret, url=webhook_address(), now=clock.now, post=post, own_url=webhook_address("simulator")
    )


def webhook_address(source: str = "shopify") -> str:
    """Return where vendors reach this site's webhooks; "" if the site takes none of this source."""
    try:
        return smsflow_settings.PUBLIC_URL.rstrip("/") + reverse(f"smsflow:{source}:webhooks")
    except NoReverseMatch:
        return ""


def opts_in(visit: Visit) -> list[Answer]:
    return visit.shop.consents(customer_of(visit.contact), subscribed=True)


def requests_texts(visit: Visit) -> list[Answer]:
    return visit.shop.requests_texts(customer_of(visit.contact))


def opts_out(visit: Visit) -> list[Answer]:
    return visit.shop.consents(customer_of(visit.contact), subscribed=False)


def abandons(visit: Visit) -> list[Answer]:
    """Fill a new cart and leave it."""
    row = _new_cart(visit.contact)
    try:
        answers = visit.shop.abandons(customer_of(visit.contact), _cart(row))
    except Exception:
        row.delete()
        raise
    if not answers[0].ok:
        row.delete()
    return answers


def orders(visit: Visit) -> list[Answer]:
    """Buy what was left in the cart, or something new."""
    row = _latest(visit.contact, State.OPEN) or _new_cart(visit.contact)
    row.ordered_at = clock.now()
    code = _use_code(row, visit.said.get("code", ""))
    answers = _move(row, State.ORDERED, visit.shop.orders(customer_of(visit.contact), _cart(row)))
    if code is not None and row.state != State.ORDERED:
        SimulatedDiscount.objects.filter(pk=code.pk).update(used_in="")
    return answers


def cancels(visit: Visit) -> list[Answer]:
    row = _latest(visit.contact, State.ORDERED)
    if row is None or row.ordered_at is None:
        raise NotPossible(_("There is no order that could be cancelled. Press “Orders” first."))
    return _move(row, State.CANCELLED, visit.shop.cancels(customer_of(visit.contact), _cart(row), row.ordered_at))


def parcel_sent(visit: Visit) -> list[Answer]:
    row = _latest(visit.contact, State.ORDERED)
    if row is None:
        raise NotPossible(_("There is no order that could be sent. Press “Orders” first."))
    return _move(row, State.SENT, visit.shop.sends_parcel(customer_of(visit.contact), _cart(row)))


def parcel_delivered(visit: Visit) -> list[Answer]:
    """Deliver the parcel, and send it before if that was not done."""
    row = _latest(visit.contact, State.SENT, State.ORDERED)
    if row is None:
        raise NotPossible(_("There is no parcel on its way. Press “Orders” first."))
    answers = parcel_sent(visit) if row.state == State.ORDERED else []
    if not all(answer.ok for answer in answers):
        return answers
    customer, cart = customer_of(visit.contact), _cart(row)
    return [*answers, *_move(row, State.DELIVERED, visit.shop.delivers_parcel(customer, cart))]


def refunds(visit: Visit) -> list[Answer]:
    row = _latest(visit.contact, State.ORDERED, State.SENT, State.DELIVERED, State.CANCELLED)
    if row is None:
        raise NotPossible(_("There is no order that could be paid back. Press “Orders” first."))
    return visit.shop.refunds(customer_of(visit.contact), _cart(row))


def parcel_out(visit: Visit) -> list[Answer]:
    row = _latest(visit.contact, State.SENT)
    if row is None:
        raise NotPossible(_("There is no parcel on its way. Press “Parcel sent” first."))
    return visit.shop.parcel_is_out(customer_of(visit.contact), _cart(row))


def pickup_ready(visit: Visit) -> list[Answer]:
    """The order lies ready at the shop."""
    row = _latest(visit.contact, State.ORDERED)
    if row is None:
        raise NotPossible(_("There is no order that could be picked up. Press “Orders” first."))
    cart = _cart(row)
    parcel = {
        "order_id": str(cart.order_id),
        "order_name": cart.name,
        "fulfillment_id": None,
        "status": "ready_for_pickup",
        "tracking_company": None,
        "tracking_number": None,
        "tracking_url": None,
    }
    return visit.shop.reports(
        customer_of(visit.contact),
        "pickup_ready",
        key=str(cart.order_id),
        subject=str(cart.order_id),
        data={"parcel": parcel},
    )


_BOUGHT = (str(State.ORDERED), str(State.SENT), str(State.DELIVERED), str(State.CANCELLED))
_IN_HAND = (str(State.ORDERED), str(State.SENT))

DOINGS = {
    doing.name: doing
    for doing in (
        Doing("opts-in", gettext_lazy("Opts in"), "check", opts_in, group="texts"),
        Doing("requests-texts", gettext_lazy("Asks for texts, to be confirmed"), "help", requests_texts, group="texts"),
        Doing("opts-out", gettext_lazy("Opts out"), "cross", opts_out, group="texts"),
        Doing("abandons", gettext_lazy("Abandons a cart"), "time", abandons),
        Doing("orders", pgettext_lazy("the person buys", "Orders"), "tag", orders),
        Doing("parcel-sent", gettext_lazy("Parcel sent"), "redirect", parcel_sent, (str(State.ORDERED),)),
        Doing("parcel-out", gettext_lazy("Parcel comes today"), "redirect", parcel_out, (str(State.SENT),)),
        Doing("parcel-delivered", gettext_lazy("Parcel delivered"), "home", parcel_delivered, _IN_HAND),
        Doing("cancels", gettext_lazy("Cancels the order"), "circle-xmark", cancels, (str(State.ORDERED),)),
        Doing("refunds", gettext_lazy("Gets the money back"), "history", refunds, _BOUGHT),
        Doing("pickup-ready", gettext_lazy("Ready for pickup"), "home", pickup_ready, (str(State.ORDERED),)),
        *shelves.DOINGS,
        *services.DOINGS,
    )
}


@dataclass(frozen=True, slots=True)
class Button:
    doing: Doing
    url: str
    possible: bool


def buttons_for(contact: Contact) -> list[Button]:
    """Return what the person can do in the shop; some of it only after something else."""
    states = set(SimulatedCart.objects.filter(contact=contact).values_list("state", flat=True))
    return [
        Button(
            doing,
            reverse("smsflow_simulator:do", args=[contact.store_id, contact.pk, doing.name]),
            possible=not doing.needs or not states.isdisjoint(doing.needs),
        )
        for doing in DOINGS.values()
    ]


def groups_for(contact: Contact) -> list[tuple[str, str | Promise, list[Button]]]:
    """Return the buttons in groups: (name, label, buttons)."""
    buttons = buttons_for(contact)
    return [(name, label, [b for b in buttons if b.doing.group == name]) for name, label in GROUPS.items()]


def _use_code(row: SimulatedCart, written: str) -> SimulatedDiscount | None:
    """Use a discount code for a cart, if one was typed.

    :raises NotPossible: if the shop does not take it.
    """
    if not written.strip():
        return None
    try:
        discount = discounts.taken(row.contact.store, written, _cart(row).subtotal)
    except discounts.CodeRefused as refused:
        raise NotPossible(str(refused)) from refused
    discount.used_in = row.token
    discount.save(update_fields=["used_in"])
    return discount


def _new_cart(contact: Contact) -> SimulatedCart:
    before = SimulatedCart.objects.filter(contact=contact).count()
    # another pair of goods each time
    return SimulatedCart.objects.create(contact=contact, items=[2 * before, 2 * before + 1])


def _latest(contact: Contact, *states: str) -> SimulatedCart | None:
    return SimulatedCart.objects.filter(contact=contact, state__in=states).order_by("-pk").first()


def _cart(row: SimulatedCart) -> Cart:
    goods = articles_at(shelf(row.contact.store.language), row.items)
    cart = Cart(token=row.token, number=row.pk, articles=goods, started_at=row.started_at)
    used = SimulatedDiscount.objects.filter(store_id=row.contact.store_id, used_in=row.token).first()
    return replace(cart, code=used.code, discount=discounts.taken_off(used, cart.subtotal)) if used else cart


def _move(row: SimulatedCart, state: str, answers: list[Answer]) -> list[Answer]:
    """Remember the cart's new state, if the site took everything."""
    if all(answer.ok for answer in answers):
        row.state = state
        row.save(update_fields=["state", "ordered_at"])
    return answers
