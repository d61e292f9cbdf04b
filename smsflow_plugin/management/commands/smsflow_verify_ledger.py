"""Check that the ledger of consent is as it was written, and say where it is not."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.audience.ledger import Broken, broken_chains
from smsflow_plugin.audience.ledger_chain import Fault
from smsflow_plugin.audience.ledger_protection import is_protected
from smsflow_plugin.models import ConsentRecord, Contact

_FAULTS = {
    Fault.UNCHAINED: gettext_lazy("it was not written by SMSFlow"),
    Fault.CONTENT: gettext_lazy("its wording, number or evidence was changed"),
    Fault.DISCLOSURE: gettext_lazy("the disclosure was changed"),
    Fault.FACTS: gettext_lazy("what it says was changed"),
    Fault.LINK: gettext_lazy("it does not follow from the line before it; lines are missing or were put in"),
    Fault.END: gettext_lazy("the newest lines are missing"),
}


class Command(BaseCommand):
    help = "Checks the chain of every person's lines in the ledger of consent; exits with 1 if one is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--store", type=int, help="The id of a store; all stores without it.")

    def handle(self, *args: Any, **options: Any) -> None:
        problems = 0
        if not is_protected(connection):
            problems += 1
            self.stdout.write(self.style.ERROR(_("The database does not protect the ledger. Run: manage.py migrate")))
        contacts = Contact.objects.filter(
            Q(Exists(ConsentRecord.objects.filter(contact_id=OuterRef("pk")))) | ~Q(ledger_head="")
        )
        if options["store"]:
            contacts = contacts.filter(store_id=options["store"])
        for broken in broken_chains(contacts):
            problems += 1
            self.stdout.write(self.style.ERROR(self._told(broken)))
        if problems:
            sys.exit(1)
        self.stdout.write(_("The ledger holds: %(count)d people, none of whose lines was changed.") % {
            "count": contacts.count()
        })  # fmt: skip

    def _told(self, broken: Broken) -> str:
        values = {
            "store": broken.store_id,
            "contact": broken.contact_id,
            "line": broken.found.record,
            "fault": _FAULTS[broken.found.fault],
        }
        if broken.found.record is None:
            return _("Store %(store)d, contact %(contact)d: %(fault)s.") % values
        return _("Store %(store)d, contact %(contact)d, line %(line)d: %(fault)s.") % values
