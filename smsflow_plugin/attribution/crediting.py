"""Credits orders to texts as they are heard of, and takes back what refunds and cancellations take.

Called in the transaction that writes the events, with the contacts locked. What a conversion says follows from the
stored facts alone, so it is the same in whatever order they came; a property test holds that. The number of statements
does not depend on how many events there are, and batches without an order or a click make none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db.models import Q

from smsflow_plugin import bulk
from smsflow_plugin.attribution import orders, reactions, rules
from smsflow_plugin.attribution.models import Conversion
from smsflow_plugin.attribution.orders import Fact, Order
from smsflow_plugin.attribution.rules import Credit, Gift, Text, Window
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.events.about_orders import about_orders
from smsflow_plugin.events.models import Event
from smsflow_plugin.governance.incentives import code_key
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.stores.changes import note
from smsflow_plugin.stores.models import Store

#: (store id, the shop's id of an order)
Key = tuple[int, str]

#: Returns the codes of ours that were given, by (store id, code key) pairs: (contact id, gift). The room above knows.
Gifts = Callable[[Collection[tuple[int, str]]], Iterable[tuple[int, Gift]]]


class Heard(reactions.Heard, Protocol):
    """A new event."""

    @property
    def subject(self) -> str: ...


#: Columns of a conversion that follow from the facts, after the store and the order.
_COLUMNS = (
    "contact_id", "ordered_at", "model", "message_id", "flow_id", "version_id", "step", "variant", "message_class",
    "sent_at", "clicked_at", "currency", "total", "refunded", "cancelled", "revenue", "because",
)  # fmt: skip

_WENT = (Message.State.SENDING.value, Message.State.ACCEPTED.value, Message.State.DELIVERED.value)


def credit(
    events: Sequence[Heard], stores: Mapping[int, Store], gifts: Gifts, *, inherited: Collection[int] = ()
) -> None:
    """Credit the orders that the new events tell of, and those that new clicks may have led to.

    :param inherited: ids of older events that have just come to other people, who turned out to be theirs.
    """
    told = [event for event in events if event.subject and event.kind in orders.KINDS]
    clicks = [(event.contact_id, event.occurred_at) for event in events if event.kind == reactions.CLICKED]
    wanted = {(event.store_id, event.subject) for event in told}
    if inherited:
        rows = Event.objects.filter(pk__in=inherited, kind__in=(*orders.KINDS, reactions.CLICKED))
        for store_id, contact_id, kind, subject, at in rows.values_list(
            "store_id", "contact_id", "kind", "subject", "occurred_at"
        ):
            if kind == reactions.CLICKED:
                clicks.append((contact_id, at))
            elif subject:
                wanted.add((store_id, subject))
    if clicks:
        wanted |= _orders_after(clicks, stores)
    credit_orders(wanted, stores, gifts)
    received = [(event.store_id, event.occurred_at) for event in events if event.kind == reactions.WRITTEN]
    note(received, {pk: store.timezone for pk, store in stores.items()})


def reported_people(reports: Collection[tuple[int, str]], stores: Mapping[int, Store]) -> set[int]:
    """Return the contacts whose orders ``delivered`` may credit anew, by reports as (store id, number).

    They are locked with all others of the batch, before any text is. No query where no store credits mere delivery.
    """
    giving = {pk for pk, store in stores.items() if store.attribution_delivered_hours}
    numbers = {number for pk, number in reports if pk in giving}
    if not numbers:
        return set()
    return set(
        Contact.objects.filter(store_id__in=giving, phone__in=numbers, erased_at__isnull=True).values_list(
            "pk", flat=True
        )
    )


def delivered(message_ids: Collection[int], stores: Mapping[int, Store], gifts: Gifts) -> None:
    """Credit anew what these texts may have earned by mere delivery, now that it has been reported.

    Costs nothing where no store gives credit for that.
    """
    giving = {pk: store for pk, store in stores.items() if store.attribution_delivered_hours}
    if not giving or not message_ids:
        return
    arrived = Message.objects.filter(
        pk__in=message_ids, store_id__in=giving, state=Message.State.DELIVERED, contact__isnull=False
    )
    moments = list(arrived.values_list("contact_id", "finished_at"))
    if not moments:
        return
    # their contacts are locked (see ``reported_people``): of us and whoever writes an order, one sees both
    credit_orders(_orders_after([(pk, at) for pk, at in moments if pk and at], giving), giving, gifts)


def _orders_after(moments: Collection[tuple[int, datetime]], stores: Mapping[int, Store]) -> set[Key]:
    """Return the orders that people placed so soon after these moments that these may have led to them."""
    reach = max((_reach(store) for store in stores.values()), default=timedelta(0))
    by_contact: dict[int, list[datetime]] = defaultdict(list)
    for contact_id, at in moments:
        by_contact[contact_id].append(at)
    rows = Event.objects.filter(
        contact_id__in=by_contact, kind=orders.CREATED, occurred_at__gt=min(at for _contact, at in moments)
    ).values_list("store_id", "contact_id", "subject", "occurred_at")
    return {
        (store_id, subject)
        for store_id, contact_id, subject, ordered_at in rows
        if subject and any(at < ordered_at <= at + reach for at in by_contact[contact_id])
    }


def _reach(store: Store) -> timedelta:
    return max(timedelta(days=store.attribution_days), timedelta(hours=store.attribution_delivered_hours))


def window_of(store: Store) -> Window:
    return Window(store.attribution_days, store.attribution_delivered_hours)


# Orders ----------------------------------------------------------------------------------------------


def credit_orders(keys: Collection[Key], stores: Mapping[int, Store], gifts: Gifts) -> int:
    """Make the conversions of these orders what their facts say; return how many changed. The contacts are locked."""
    if not keys:
        return 0
    facts = _facts(keys)
    known = {
        key: order for key in sorted(keys) if (order := orders.order_of(facts.get(key, ()), stores[key[0]].currency))
    }
    open_orders = {key: order for key, order in known.items() if not order.blank and order.contact_id is not None}
    credits = _credits(open_orders, stores, gifts)
    changed, moments = _write({key: (order, credits.get(key)) for key, order in open_orders.items()})
    # the shop's own revenue is that of the day of the order
    moments += [(key[0], order.at) for key, order in known.items()]
    note(moments, {pk: store.timezone for pk, store in stores.items()})
    return changed


def _facts(keys: Collection[Key]) -> dict[Key, list[Fact]]:
    rows = about_orders({pk for pk, _order in keys}, {order for _pk, order in keys}).values_list(
        "store_id", "subject", "pk", "kind", "occurred_at", "contact_id", "data__order__total", "data__order__currency",
        "data__order__refunded", "data__order__discount_codes",
    )  # fmt: skip
    found: dict[Key, list[Fact]] = defaultdict(list)
    for store_id, subject, *columns in rows:
        found[store_id, subject].append(Fact(*columns))
    return found


def _credits(known: Mapping[Key, Order], stores: Mapping[int, Store], gifts: Gifts) -> dict[Key, Credit]:
    """Return what each order is credited to, if to anything. Three statements at most."""
    if not known:
        return {}
    clicks = _clicks(known, stores)
    held = _held(known, gifts)
    texts = _texts(known, stores, clicks, held)
    found = {}
    for key, order in known.items():
        assert order.contact_id is not None
        own, given = texts.get((key[0], order.contact_id), ()), held.get((key[0], order.contact_id), ())
        codes = {code_key(code) for code in order.codes}
        won = rules.credit(order.at, codes, own, given, window_of(stores[key[0]]))
        if won:
            found[key] = won
    return found


def _clicks(known: Mapping[Key, Order], stores: Mapping[int, Store]) -> dict[int, list[datetime]]:
    """Return when links of texts were clicked, by text."""
    opens = min(window_of(stores[key[0]]).opens(order.at) for key, order in known.items())
    rows = Event.objects.filter(
        contact_id__in={order.contact_id for order in known.values()},
        kind=reactions.CLICKED,
        occurred_at__gte=opens,
        occurred_at__lt=max(order.at for order in known.values()),
    ).values_list("data__message", "occurred_at")
    found: dict[int, list[datetime]] = defaultdict(list)
    for message, at in rows:
        pk = reactions.number(message)
        if pk is not None:
            found[pk].append(at)
    return found


def _held(known: Mapping[Key, Order], gifts: Gifts) -> dict[tuple[int, int], list[Gift]]:
    """Return the codes of ours that people hold and that their orders name, by (store, contact)."""
    used = {(key[0], code_key(code)) for key, order in known.items() for code in order.codes}
    buyers = {order.contact_id: key[0] for key, order in known.items()}
    found: dict[tuple[int, int], list[Gift]] = defaultdict(list)
    for contact_id, gift in gifts(used) if used else ():
        if contact_id in buyers and (buyers[contact_id], gift.key) in used:
            found[buyers[contact_id], contact_id].append(gift)
    return found


def _texts(
    known: Mapping[Key, Order],
    stores: Mapping[int, Store],
    clicks: Mapping[int, Sequence[datetime]],
    held: Mapping[tuple[int, int], Sequence[Gift]],
) -> dict[tuple[int, int], list[Text]]:
    """Return the texts that might have a claim, by (store, contact)."""
    claims = Q(pk__in=clicks)
    holders = {contact_id for _store, contact_id in held}
    if holders:
        first = min(gift.given_at for own in held.values() for gift in own)
        claims |= Q(contact_id__in=holders, queued_at__gte=first)
    waiting = [(key[0], order) for key, order in known.items() if stores[key[0]].attribution_delivered_hours]
    if waiting:
        opens = min(window_of(stores[pk]).delivery_opens(order.at) for pk, order in waiting)
        buyers = {order.contact_id for _pk, order in waiting}
        claims |= Q(contact_id__in=buyers, state=Message.State.DELIVERED, finished_at__gte=opens)
    rows = Message.objects.filter(claims, store_id__in={key[0] for key in known}).values_list(
        "store_id", "contact_id", "pk", "message_class", "queued_at", "state", "purpose", "finished_at", "body",
        "flow_id", "version_id", "step", "variant", "enrollment_id",
    )  # fmt: skip
    if not clicks and not holders and not waiting:
        return {}
    found: dict[tuple[int, int], list[Text]] = defaultdict(list)
    for store_id, contact_id, pk, kind, queued_at, state, purpose, ended, body, flow, version, *rest in rows:
        words = body.casefold()
        told = frozenset(gift.key for gift in held.get((store_id, contact_id), ()) if _says(words, gift.key))
        arrived = ended if state == Message.State.DELIVERED else None
        text = Text(
            pk, kind, queued_at, state in _WENT, purpose, arrived, tuple(clicks.get(pk, ())), told, flow or 0,
            version or 0, *rest,
        )  # fmt: skip
        found[store_id, contact_id].append(text)
    return found


def _says(words: str, code: str) -> bool:
    """Return whether a text names the code, as a word of its own: SPRING is not what "springs" says."""
    return re.search(rf"(?<![\w-]){re.escape(code)}(?![\w-])", words) is not None


# What is written -------------------------------------------------------------------------------------


def _write(found: Mapping[Key, tuple[Order, Credit | None]]) -> tuple[int, list[tuple[int, datetime]]]:
    """Write what has changed; return how many rows that was, and (store, moment) pairs whose figures it changes."""
    if not found:
        return 0, []
    rows = Conversion.objects.filter(
        store_id__in={pk for pk, _order in found}, order__in={order for _pk, order in found}
    ).values_list("pk", "store_id", "order", *_COLUMNS)
    stored = {(store_id, order): (pk, tuple(columns)) for pk, store_id, order, *columns in rows}
    inserted, updated, deleted = [], [], []
    moments: list[tuple[int, datetime]] = []
    for key, (order, won) in found.items():
        pk, old = stored.get(key, (None, None))
        new = _row(order, won) if won else None
        if new == old:
            continue
        moments += [(key[0], at) for row in (old, new) if row for at in (row[_SENT], row[_ORDERED])]
        if new is None:
            deleted.append(pk)
        elif pk is None:
            inserted.append((*key, *new))
        else:
            updated.append((pk, *new))
    bulk.insert(Conversion, ("store_id", "order", *_COLUMNS), inserted)
    bulk.update(Conversion, _COLUMNS, sorted(updated, key=lambda row: row[0]))
    if deleted:
        Conversion.objects.filter(pk__in=deleted).delete()
    return len(inserted) + len(updated) + len(deleted), moments


_SENT, _ORDERED = _COLUMNS.index("sent_at"), _COLUMNS.index("ordered_at")


def _row(order: Order, won: Credit) -> tuple[Any, ...]:
    text = won.text
    return (
        order.contact_id, order.at, won.model, text.pk, text.flow_id, text.version_id, text.step, text.variant,
        text.message_class, text.queued_at, won.clicked_at, order.currency, order.total, order.refunded,
        order.cancelled, order.revenue, won.because,
    )  # fmt: skip
