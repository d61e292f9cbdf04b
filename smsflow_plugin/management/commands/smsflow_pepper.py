"""Print what numbers are hashed with now, to be kept in the settings."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from smsflow_plugin.audience.phone_keys import peppers


class Command(BaseCommand):
    help = (
        "Prints the value for SMSFLOW['PHONE_PEPPER'] (one text a line, the newest first) with which every number "
        "on the suppression list is still found. It is a secret."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            texts = peppers()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        for text in texts:
            self.stdout.write(text)
