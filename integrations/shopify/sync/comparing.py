"""The pump that compares shops with what their webhooks have said, and tells what is missing as a webhook would.

A run goes through customers, orders and abandoned checkouts, a page at a time. What is missing of a page is put into
the inbox in the transaction that moves the cursor on, so a worker that is killed leaves nothing out; what it repeats
has the same ids. Where Shopify is slow or away, the run waits and other shops go on.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from smsflow_plugin import bulk, clock
from smsflow_plugin.events.facts import StoreInfo
from smsflow_plugin.events.models import Delivery, Event
from smsflow_plugin.integrations.shopify.admin import documents
from smsflow_plugin.integrations.shopify.admin.client import AdminApi
from smsflow_plugin.integrations.shopify.admin.documents import Document
from smsflow_plugin.integrations.shopify.admin.errors import NotGranted, ShopifyTrouble, Throttled
from smsflow_plugin.integrations.shopify.sync import leases
from smsflow_plugin.integrations.shopify.sync.candidates import Candidate, Node, Shop, missing, moment, when
from smsflow_plugin.integrations.shopify.sync.models import Resource, SyncFind, SyncRun, SyncState
from smsflow_plugin.models import Connection, Store
from smsflow_plugin.nudge import nudge

logger = logging.getLogger(__name__)

EVERY = timedelta(minutes=30)
#: Shopify's search finds a change some minutes after it was made.
OVERLAP = timedelta(minutes=10)
#: While Shopify is away, and while what was found is still being read.
TROUBLE, READING = timedelta(minutes=5), timedelta(seconds=20)
#: Seconds that a worker waits for points before it does something else.
PATIENCE = 2.0
#: Runs are shown for so long.
KEPT = timedelta(days=60)

_DOCUMENTS: dict[str, tuple[Document, str]] = {
    Resource.CUSTOMERS: (documents.CUSTOMERS_CHANGED, "customers"),
    Resource.ORDERS: (documents.ORDERS_CHANGED, "orders"),
    Resource.CHECKOUTS: (documents.CHECKOUTS_CHANGED, "abandonedCheckouts"),
}
#: Shopify sorts these by their last change, so that the cursor may follow page by page.
_IN_ORDER = frozenset({Resource.CUSTOMERS, Resource.ORDERS})
_AFTER = {Resource.CUSTOMERS: Resource.ORDERS, Resource.ORDERS: Resource.CHECKOUTS}

_DELIVERY = ("store_id", "source", "external_id", "topic", "headers", "body", "received_at")
_FIND = ("store_id", "run_id", "topic", "key", "label", "changed_at", "state", "reason", "hours", "delivery_id")


class Interrupted(Exception):
    """The run goes on later."""


def compare_shops() -> int:
    """Compare one shop that is due as far as it goes; return 1 if there was one."""
    now = clock.now()
    _know_new_shops(now)
    state = leases.take(_comparable(), now)
    if state is None:
        _settle_all()
        return 0
    try:
        _go_on(state, now)
    except leases.Lost:
        logger.info("The comparison of store %s was taken over.", state.store_id)
    except Exception:
        logger.exception("The comparison of store %s failed.", state.store_id)
        leases.give_back(state, now + TROUBLE)
    return 1


def state_of(connection: Connection) -> SyncState:
    """Return how far a shop was compared; from now on, if it never was."""
    now = clock.now()
    _insert_states([(connection.store_id, connection.pk)], now)
    return SyncState.objects.get(connection=connection)


def settle(store_id: int) -> int:
    """Write down what became of what was found; return how much is still being read."""
    waiting = list(
        SyncFind.objects.filter(store_id=store_id, state=SyncFind.State.WAITING)
        .exclude(delivery__state=Delivery.State.PENDING)
        .values_list("pk", "topic", "delivery_id", "delivery__state", "delivery__reason")[:2000]
    )
    made = Event.objects.filter(delivery_id__in=[delivery for _pk, _topic, delivery, _state, _reason in waiting])
    own = set(made.values_list("delivery_id", flat=True))
    rows = [
        (pk, _became(topic, delivery, state, own), (reason or "")[:300])
        for pk, topic, delivery, state, reason in waiting
    ]
    bulk.update(SyncFind, ("state", "reason"), rows)
    return SyncFind.objects.filter(store_id=store_id, state=SyncFind.State.WAITING).count()


def _settle_all() -> None:
    """Settle what was read since the last look."""
    read = SyncFind.objects.filter(state=SyncFind.State.WAITING).exclude(delivery__state=Delivery.State.PENDING)
    for store_id in read.order_by("store_id").values_list("store_id", flat=True).distinct():
        settle(store_id)


def _became(topic: str, delivery: int | None, state: str | None, own: set[int | None]) -> str:
    match state:
        case Delivery.State.IGNORED:
            return SyncFind.State.IGNORED.value
        case Delivery.State.PARKED:
            return SyncFind.State.PARKED.value
    # consent and tags need no event of their own; of the rest another delivery may have been faster
    by_event = topic not in ("customers_marketing_consent/update", "customer.tags_added")
    return (SyncFind.State.KNOWN if by_event and delivery not in own else SyncFind.State.RECOVERED).value


def _comparable() -> QuerySet[SyncState]:
    return SyncState.objects.filter(
        connection__grant__broken_at=None, connection__grant__isnull=False, store__status=Store.Status.ACTIVE
    )


def _know_new_shops(now: datetime) -> None:
    new = Connection.objects.filter(
        kind="shopify", grant__isnull=False, grant__broken_at=None, sync_state=None, store__status=Store.Status.ACTIVE
    )
    _insert_states(list(new.values_list("store_id", "pk")), now)


def _insert_states(rows: Sequence[tuple[int, int]], now: datetime) -> None:
    columns = ("store_id", "connection_id", "since", "customers_at", "orders_at", "checkouts_at", "next_at")
    bulk.insert(SyncState, columns, [(*row, now, now, now, now, now) for row in rows])


def _go_on(state: SyncState, now: datetime) -> None:
    settle(state.store_id)
    run = state.run or _begin(state, now)
    api = AdminApi(state.connection, patience=PATIENCE)
    lacking = ""
    try:
        while state.stage:
            lacking = _compare(state, run, api) or lacking
            leases.keep(state, stage=_AFTER.get(Resource(state.stage), ""))
    except Interrupted:
        leases.give_back(state, now + READING)
    except Throttled as slow:
        leases.give_back(state, now + timedelta(seconds=max(slow.wait, 30.0)))
    except ShopifyTrouble as trouble:
        SyncRun.objects.filter(pk=run.pk).update(trouble=str(trouble)[:300])
        leases.give_back(state, now + TROUBLE)
    else:
        SyncRun.objects.filter(pk=run.pk).update(finished_at=clock.now(), trouble=lacking[:300])
        leases.give_back(state, clock.now() + EVERY, run=None)


def _begin(state: SyncState, now: datetime) -> SyncRun:
    SyncRun.objects.filter(store_id=state.store_id, started_at__lt=now - KEPT).delete()
    run = SyncRun.objects.create(store_id=state.store_id, started_at=now)
    leases.keep(state, run=run, stage=Resource.CUSTOMERS.value)
    return run


def _compare(state: SyncState, run: SyncRun, api: AdminApi) -> str:
    """Compare what has changed of one resource; return what it lacks for that, if anything.

    :raises Interrupted: if something else must be read first.
    """
    resource = state.stage
    if resource == Resource.CHECKOUTS and settle(state.store_id):
        raise Interrupted  # an order among it may be what became of a cart
    document, path = _DOCUMENTS[resource]
    since: datetime = getattr(state, state.cursor(resource))
    query = f"updated_at:>='{(since - OVERLAP).strftime('%Y-%m-%dT%H:%M:%SZ')}'"
    try:
        for nodes in api.pages(document, path, query=query):
            _take_in(state, run, resource, nodes)
    except NotGranted as lacking:
        return str(lacking)
    # what changed while we read is found next time
    cursor = state.cursor(resource)
    leases.keep(state, **{cursor: max(getattr(state, cursor), run.started_at)})
    return ""


def _take_in(state: SyncState, run: SyncRun, resource: str, nodes: Sequence[Node]) -> None:
    """Store what is missing of one page, and move the cursor on: both or nothing."""
    now = clock.now()
    store = state.store
    info = StoreInfo(store.country, store.timezone, store.language, store.currency)
    shop = Shop(store.pk, state.connection.account, info, state.since)
    with transaction.atomic():
        values = {}
        changed = [moment(node) for node in nodes if when(node, "updatedAt")]
        cursor = state.cursor(resource)
        if resource in _IN_ORDER and changed and max(changed) > getattr(state, cursor):
            values[cursor] = min(max(changed), now)
        leases.keep(state, **values)
        found = missing(resource, nodes, shop, now)
        if found:
            _store(found, shop, run, now)
        SyncRun.objects.filter(pk=run.pk).update(seen=F("seen") + len(nodes))


def _store(found: Sequence[Candidate], shop: Shop, run: SyncRun, now: datetime) -> None:
    """Put what may be told into the inbox, and note all of it."""
    known = set(
        SyncFind.objects.filter(store_id=shop.store_id, key__in=[one.key for one in found]).values_list(
            "key", flat=True
        )
    )
    found = [one for one in found if one.key not in known]
    told = [one for one in found if one.late is None]
    rows = [(shop.store_id, "shopify", one.key, one.topic, one.headers(shop.account), one.body, now) for one in told]
    # in this order: who somebody is comes before what they did
    bulk.insert(Delivery, _DELIVERY, rows)
    stored = Delivery.objects.filter(
        Q(source="shopify", store_id=shop.store_id), external_id__in=[one.key for one in told]
    )
    ids = dict(stored.values_list("external_id", "pk"))
    bulk.insert(SyncFind, _FIND, [_find(one, shop, run, ids.get(one.key)) for one in found])
    if told:
        nudge("ingest")


def _find(one: Candidate, shop: Shop, run: SyncRun, delivery: int | None) -> tuple[object, ...]:
    state = SyncFind.State.IGNORED if one.late else SyncFind.State.WAITING
    reason, hours = (one.late.reason, one.late.hours) if one.late else ("", None)
    return (
        shop.store_id, run.pk, one.topic, one.key, one.label, one.changed_at, state.value, reason, hours, delivery,
    )  # fmt: skip
