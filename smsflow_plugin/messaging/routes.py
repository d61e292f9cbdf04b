"""Ways out of a store: its numbers and names, each with the connection that sends from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.messaging.senders import Sender
from smsflow_plugin.messaging.settling import paused_until
from smsflow_plugin.stores.models import Connection, Store


@dataclass(frozen=True, slots=True)
class Lane:
    """One way out: an address of a store and the connection behind it. ``rate`` is its own, in texts a second."""

    store_id: int
    address: str
    connection_id: int
    channel: str = Sender.Channel.SMS.value
    rate: Decimal | None = None
    #: The row of the sender; None for ``Store.sender`` where it has none.
    sender_id: int | None = None


class Routes:
    """The ways out of all stores that may send."""

    def __init__(
        self, defaults: Mapping[int, Lane], named: Mapping[int, Mapping[str, Lane]], resting: Mapping[int, datetime]
    ) -> None:
        """``defaults`` and ``named`` are by store; ``resting`` says until when connections take nothing."""
        self._defaults = defaults
        self._named = named
        self._resting = resting

    @property
    def store_ids(self) -> list[int]:
        return list(self._defaults)

    @property
    def resting_until(self) -> list[datetime]:
        used = {lane.connection_id for lane in self.lanes()}
        return [until for pk, until in self._resting.items() if pk in used]

    def lane(self, store_id: int, sender: str) -> Lane:
        """Return the way that a text takes. One from an address that is none of the store's takes the default way."""
        return self._named.get(store_id, {}).get(sender) or self._defaults[store_id]

    def lanes(self) -> list[Lane]:
        return [lane for store_id in self._defaults for lane in self._of_store(store_id)]

    def ready(self) -> list[Lane]:
        """Return the ways whose connections do not rest."""
        return [lane for lane in self.lanes() if lane.connection_id not in self._resting]

    def texts_of(self, lanes: Collection[Lane]) -> Q:
        """Return the condition for messages that take one of these ways."""
        wanted: dict[int, set[Lane]] = defaultdict(set)
        for lane in lanes:
            wanted[lane.store_id].add(lane)
        whole = [store_id for store_id, own in wanted.items() if len(own) == len(self._of_store(store_id))]
        found = Q(store_id__in=whole)
        for store_id, own in wanted.items():
            if store_id in whole:
                continue
            named = self._named.get(store_id, {})
            if self._defaults[store_id] in own:
                others = [address for address, lane in named.items() if lane not in own]
                found |= Q(store_id=store_id) & ~Q(sender__in=others)
            else:
                found |= Q(store_id=store_id, sender__in=[address for address, lane in named.items() if lane in own])
        return found

    def _of_store(self, store_id: int) -> list[Lane]:
        named = self._named.get(store_id, {})
        default = self._defaults[store_id]
        return [*named.values()] if default.address in named else [*named.values(), default]


def routes(now: datetime, *, store_id: int | None = None) -> Routes:
    """Return the ways out of all active stores that are connected to a gateway, or of one of them. Two queries.

    Of several connections, the one whose kind stands first in the setting GATEWAYS sends by default.
    """
    kinds = list(smsflow_settings.GATEWAYS)
    rows = Connection.objects.filter(kind__in=kinds, store__status=Store.Status.ACTIVE)
    if store_id is not None:
        rows = rows.filter(store_id=store_id)
    columns = ("store_id", "store__sender", "pk", "kind", "settings")
    found: Iterable[Any] = sorted(rows.values_list(*columns), key=lambda row: (kinds.index(row[3]), row[2]))
    defaults: dict[int, Lane] = {}
    resting: dict[int, datetime] = {}
    connected: dict[int, int] = {}
    for owner, address, pk, _kind, settings in found:
        defaults.setdefault(owner, Lane(owner, address, pk))
        connected[pk] = owner
        until = paused_until(settings)
        if until and until > now:
            resting[pk] = until
    named = _named(defaults, connected)
    # the store's own sender may have a row, too: then what that says holds for it
    own = {owner: named[owner].get(lane.address, lane) for owner, lane in defaults.items()}
    return Routes(own, named, resting)


def _named(defaults: Mapping[int, Lane], connected: Mapping[int, int]) -> dict[int, dict[str, Lane]]:
    found: dict[int, dict[str, Lane]] = {store_id: {} for store_id in defaults}
    rows = Sender.objects.filter(store_id__in=list(defaults)).order_by("position", "pk")
    columns = ("pk", "store_id", "address", "connection_id", "channel", "texts_per_second")
    for pk, store_id, address, connection_id, channel, rate in rows.values_list(*columns):
        # one that leads through no gateway of this store goes the way of all
        mine = connection_id if connected.get(connection_id) == store_id else defaults[store_id].connection_id
        found[store_id][address] = Lane(store_id, address, mine, channel, rate, pk)
    return found
