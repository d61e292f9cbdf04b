"""Gives people discount codes that the shop takes: out of a pool, or made now where that is empty."""

from __future__ import annotations

import time

from django.utils.translation import gettext as _

from smsflow_plugin import clock
from smsflow_plugin.engine.discounts import CodeRequest
from smsflow_plugin.engine.performing import Failed
from smsflow_plugin.integrations.shopify.admin.errors import ShopifyTrouble
from smsflow_plugin.integrations.shopify.writes import filling
from smsflow_plugin.integrations.shopify.writes.definition import definition
from smsflow_plugin.integrations.shopify.writes.models import CodePool
from smsflow_plugin.integrations.shopify.writes.pool import given_to, pool_for, take
from smsflow_plugin.models import Connection, Store

#: Looks at an empty pool that is being filled, and the seconds in between.
LOOKS, PAUSE = 8, 0.6


class ShopifyCodes:
    """The ``DiscountMaker`` for shops of Shopify."""

    def make(self, store: Store, request: CodeRequest) -> str:
        """Return a code of the person's own; for the same key the same.

        :raises Failed: if there is none, with what Shopify says.
        """
        if known := given_to(store.pk, request.key):
            return known
        connection = Connection.objects.filter(store=store, kind="shopify").first()
        if connection is None:
            raise Failed(_("No shop that makes discount codes is connected to this store."))
        wanted = definition(
            request.kind, request.amount, request.minimum, request.ends_at - request.starts_at, request.prefix
        )
        pool = pool_for(connection, wanted, clock.now())
        return take(pool, request.key) or self._made_now(pool, request.key)

    def _made_now(self, pool: CodePool, key: str) -> str:
        for look in range(LOOKS):
            if look:
                time.sleep(PAUSE)
            try:
                filling.fill(pool, clock.now())
            except ShopifyTrouble as trouble:
                # codes may have come in just before
                if code := take(pool, key):
                    return code
                raise Failed(str(trouble), again=trouble.again) from trouble
            if code := take(pool, key):
                return code
        raise Failed(_("The shop is making discount codes, and that takes longer than usual."), again=True)
