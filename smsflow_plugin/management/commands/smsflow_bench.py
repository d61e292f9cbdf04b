"""Measure how fast the flows run on this machine and database."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from smsflow_plugin.measurement.benchmark import Bench, CannotMeasure

#: So many Danish numbers of one prefix there are for both halves of the run.
MOST = 450_000


class Command(BaseCommand):
    help = (
        "Runs contacts through a flow (enter, send, wait, branch, send) on the configured database, with the real "
        "pumps and a gateway that sends nothing, and writes the same rows in bare SQL beside it. Everything happens "
        "in a store that is deleted afterwards."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--contacts", type=int, default=3000, help="People who run through the flow (3000).")
        parser.add_argument("--waiting", type=int, default=0, help="People who wait in the flow meanwhile (0).")
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["contacts"] <= MOST:
            raise CommandError(f"--contacts must lie between 1 and {MOST}.")
        if options["waiting"] < 0:
            raise CommandError("--waiting cannot be negative.")
        bench = Bench(options["contacts"], options["waiting"], tell=lambda text: self.stderr.write(text))
        try:
            figures = bench.run()
        except CannotMeasure as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped; nothing was left behind.") from error
        if options["json"]:
            self.stdout.write(json.dumps(figures, indent=2))
        else:
            for name, value in figures.items():
                self.stdout.write(f"{name.replace('_', ' ')}: {value if value is not None else 'unknown'}")
