"""Tell the running phone network which stores send through it, and what time it is."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from smsflow_plugin import clock
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.integrations.simulator.network.client import NetworkClient, NetworkUnavailable
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
                network.configure_plan(
                    connection.account,
                    token=connection.secrets.get("api_token", ""),
                    callback_url=callback_url(connection),
                    callback_secret=connection.secrets.get("callback_secret", ""),
                )
            # it may have been started after a "fast-forward"
            network.set_clock(clock.now())
        except NetworkUnavailable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_("The phone network serves %(count)d stores.") % {"count": len(connections)})


def simulated_connections() -> list[Connection]:
    """Return the connections whose gateway is the phone network on this machine."""
    connections = Connection.objects.filter(kind="sinch").order_by("pk")
    return [
        one for one in connections if one.settings.get("base_url", "").rstrip("/") == smsflow_settings.SIMULATOR_URL
    ]


def callback_url(connection: Connection) -> str:
    gateway = SinchGateway(
        token=connection.token, account=connection.account, secrets=connection.secrets, settings=connection.settings
    )
    return gateway.callback_url
