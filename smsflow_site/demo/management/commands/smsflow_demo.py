"""Make the demo's stores, people, past and users, once."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from smsflow_plugin import clock
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.models import Connection, Store
from smsflow_site.demo.history import live_through
from smsflow_site.demo.pages import create_pages
from smsflow_site.demo.shops import (
    LOGINS,
    PASSWORD,
    STORES,
    create_stores,
    create_users,
    enable_flows,
    point_at_simulator,
)
from smsflow_site.demo.talks import set_up


class Command(BaseCommand):
    help = "Fills the site with two stores, their people and three weeks of their past. A second run changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--serve", action="store_true", help="Then run the site, see smsflow_serve.")
        parser.add_argument("--network-database", default=":memory:", help="Passed on to smsflow_serve.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not smsflow_settings.DEMO:
            raise CommandError("The demo's passwords and secrets are known to everybody: set SMSFLOW_DEMO=1 first.")
        if Connection.objects.filter(kind="shopify", account__in=STORES).exists():
            point_at_simulator()
        else:
            self.create()
        self.stdout.write("")
        self.stdout.write(f"  Address   {smsflow_settings.PUBLIC_URL}/admin/")
        for login in LOGINS:
            self.stdout.write(f"  Log in    {login.name:<12} password {PASSWORD}   ({login.does})")
        self.stdout.write("")
        self.stdout.flush()
        if options["serve"]:
            call_command("smsflow_serve", network_database=options["network_database"])

    @transaction.atomic
    def create(self) -> None:
        """All or nothing, so that a run that was cut short is simply made again."""
        self.stdout.write("Letting two stores live through three weeks …")
        self.stdout.flush()
        live_through(clock.now(), prepare=self.prepare, tell=self.show)

    def prepare(self) -> list[Store]:
        stores = create_stores()
        create_users()
        enable_flows(stores)
        set_up(dict(zip(STORES, stores, strict=True)))
        create_pages(stores)
        return stores

    def show(self, done: int, total: int) -> None:
        if sys.stdout.isatty():
            self.stdout.write(f"\r  {done} of {total} happenings", ending="\n" if done == total else "")
            self.stdout.flush()
