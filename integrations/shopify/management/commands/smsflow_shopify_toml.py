"""Writes the ``shopify.app.toml`` of an app, for Shopify's CLI to deploy."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from smsflow_plugin.integrations.shopify.models import ShopifyApp
from smsflow_plugin.integrations.shopify.toml_of import toml_of


class Command(BaseCommand):
    help = "Writes the shopify.app.toml of an app: its addresses, scopes, and the webhooks that the law wants."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("app", help="The client ID or the name of the app.")

    def handle(self, *args: Any, app: str, **options: Any) -> None:
        found = list(ShopifyApp.objects.filter(Q(client_id=app) | Q(name=app)).order_by("pk")[:2])
        if len(found) != 1:
            raise CommandError(f"There is no app {app!r}, or more than one. Use its client ID.")
        self.stdout.write(toml_of(found[0]), ending="")
