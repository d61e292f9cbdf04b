"""Which connection sends for a store, and the gateway behind it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from datetime import datetime

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.messaging.gateway import Gateway, GatewayUnavailable, OutboundText, Outcome, Rejected, gateway_for
from smsflow_plugin.messaging.settling import PAUSE, paused_until
from smsflow_plugin.stores.crypto import CannotDecrypt
from smsflow_plugin.stores.models import Connection, Store

logger = logging.getLogger(__name__)


def sendable(now: datetime) -> tuple[dict[int, int], list[datetime]]:
    """Return the connection to send through by store, and until when others rest.

    Stores that are not active, or are not connected to a gateway, have none. Of
    several, the one whose kind stands first in the setting GATEWAYS sends.
    """
    kinds = list(smsflow_settings.GATEWAYS)
    rows = Connection.objects.filter(kind__in=kinds, store__status=Store.Status.ACTIVE)
    found: dict[int, tuple[int, datetime | None]] = {}
    for store_id, pk, _kind, settings in sorted(
        rows.values_list("store_id", "pk", "kind", "settings"), key=lambda row: kinds.index(row[2])
    ):
        found.setdefault(store_id, (pk, paused_until(settings)))
    ready = {store_id: pk for store_id, (pk, until) in found.items() if until is None or until <= now}
    return ready, [until for _pk, until in found.values() if until and until > now]


class Gateways:
    """The gateways of these connections, made with one query. What cannot be made refuses everything."""

    def __init__(self, connection_ids: Collection[int]) -> None:
        self._made = {connection.pk: _make(connection) for connection in _load(connection_ids)}

    def __getitem__(self, connection_id: int) -> Gateway:
        return self._made.get(connection_id) or Broken("The connection was removed.")


def _load(connection_ids: Collection[int]) -> Iterable[Connection]:
    if not connection_ids:
        return []
    try:
        return list(Connection.objects.filter(pk__in=connection_ids))
    except CannotDecrypt:
        # one of them; the others shall not suffer for it
        return list(Connection.objects.filter(pk__in=connection_ids).defer("secrets"))


def _make(connection: Connection) -> Gateway:
    try:
        settings = {key: value for key, value in connection.settings.items() if key != PAUSE}
        return gateway_for(
            connection.kind,
            token=connection.token,
            account=connection.account,
            secrets=connection.secrets,
            settings=settings,
        )
    except Exception as error:
        logger.exception("The gateway of connection %s cannot be used.", connection.pk)
        return Broken(f"The connection's settings cannot be used: {error}")


class Broken:
    """Stands for a gateway that cannot even be asked, because of how it is set up."""

    max_recipients = 1000

    def __init__(self, detail: str) -> None:
        self.detail = detail

    def send(self, text: OutboundText) -> Outcome:
        return Rejected(self.detail, fatal=True)

    def find(self, reference: str, *, since: datetime) -> str | None:
        raise GatewayUnavailable(self.detail)

    def check(self) -> str:
        raise GatewayUnavailable(self.detail)
