"""Fills the pools: makes the parent discount, and adds codes to it, up to 250 in one call.

Every step is on record before Shopify is asked. Codes whose adding was cut off are never given out, though they may
exist: nobody knows them, so nobody is hurt.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from smsflow_plugin import bulk, clock
from smsflow_plugin.engine.alarms import addresses
from smsflow_plugin.engine.notices import queue_notices
from smsflow_plugin.governance.spend import day_of
from smsflow_plugin.integrations.shopify.admin.client import AdminApi
from smsflow_plugin.integrations.shopify.admin.documents import (
    CODES_ADD,
    CODES_ADDED,
    DISCOUNT_CREATE,
    MOST,
    SHIPPING_DISCOUNT_CREATE,
)
from smsflow_plugin.integrations.shopify.admin.errors import ShopifyTrouble
from smsflow_plugin.integrations.shopify.writes.definition import new_codes, parent, sorted_out
from smsflow_plugin.integrations.shopify.writes.models import CodePool, PoolCode
from smsflow_plugin.integrations.shopify.writes.pool import definition_of, pool_for
from smsflow_plugin.models import Store

State = PoolCode.State

#: A worker fills a pool; longer than its two calls take.
LEASE = timedelta(minutes=2)
#: Codes that Shopify has not added after this are given up.
ADDING = timedelta(minutes=15)
#: The smallest stock of a pool that is in use. More are made where more are given out.
LEAST = 20
#: How far ahead of its stretch the next pool is made, and how long after its last use one is kept full.
AHEAD, IN_USE = timedelta(hours=1), timedelta(days=1)
#: Between two looks at one pool, and after trouble.
LOOK, TROUBLED = timedelta(seconds=50), timedelta(minutes=5)
#: Seconds that a call waits for points.
PATIENCE = 5.0
#: Long after its codes have run out, a pool is forgotten.
KEEP = timedelta(days=90)


def fill_next() -> int:
    """Look after one pool; return 1, or 0 if none needs it now."""
    now = clock.now()
    pool = next(iter(_in_need(now)), None)
    if pool is None:
        return 0
    CodePool.objects.filter(pk=pool.pk).update(looked_at=now)
    try:
        fill(pool, now)
    except ShopifyTrouble as trouble:
        if not trouble.again:
            _tell(pool, str(trouble), now)
    return 1


def _in_need(now: datetime) -> Iterable[CodePool]:
    """Yield the pools that run low, those that wait for Shopify, and those that will follow on one that is in use."""
    rest = Q(looked_at=None) | Q(looked_at__lt=now - LOOK)
    calm = Q(trouble_at=None) | Q(trouble_at__lt=now - TROUBLED)
    pools = CodePool.objects.filter(
        rest, calm, until__gt=now - IN_USE, starts_at__lte=now + AHEAD, connection__grant__broken_at=None,
        connection__grant__isnull=False, store__status=Store.Status.ACTIVE,
    ).select_related("connection", "store")  # fmt: skip
    used = stock(pools, now)
    for pool in pools.order_by(F("looked_at").asc(nulls_first=True), "pk"):
        own = used[pool.pk]
        if own.lately and pool.until <= now + AHEAD:
            following = pool_for(pool.connection, definition_of(pool), pool.until)
            if following.looked_at is None and not following.discount:
                yield following
        if pool.until > now and (pool.adding or not pool.discount or own.is_low):
            yield pool


@dataclass(frozen=True, slots=True)
class Stock:
    """What lies in a pool: codes that are ``free`` and being made, and how many were given ``lately``, in a day."""

    free: int = 0
    making: int = 0
    lately: int = 0

    @property
    def is_low(self) -> bool:
        return self.free + self.making < self.low_water

    @property
    def low_water(self) -> int:
        """Below this more are made: as many as a day takes."""
        return max(LEAST, self.lately)


def stock(pools: QuerySet[CodePool, CodePool], now: datetime) -> dict[int, Stock]:
    """Return what lies in these pools. One statement."""
    counts = dict.fromkeys(pools.values_list("pk", flat=True))
    rows = (
        PoolCode.objects.filter(pool__in=list(counts))
        .values("pool")
        .annotate(
            free=Count("pk", filter=Q(state=State.FREE)),
            making=Count("pk", filter=Q(state=State.MAKING)),
            lately=Count("pk", filter=Q(state=State.GIVEN, given_at__gt=now - IN_USE)),
        )
    )
    found = {row["pool"]: Stock(row["free"], row["making"], row["lately"]) for row in rows}
    return {pk: found.get(pk, Stock()) for pk in counts}


def fill(pool: CodePool, now: datetime) -> bool:
    """Do the next step for a pool; return whether this worker did one: another may be at it.

    :raises ShopifyTrouble: if it could not be done. It is written down on the pool.
    """
    free = CodePool.objects.filter(Q(working_until=None) | Q(working_until__lt=now), pk=pool.pk)
    if not free.update(working_until=now + LEASE):
        return False
    try:
        pool.refresh_from_db()
        _step(pool, AdminApi(pool.connection, patience=PATIENCE), now)
    except ShopifyTrouble as trouble:
        _update(pool, trouble=str(trouble)[:500], trouble_at=now)
        raise
    finally:
        _update(pool, working_until=None)
    if pool.trouble:
        _update(pool, trouble="", trouble_at=None)
    return True


def _step(pool: CodePool, api: AdminApi, now: datetime) -> None:
    if not pool.discount:
        _make_parent(pool, api)
    elif pool.adding:
        _look_at_added(pool, api, now)
    else:
        _add(pool, api, now)
        _look_at_added(pool, api, now)


def _make_parent(pool: CodePool, api: AdminApi) -> None:
    """Make the discount in Shopify. Its first code is the first in the pool, so that nobody waits for more."""
    (code,) = _planned(pool, 1)
    wanted = definition_of(pool)
    asked = parent(wanted, code, pool.starts_at, pool.ends_at, pool.store.currency)
    document, field = DISCOUNT_CREATE, "discountCodeBasicCreate"
    if wanted.kind == "shipping":
        document, field = SHIPPING_DISCOUNT_CREATE, "discountCodeFreeShippingCreate"
    made = api.ask(document, discount=asked)[field]["codeDiscountNode"]["id"]
    with transaction.atomic():
        _update(pool, discount=str(made))
        PoolCode.objects.filter(pool=pool, code=code).update(state=State.FREE)


def _add(pool: CodePool, api: AdminApi, now: datetime) -> None:
    # what was cut off before Shopify said how it goes on
    PoolCode.objects.filter(pool=pool, state=State.MAKING).update(state=State.LOST)
    own = stock(CodePool.objects.filter(pk=pool.pk), now)[pool.pk]
    codes = _planned(pool, min(max(2 * own.low_water - own.free, LEAST), MOST))
    asked = [{"code": code} for code in codes]
    made = api.ask(CODES_ADD, id=pool.discount, codes=asked)["discountRedeemCodeBulkAdd"]["bulkCreation"]["id"]
    _update(pool, adding=str(made), adding_since=now)


def _look_at_added(pool: CodePool, api: AdminApi, now: datetime) -> None:
    found = api.ask(CODES_ADDED, id=pool.adding)["discountRedeemCodeBulkCreation"]
    if found and not found["done"]:
        if pool.adding_since is None or pool.adding_since < now - ADDING:
            _give_up(pool, _("Shopify has not made the codes in time."))
        return
    there, refused = sorted_out(found["codes"]["nodes"] if found else ())
    with transaction.atomic():
        making = list(PoolCode.objects.filter(pool=pool, state=State.MAKING).values_list("pk", "code"))
        rows = [(pk, (State.FREE if code.upper() in there else State.LOST).value) for pk, code in making]
        bulk.update(PoolCode, ("state",), rows, extra_where="state = 'making'")
        _update(pool, adding="", adding_since=None)
    if refused and not there:
        raise ShopifyTrouble(_("Shopify refuses the codes: %(said)s") % {"said": next(iter(refused.values()))})


def _give_up(pool: CodePool, why: str) -> None:
    PoolCode.objects.filter(pool=pool, state=State.MAKING).update(state=State.LOST)
    _update(pool, adding="", adding_since=None)
    raise ShopifyTrouble(why)


def _planned(pool: CodePool, count: int) -> list[str]:
    """Put new codes on record before Shopify hears of them. One that the store has already is left out."""
    rows = [(pool.store_id, pool.pk, code, clock.now()) for code in new_codes(pool.prefix, count)]
    written = bulk.insert(PoolCode, ("store_id", "pool_id", "code", "made_at"), rows, returning=("code",))
    return [code for (code,) in written]


def _update(pool: CodePool, **values: object) -> None:
    for name, value in values.items():
        setattr(pool, name, value)
    CodePool.objects.filter(pk=pool.pk).update(**values)


def _tell(pool: CodePool, trouble: str, now: datetime) -> None:
    """Tell the people who run the store that there will be no codes; once a day for each discount."""
    to = list(addresses(pool.store, None))
    if not to:
        return
    day = day_of(now, pool.store.timezone).date
    with override(pool.store.language):
        names = {"store": pool.store.name, "trouble": trouble}
        subject = _("No new discount codes for %(store)s") % names
        body = (
            _(
                "%(store)s: Shopify makes no more discount codes.\n\n%(trouble)s\n\n"
                "When those in stock are used up, texts go out without a discount. This is told once a day."
            )
            % names
        )
    queue_notices([(pool.store_id, f"codes:{pool.definition[:40]}:{day.isoformat()}", to, subject[:200], body)])


def tidy() -> int:
    """Forget pools whose codes ran out long ago; return how many rows went."""
    return CodePool.objects.filter(ends_at__lt=clock.now() - KEEP).delete()[0]
