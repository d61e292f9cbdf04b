"""Say whether texts can get out, and what to do if not."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smsflow_plugin.management.doctor import examine


class Command(BaseCommand):
    help = "Checks settings, database, queue, worker, gateways and webhooks; exits with 1 if something is wrong."
    # they are one of the examinations, and must not keep the others from being made
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the findings as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        problems = 0
        findings = []
        for finding in examine():
            problems += not finding.ok
            findings.append(finding.as_json())
            if not options["json"]:
                style = self.style.SUCCESS if finding.ok else self.style.ERROR
                self.stdout.write(f"{style('ok     ' if finding.ok else 'PROBLEM')} {finding.area}: {finding.message}")
                if finding.remedy:
                    self.stdout.write(f"        {finding.remedy}")
        if options["json"]:
            self.stdout.write(json.dumps({"ok": not problems, "findings": findings}, ensure_ascii=False, indent=2))
        elif problems:
            text = ngettext("%(count)d thing needs your attention.", "%(count)d things need your attention.", problems)
            self.stdout.write(text % {"count": problems})
        else:
            self.stdout.write(_("All is well."))
        if problems:
            sys.exit(1)
