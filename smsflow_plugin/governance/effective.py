"""Reads the rules that hold for some stores now: the site's policy, theirs, and the panic switch."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any

from django.db import transaction
from django.db.models import Q

from smsflow_plugin import clock
from smsflow_plugin.governance.layers import digest, to_json
from smsflow_plugin.governance.models import PanicStop, Policy, PolicyVersion
from smsflow_plugin.governance.policy import Cap, Effective, Layer, Level, PolicyRules, Scope, for_flow, merge
from smsflow_plugin.governance.prices import budgets_of, prices_for
from smsflow_plugin.governance.rules import Priority, Situation
from smsflow_plugin.governance.spend import Budget, Prices
from smsflow_plugin.stores.models import Store

logger = logging.getLogger(__name__)

#: Ranks leave room for replies (0) in front and for an order within each class.
RANK_WIDTH = 1000

#: Flows that nobody has put in order stand behind those that somebody has, by their own numbers.
UNORDERED = 500


@dataclass(frozen=True, slots=True)
class StoreRules:
    """What holds for one store: its rules, the order of its flows (place by id), and how things are now.

    ``prices`` is what a part costs by country; ``budget`` is None for a store that has none.
    """

    rules: PolicyRules = field(default_factory=PolicyRules)
    origin: Mapping[str, Level] = field(default_factory=dict)
    overruled: Mapping[str, Level] = field(default_factory=dict)
    order: Mapping[int, int] = field(default_factory=dict)
    situation: Situation = field(default_factory=Situation)
    prices: Prices = field(default_factory=dict)
    budget: Budget | None = None

    def rank(self, flow_id: int, priority: str, number: int) -> int:
        """Return a flow's place among all of the store's; lower goes first."""
        place = self.order.get(flow_id)
        if place is None:
            place = UNORDERED + min(number, RANK_WIDTH - UNORDERED - 1)
        return 1 + Priority(priority).rank * RANK_WIDTH + min(place, RANK_WIDTH - 1)


def rules_of(
    stores: Iterable[Store], *, draft: Policy | None = None, keep: bool = True, standing: bool = True
) -> dict[int, StoreRules]:
    """Return what holds for each of ``stores``, by its id.

    A few queries, and one for each store whose rules have changed since this process last saw them.

    With a ``draft``, a store's or the site's, it is what would hold if that were published. Nothing is written then,
    nor without ``keep``: the rules have no version. Without ``standing`` nothing is read of how things are now: one
    query, which says nothing of stops and of what was spent.
    """
    stores = list(stores)
    ids = [store.pk for store in stores]
    policies = {policy.store_id: policy for policy in Policy.objects.filter(live=True).filter(_of(ids))}
    if draft is not None:
        policies[draft.store_id] = draft
    stops = PanicStop.objects.filter(_of(ids), released_at=None) if standing else PanicStop.objects.none()
    stopped = set(stops.values_list("store_id", flat=True))
    site = policies.get(None)
    merged_rules, unread = _read(stores, policies)
    limited = ((store, merged_rules[store.pk].rules) for store in stores) if standing else ()
    budgets = budgets_of(limited, clock.now())
    found = {}
    for store in stores:
        effective = merged_rules[store.pk]
        policy = policies.get(store.pk)
        budget = budgets.get(store.pk)
        found[store.pk] = StoreRules(
            rules=replace(effective.rules, version=_version(store.pk, effective) if keep and draft is None else 0),
            origin=effective.origin,
            overruled=effective.overruled,
            order=order_of(policy),
            situation=Situation(
                active=store.status == Store.Status.ACTIVE,
                panic=store.pk in stopped or None in stopped or store.pk in unread,
                broke_until=budget.broke_until() if budget else None,
            ),
            prices=prices_for(store, site.prices if site else None, policy.prices if policy else None),
            budget=budget,
        )
    return found


def _read(stores: list[Store], policies: Mapping[int | None, Policy]) -> tuple[dict[int, Effective], set[int]]:
    """Return what each store's policies come to, and the stores whose policies cannot be read.

    Forms refuse such policies. Whatever else has written one: it must not mean "no rules", nor stop other stores.
    """
    found: dict[int, Effective] = {}
    unread = set()
    for store in stores:
        try:
            found[store.pk] = merged(policies.get(None), policies.get(store.pk))
        except (TypeError, ValueError, KeyError, AttributeError):
            logger.exception("The rules of store %s cannot be read: none of its texts leaves.", store.pk)
            found[store.pk] = merged(None, None)
            unread.add(store.pk)
    return found, unread


def _of(ids: list[int]) -> Any:
    return Q(store_id__in=ids) | Q(store__isnull=True)


def merged(site: Policy | None, store: Policy | None) -> Effective:
    """Return what holds when a store's policy is laid over the site's; either may be missing."""
    layers = [policy.layer if policy else Layer(level) for policy, level in ((site, Level.SITE), (store, Level.STORE))]
    return merge(layers)


def order_of(policy: Policy | None) -> dict[int, int]:
    """Return the place of each flow that the policy puts in order."""
    ids = policy.flow_order if policy and isinstance(policy.flow_order, list) else []
    return {pk: place for place, pk in enumerate(ids[:UNORDERED])}


@lru_cache(maxsize=4096)
def own_rules(
    rules: PolicyRules, flow_id: int, cap_day: int | None, cap_week: int | None, own_gap: int | None
) -> PolicyRules:
    """Return a store's rules with a flow's own limits for one person."""
    values: dict[str, Any] = {}
    limits = {"day": cap_day, "week": cap_week}
    own = tuple(Cap(limit, window, Scope.FLOW, str(flow_id)) for window, limit in limits.items() if limit)
    if own:
        values["caps"] = own
    if own_gap:
        values["minimum_gap"] = own_gap
    return for_flow(rules, values) if values else rules


_versions: dict[tuple[int, PolicyRules], int] = {}


def _version(store_id: int, effective: Effective) -> int:
    """Return the id of the stored version of these rules, and store it if they are new."""
    known = _versions.get((store_id, effective.rules))
    if known is None:
        data = to_json(effective.rules)
        row, _created = PolicyVersion.objects.get_or_create(
            store_id=store_id, digest=digest(data), defaults={"rules": data, "origin": dict(effective.origin)}
        )
        known = row.pk
        # a row that is rolled back must not be named again
        transaction.on_commit(partial(_remember, (store_id, effective.rules), known))
    return known


def _remember(key: tuple[int, PolicyRules], version: int) -> None:
    if len(_versions) > 10_000:
        _versions.clear()
    _versions[key] = version
