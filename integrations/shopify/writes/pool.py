"""The stock of discount codes: found, and given out to each request once."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from smsflow_plugin import clock
from smsflow_plugin.integrations.shopify.writes.definition import Definition, stretch
from smsflow_plugin.integrations.shopify.writes.models import CodePool, PoolCode
from smsflow_plugin.models import Connection

State = PoolCode.State


def pool_for(connection: Connection, wanted: Definition, at: datetime) -> CodePool:
    """Return the pool whose codes are given out at that time; a new one has no parent in Shopify yet."""
    now = stretch(wanted.valid_days, at)
    pool, _created = CodePool.objects.get_or_create(
        connection=connection,
        definition=wanted.key,
        number=now.number,
        defaults={
            "store_id": connection.store_id,
            "kind": wanted.kind,
            "amount": wanted.amount,
            "minimum": wanted.minimum,
            "valid_days": wanted.valid_days,
            "prefix": wanted.prefix,
            "starts_at": now.starts_at,
            "until": now.until,
            "ends_at": now.ends_at,
        },
    )
    return pool


def definition_of(pool: CodePool) -> Definition:
    return Definition(pool.kind, pool.amount, pool.minimum, pool.valid_days, pool.prefix)


def given_to(store_id: int, key: str) -> str | None:
    """Return the code that a request was given before."""
    return PoolCode.objects.filter(store_id=store_id, key=key).values_list("code", flat=True).first()


def take(pool: CodePool, key: str) -> str | None:
    """Give out one code; None if there is none left. No two requests get one, and none gets two.

    Workers pass over codes that others are just taking. The UPDATE names what the code must be, so that it is given
    once even where rows cannot be locked; the unique key sees to it that a request which two workers work on is
    given one.
    """
    while True:
        try:
            with transaction.atomic():
                free = PoolCode.objects.filter(pool=pool, state=State.FREE).order_by("pk")
                found = free.select_for_update(skip_locked=True).values_list("pk", "code").first()
                if found is None:
                    return given_to(pool.store_id, key)
                mine = PoolCode.objects.filter(pk=found[0], state=State.FREE)
                if mine.update(state=State.GIVEN, key=key, given_at=clock.now()):
                    return str(found[1])
        except IntegrityError:
            return given_to(pool.store_id, key)  # another worker has the same request
