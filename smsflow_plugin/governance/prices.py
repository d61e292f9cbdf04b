"""Reads what parts cost and what may be spent, from the policies, the setting PART_PRICE and the days' sums."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.governance.models import Policy
from smsflow_plugin.governance.policy import PolicyRules
from smsflow_plugin.governance.spend import ELSEWHERE, Budget, Prices, day_of, laid_over, read_prices
from smsflow_plugin.stores.models import Store

logger = logging.getLogger(__name__)


def prices_of(stores: Collection[Store]) -> dict[int, Prices]:
    """Return the prices that hold in each of ``stores``, by its id. One query."""
    ids = [store.pk for store in stores]
    rows = Policy.objects.filter(live=True).filter(Q(store_id__in=ids) | Q(store__isnull=True))
    tables = dict(rows.values_list("store_id", "prices"))
    return {store.pk: prices_for(store, tables.get(None), tables.get(store.pk)) for store in stores}


def prices_for(store: Store, site: Any, own: Any) -> Prices:
    """Return the prices of a store: its own, over the site's, over the setting PART_PRICE."""
    setting = smsflow_settings.PART_PRICE.get(store.currency)
    last = {} if setting is None else {ELSEWHERE: setting}
    return laid_over(_read(table) for table in (last, site, own))


def _read(table: Any) -> Prices:
    try:
        return read_prices(table or {})
    except ValueError:
        # forms refuse such tables; whatever else has written it, texts go on and their price is unknown
        logger.exception("A table of prices cannot be read and is left out.")
        return {}


def budgets_of(stores: Iterable[tuple[Store, PolicyRules]], now: datetime) -> dict[int, Budget]:
    """Return what stores that have a budget may spend and have spent, by id. One query, if there is any."""
    # the rooms of texts and of rules stand side by side; at import one of them must be the first
    from smsflow_plugin.messaging.models import SpendDay

    limited = [
        (store, rules) for store, rules in stores if rules.budget_day is not None or rules.budget_month is not None
    ]
    if not limited:
        return {}
    days = {store.pk: day_of(now, store.timezone) for store, _rules in limited}
    since = min(day.first_of_month for day in days.values())
    spent: dict[int, dict[Any, Decimal]] = {pk: {} for pk in days}
    for store_id, day, marketing in SpendDay.objects.filter(store_id__in=days, day__gte=since).values_list(
        "store_id", "day", "marketing"
    ):
        spent[store_id][day] = marketing
    found = {}
    for store, rules in limited:
        today, own = days[store.pk], spent[store.pk]
        month = sum((amount for day, amount in own.items() if day >= today.first_of_month), Decimal(0))
        found[store.pk] = Budget(rules.budget_day, rules.budget_month, own.get(today.date, Decimal(0)), month, today)
    return found


def is_known(prices: Mapping[str, Decimal], country: str) -> bool:
    """Return whether texts to a country have a price."""
    return country in prices or ELSEWHERE in prices
