"""Run the simulated phone network in the foreground."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.integrations.simulator.network import Network, serve
from smsflow_plugin.integrations.simulator.network.server import Companion


class Command(BaseCommand):
    help = "Runs the simulated phone network, which speaks Sinch's SMS API. For the demo and for tests."
    # it needs no database of the site, and must start before there is one
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        address = urlsplit(smsflow_settings.SIMULATOR_URL)
        parser.add_argument("--host", default=address.hostname or "127.0.0.1")
        parser.add_argument("--port", type=int, default=address.port or 8089, help="0 takes a free one.")
        parser.add_argument("--database", default=":memory:", help="A file in which the network remembers.")
        parser.add_argument("--delay", type=float, default=0.0, help="Seconds from dispatch to delivery.")
        parser.add_argument("--pace", type=float, default=1.0, help="Factor on the pauses between callback attempts.")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_args: stop.set())
        if options["database"] != ":memory:":
            Path(options["database"]).parent.mkdir(parents=True, exist_ok=True)
        network = Network(options["database"], delay=options["delay"], pace=options["pace"])
        try:
            shops = stand_in_shops(options["database"], network, pace=options["pace"])
            server = serve(network, options["port"], host=options["host"], companions=shops)
        except OSError as error:
            raise CommandError(_("The address is not free: %(error)s.") % {"error": error.strerror}) from error
        self.stdout.write(_("The simulated phone network answers at %(url)s.") % {"url": server.url})
        self.stdout.flush()
        stop.wait()
        server.stop()


def stand_in_shops(database: str, network: Network, *, pace: float) -> list[Companion]:
    """Return the stand-in Shopify, which answers at the same address; none where graphql-core is not installed."""
    try:
        from smsflow_plugin.integrations.simulator.shopify_api import Shops
    except ImportError:
        return []
    path = database if database == ":memory:" else Path(database).with_suffix(".shops.sqlite3")
    # one clock for both vendors: whoever moves the time moves it for the shop too
    return [Shops(path, clock=network.clock, pace=pace)]
