"""Count all figures anew from the facts, and credit orders anew if asked to."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from smsflow_plugin.attribution.recompute import recompute
from smsflow_plugin.engine import offers
from smsflow_plugin.measurement.rollups import rebuild
from smsflow_plugin.stores.models import Store


class Command(BaseCommand):
    help = "Counts the figures of all days anew, of one store or of all. The worker counts what changes by itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--store", type=int, help="The id of one store; all stores without it.")
        parser.add_argument(
            "--credit", action="store_true", help="Credit orders to texts anew first, by the stores' present windows."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        stores = Store.objects.order_by("pk")
        if options["store"] is not None:
            stores = stores.filter(pk=options["store"])
            if not stores:
                raise CommandError(_("There is no such store."))
        for store in stores:
            changed = recompute(store, offers.gifts) if options["credit"] else 0
            values = {"store": store, "days": rebuild(store), "orders": changed}
            self.stdout.write(_("%(store)s: %(days)d days counted, %(orders)d orders credited otherwise.") % values)
