"""Reads the rules that hold for some stores now: the site's policy, theirs, and the panic switch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any

from django.db import transaction

from smsflow_plugin.governance.layers import digest, to_json
from smsflow_plugin.governance.models import PanicStop, Policy, PolicyVersion
from smsflow_plugin.governance.policy import Cap, Effective, Layer, Level, PolicyRules, Scope, for_flow, merge
from smsflow_plugin.governance.rules import Priority, Situation
from smsflow_plugin.stores.models import Store

#: Ranks leave room for replies (0) in front and for an order within each class.
RANK_WIDTH = 1000

#: Flows that nobody has put in order stand behind those that somebody has, by their own numbers.
UNORDERED = 500


@dataclass(frozen=True, slots=True)
class StoreRules:
    """What holds for one store: its rules, the order of its flows (place by id), and how things are now."""

    rules: PolicyRules = field(default_factory=PolicyRules)
    origin: Mapping[str, Level] = field(default_factory=dict)
    overruled: Mapping[str, Level] = field(default_factory=dict)
    order: Mapping[int, int] = field(default_factory=dict)
    situation: Situation = field(default_factory=Situation)

    def rank(self, flow_id: int, priority: str, number: int) -> int:
        """Return a flow's place among all of the store's; lower goes first."""
        place = self.order.get(flow_id)
        if place is None:
            place = UNORDERED + min(number, RANK_WIDTH - UNORDERED - 1)
        return 1 + Priority(priority).rank * RANK_WIDTH + min(place, RANK_WIDTH - 1)


def rules_of(stores: Iterable[Store]) -> dict[int, StoreRules]:
    """Return what holds for each of ``stores``, by its id. The number of queries does not depend on theirs."""
    stores = list(stores)
    ids = [store.pk for store in stores]
    policies = {policy.store_id: policy for policy in Policy.objects.filter(live=True).filter(_of(ids))}
    stopped = set(PanicStop.objects.filter(_of(ids), released_at=None).values_list("store_id", flat=True))
    found = {}
    for store in stores:
        effective = merged(policies.get(None), policies.get(store.pk))
        policy = policies.get(store.pk)
        found[store.pk] = StoreRules(
            rules=replace(effective.rules, version=_version(store.pk, effective)),
            origin=effective.origin,
            overruled=effective.overruled,
            order=order_of(policy),
            situation=Situation(
                active=store.status == Store.Status.ACTIVE, panic=store.pk in stopped or None in stopped
            ),
        )
    return found


def _of(ids: list[int]) -> Any:
    from django.db.models import Q

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
        # not before the commit: the id of a row that was rolled back would stand in the ledger for ever
        transaction.on_commit(partial(_remember, store_id, effective.rules, known))
    return known


def _remember(store_id: int, rules: PolicyRules, version: int) -> None:
    if len(_versions) > 10_000:
        _versions.clear()
    _versions[store_id, rules] = version
