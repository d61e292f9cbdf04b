"""Take away what is personal and older than it may be kept. The worker does so every night."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from smsflow_plugin.engine.purging import due, periods, purge
from smsflow_plugin.measurement.purging import KINDS


class Command(BaseCommand):
    help = "Blanks what is personal and older than SMSFLOW['RETENTION'] allows; the worker does so every night."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only say how many rows there are.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            counts = due(KINDS) if options["dry_run"] else purge(KINDS)
        except ValueError as error:
            raise CommandError(str(error)) from error
        for kind, count in counts.items():
            values = {"kind": kind, "days": periods()[kind], "count": count}
            self.stdout.write(_("%(kind)s older than %(days)d days: %(count)d.") % values)
