"""Shows the weekly report of a store, or sends it to one user now."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from wagtail.permissions import policy_registry

from smsflow_plugin.measurement.models import FlowStat
from smsflow_plugin.measurement.weekly.telling import letter_now, send_now
from smsflow_plugin.stores.models import Store


class Command(BaseCommand):
    help = "Shows the weekly report of a store as a user would get it; with --send it goes to them now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("store", type=int, help="The id of the store.")
        parser.add_argument("user", help="The name of the user.")
        parser.add_argument("--send", action="store_true", help="Send it to the user's e-mail address.")
        parser.add_argument("--html", action="store_true", help="Show the HTML instead of the text.")

    def handle(self, *args: Any, store: int, user: str, send: bool, html: bool, **options: Any) -> None:
        found = Store.objects.filter(pk=store).first()
        reader = get_user_model()._default_manager.filter(**{get_user_model().USERNAME_FIELD: user}).first()
        policy = policy_registry.get_by_type(FlowStat)
        if found is None or reader is None:
            raise CommandError("There is no such store, or no such user.")
        if not policy.user_has_permission_for_instance(reader, "view", FlowStat(store=found)):
            raise CommandError("This user may not see the figures of this store.")
        if not send:
            letter = letter_now(found, reader)
            self.stdout.write(letter.html if html else f"{letter.subject}\n\n{letter.text}")
            return
        if not reader.email:
            raise CommandError("This user has no e-mail address.")
        send_now(found, reader)
        self.stdout.write(f"On its way to {reader.email}.")
