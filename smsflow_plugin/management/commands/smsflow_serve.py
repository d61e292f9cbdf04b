"""Run the site, its worker and, where it is switched on, the simulated phone network."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.management.children import Child, stop

#: Seconds in which the site must answer.
START_TIMEOUT = 60.0
POLL = 0.2


class Command(BaseCommand):
    help = "Runs the site and its worker in one terminal: the embedded default, for one machine."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="The address to listen on (default 127.0.0.1).")
        parser.add_argument(
            "--port", type=int, default=int(os.environ.get("PORT") or 8000), help="Default: $PORT or 8000."
        )
        parser.add_argument(
            "--network-database",
            default=":memory:",
            help="The file in which the simulated phone network remembers its texts (default: it forgets them).",
        )
        parser.add_argument("--threads", type=int, default=8, help="Threads that answer requests (default 8).")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stopping = False
        self.network_database = options["network_database"]
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.ask_to_stop)
        host, port = options["host"], options["port"]
        self.refuse_taken_port(host, port, "PORT")
        children: list[Child] = []
        try:
            self.start(children, host, port, options["threads"])
            self.watch(children)
        finally:
            stop(children)
        self.stdout.write("Stopped.")

    def ask_to_stop(self, *args: object) -> None:
        self.stopping = True

    def start(self, children: list[Child], host: str, port: int, threads: int) -> None:
        if smsflow_settings.SIMULATOR:
            url = urlsplit(smsflow_settings.SIMULATOR_URL)
            network_host, network_port = url.hostname or "127.0.0.1", url.port or 80
            self.refuse_taken_port(network_host, network_port, "SMSFLOW_SIMULATOR_URL")
            memory = ("--database", self.network_database)
            children.append(self.child("phone network", "django", "smsflow_network", *memory))
            if self.wait_for(children, network_host, network_port):
                call_command("smsflow_network_setup", skip_checks=True, stdout=StringIO())
                if str(smsflow_settings.SHOPIFY_URL).startswith(smsflow_settings.SIMULATOR_URL):
                    call_command("smsflow_shops_setup", skip_checks=True, stdout=StringIO())
        children.append(self.child("web", "gunicorn", *web_arguments(host, port, threads)))
        children.append(self.child("worker", "django", "run_huey", "--skip-checks"))
        if self.wait_for(children, host, port):
            self.stdout.write(
                f"SMSFlow runs at {smsflow_settings.PUBLIC_URL}/ (listening on {host}:{port}). Stop it with Ctrl-C."
            )
            self.stdout.flush()

    def child(self, name: str, module: str, *arguments: str) -> Child:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
            # the site need not be installed: what this process can import, its children can
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "PYTHONUNBUFFERED": "1",
        }
        return Child(name, module, arguments, environment=environment)

    def watch(self, children: list[Child]) -> None:
        while not self.stopping:
            self.refuse_dead(children)
            time.sleep(POLL)

    def wait_for(self, children: list[Child], host: str, port: int) -> bool:
        """Return whether something answers at the port; False means that we were asked to stop meanwhile."""
        deadline = time.monotonic() + START_TIMEOUT
        while not self.stopping:
            self.refuse_dead(children)
            if answers(host, port):
                return True
            if time.monotonic() > deadline:
                raise CommandError(f"Nothing answered at {host}:{port} within {START_TIMEOUT:.0f} seconds.")
            time.sleep(POLL)
        return False

    def refuse_dead(self, children: list[Child]) -> None:
        for child in children:
            if child.exit_code is not None:
                raise CommandError(f"The {child.name} ended by itself (exit code {child.exit_code}).")

    def refuse_taken_port(self, host: str, port: int, variable: str) -> None:
        if answers(host, port):
            raise CommandError(f"Something already listens on {host}:{port}. Choose another port with {variable}.")


def web_arguments(host: str, port: int, threads: int) -> list[str]:
    """One process with threads: SQLite has one writer anyway, and Wagtail's memory is paid once."""
    module, _, name = settings.WSGI_APPLICATION.rpartition(".")
    return [
        f"{module}:{name}",
        *("--bind", f"{host}:{port}"),
        *("--worker-class", "gthread", "--workers", "1", "--threads", str(threads)),
        *("--graceful-timeout", "5", "--log-level", "warning"),
        # the file with which a worker shows that it is alive must not be on a slow disk
        *(("--worker-tmp-dir", "/dev/shm") if os.path.isdir("/dev/shm") else ()),  # noqa: S108
        "--no-control-socket",
    ]


def answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1" if host == "0.0.0.0" else host, port), timeout=1):  # noqa: S104
            return True
    except OSError:
        return False
