"""Pays for the texts of a batch out of their stores' budgets.

A store that has a budget pays before anything is written: adding to its day locks that day, so the sum that comes
back is everybody's. If it is more than the budget, other workers were faster; the batch takes its money back and is
decided anew, while they wait. So no budget is ever overspent, and nobody waits for anybody where there is enough.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from smsflow_plugin.engine.governor import Governor
from smsflow_plugin.governance.effective import StoreRules
from smsflow_plugin.governance.spend import NOTHING, Budget, day_of
from smsflow_plugin.messaging import spending
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.messaging.spending import Spent
from smsflow_plugin.stores.models import Store

_STORE, _CLASS, _PARTS, _COST = (
    Governor.COLUMNS.index(name) for name in ("store_id", "message_class", "parts", "cost")
)

Rows = Sequence[tuple[Any, ...]]
Stores = Mapping[int, Store]
Rules = Mapping[int, StoreRules]


def pay(rows: Rows, stores: Stores, rules: Rules, now: datetime, *, again: bool = False) -> bool:
    """Pay for the queued texts of stores that have a budget; return whether there was enough money.

    If there was not, nothing is paid, and those days are locked. ``again`` says that they were before: then
    what is over are answers, which no budget holds up.
    """
    spends = _spends((row for row in rows if rules[row[_STORE]].budget), stores, now)
    if not spends:
        return True
    marketing = spending.add(spends)
    if again or all(
        _is_enough(rules[store_id].budget, spends[store_id, day], total) for (store_id, day), total in marketing.items()
    ):
        return True
    spending.add({key: spent.negative() for key, spent in spends.items()})
    return False


def count(rows: Rows, stores: Stores, rules: Rules, now: datetime) -> None:
    """Count the texts of stores without a budget. Late, as it locks the store's day for everybody else."""
    spending.add(_spends((row for row in rows if not rules[row[_STORE]].budget), stores, now))


def _is_enough(budget: Budget | None, own: Spent, total: Any) -> bool:
    if budget is None or own.marketing == NOTHING:
        return True
    # what others have spent since the budget was read is in today's sum, and so is our own
    return not budget.after(total - budget.spent_today).is_over()


def _spends(rows: Iterable[tuple[Any, ...]], stores: Stores, now: datetime) -> dict[tuple[int, date], Spent]:
    spends: dict[tuple[int, date], Spent] = defaultdict(Spent)
    days: dict[int, date] = {}
    for row in rows:
        store_id = row[_STORE]
        if store_id not in days:
            days[store_id] = day_of(now, stores[store_id].timezone).date
        key = store_id, days[store_id]
        marketing = row[_CLASS] == Message.Class.MARKETING.value
        spends[key] = spends[key].plus(row[_COST], row[_PARTS], marketing=marketing)
    return dict(spends)
