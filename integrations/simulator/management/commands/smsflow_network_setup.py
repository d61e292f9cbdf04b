"""Tell the running phone network which stores send through it, and what time it is."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from smsflow_plugin import clock
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.integrations.simulator.network.client import NetworkClient, NetworkUnavailable
from smsflow_plugin.integrations.sinch.conversation_gateway import ConversationGateway
from smsflow_plugin.integrations.sinch.gateway import SinchGateway
from smsflow_plugin.models import Connection


class Command(BaseCommand):
    help = (
        "Makes a service plan in the running phone network for every store that sends through it, and sets its clock."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not smsflow_settings.SIMULATOR:
            raise CommandError(_("The simulator is switched off."))
        network = NetworkClient(smsflow_settings.SIMULATOR_URL)
        connections = simulated_connections()
        try:
            for connection in connections:
                _SET_UP[connection.kind](network, connection)
            # it may have been started after a "fast-forward"
            network.set_clock(clock.now())
        except NetworkUnavailable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_("The phone network serves %(count)d stores.") % {"count": len(connections)})


def simulated_connections() -> list[Connection]:
    """Return the connections whose gateway is the phone network on this machine."""
    connections = Connection.objects.filter(kind__in=_SET_UP).select_related("store").order_by("pk")
    return [one for one in connections if _address_of(one).rstrip("/") == smsflow_settings.SIMULATOR_URL]


def _address_of(connection: Connection) -> str:
    name = "base_url" if connection.kind == "sinch" else "conversation_origin"
    return str(connection.settings.get(name) or "")


def _set_up_plan(network: NetworkClient, connection: Connection) -> None:
    network.configure_plan(
        connection.account,
        token=connection.secrets.get("api_token", ""),
        callback_url=_gateway(SinchGateway, connection).callback_url,
        callback_secret=connection.secrets.get("callback_secret", ""),
    )


def _set_up_app(network: NetworkClient, connection: Connection) -> None:
    """The access key is the project's: stores that share a project have the same one."""
    network.configure_project(
        connection.account,
        key_id=connection.secrets.get("key_id", ""),
        key_secret=connection.secrets.get("key_secret", ""),
    )
    network.configure_app(
        str(connection.settings.get("app_id") or ""),
        project=connection.account,
        channels=("RCS", "WHATSAPP", "MMS", "SMS"),
        sender=connection.store.sender,
        region=str(connection.settings.get("region") or ""),
        mode="DISPATCH",
        callback_url=_gateway(ConversationGateway, connection).callback_url,
        callback_secret=connection.secrets.get("callback_secret", ""),
        triggers=("MESSAGE_DELIVERY", "MESSAGE_INBOUND", "OPT_OUT"),
        keeps_days=7,
    )


def _gateway(kind: type[Any], connection: Connection) -> Any:
    return kind(
        token=connection.token, account=connection.account, secrets=connection.secrets, settings=connection.settings
    )


_SET_UP = {"sinch": _set_up_plan, "sinch_conversation": _set_up_app}
