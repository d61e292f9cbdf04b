"""Credits all orders of a store anew: when it looks back for longer or shorter than before, or by command.

Orders go in batches, each in a transaction of its own with its contacts locked, through the same function that credits
them as they come; so the outcome is the same as if the store had always had these settings.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from smsflow_plugin import clock
from smsflow_plugin.attribution.crediting import Gifts, credit_orders
from smsflow_plugin.attribution.orders import CREATED
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.events.models import Event
from smsflow_plugin.stores.models import Heartbeat, Store

BATCH = 500


def recompute(
    store: Store, gifts: Gifts, *, since: datetime | None = None, until: datetime | None = None, batch: int = BATCH
) -> int:
    """Credit the orders of a store anew; return how many conversions changed.

    Orders of which it is no longer known what they came to keep their credit (``purge``).

    :param since, until: orders of this time only; all without.
    """
    orders = Event.objects.filter(store=store, kind=CREATED).exclude(subject="").order_by("occurred_at", "pk")
    if since is not None:
        orders = orders.filter(occurred_at__gte=since)
    if until is not None:
        orders = orders.filter(occurred_at__lt=until)
    changed = 0
    columns = ("occurred_at", "pk", "subject", "contact_id")
    rows = list(orders.values_list(*columns)[:batch])
    while rows:
        with transaction.atomic():
            # as ingest does: whoever writes events of these people waits, and we for them
            people = {contact_id for _at, _pk, _subject, contact_id in rows}
            list(Contact.objects.filter(pk__in=people).order_by("pk").select_for_update().values_list("pk", flat=True))
            keys = {(store.pk, subject) for _at, _pk, subject, _contact in rows}
            changed += credit_orders(keys, {store.pk: store}, gifts)
        at, pk = rows[-1][:2]
        rows = list(orders.filter(Q(occurred_at__gt=at) | Q(occurred_at=at, pk__gt=pk)).values_list(*columns)[:batch])
    return changed


def recompute_changed(gifts: Gifts) -> int:
    """Credit anew the orders of stores that look back for another time than their orders were credited by.

    Which time that was stands in ``Heartbeat``, written when a store is done: one that was interrupted begins again.

    :return: how many stores there were.
    """
    prefix = "credited:"
    done = set(Heartbeat.objects.filter(name__startswith=prefix).values_list("name", flat=True))
    stores = [store for store in Store.objects.all() if _name(prefix, store) not in done]
    for store in stores:
        recompute(store, gifts)
        Heartbeat.objects.filter(name__startswith=f"{prefix}{store.pk}:").delete()
        Heartbeat.objects.update_or_create(name=_name(prefix, store), defaults={"at": clock.now()})
    return len(stores)


def _name(prefix: str, store: Store) -> str:
    return f"{prefix}{store.pk}:{store.attribution_days}:{store.attribution_delivered_hours}"
