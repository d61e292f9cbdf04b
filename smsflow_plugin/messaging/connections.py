"""The gateways behind connections."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from datetime import datetime

from smsflow_plugin.messaging.gateway import (
    Capabilities,
    Gateway,
    GatewayUnavailable,
    Listed,
    OutboundText,
    Outcome,
    Rejected,
    gateway_for,
)
from smsflow_plugin.messaging.settling import PAUSE
from smsflow_plugin.stores.crypto import CannotDecrypt
from smsflow_plugin.stores.models import Connection

logger = logging.getLogger(__name__)


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
    capabilities = Capabilities()

    def __init__(self, detail: str) -> None:
        self.detail = detail

    def send(self, text: OutboundText) -> Outcome:
        return Rejected(self.detail, fatal=True)

    def find(self, reference: str, *, since: datetime) -> str | None:
        raise GatewayUnavailable(self.detail)

    def inbounds(self, *, since: datetime) -> Iterable[Listed]:
        raise GatewayUnavailable(self.detail)

    def check(self) -> str:
        raise GatewayUnavailable(self.detail)
