"""Encrypt all stored credentials anew with the first of the configured keys."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.models import Connection, Suppression
from smsflow_plugin.stores.crypto import CannotDecrypt


class Command(BaseCommand):
    help = (
        "Encrypts all stored credentials anew with the first key of SMSFLOW['ENCRYPTION_KEYS']. "
        "Afterwards the other keys are no longer needed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = rotate()
        except (CannotDecrypt, ImproperlyConfigured) as error:
            raise CommandError(_("Nothing was changed. %(error)s") % {"error": error}) from error
        self.stdout.write(_("Encrypted the credentials of %(count)d connections anew.") % {"count": count})
        if not smsflow_settings.PHONE_PEPPER and Suppression.objects.exists():
            warning = _(
                "Keep the old keys: the suppression list hangs on them. "
                "Set SMSFLOW['PHONE_PEPPER'] to what “manage.py smsflow_pepper” prints, and then remove them."
            )
            self.stdout.write(self.style.WARNING(warning))


@transaction.atomic
def rotate() -> int:
    """Write every connection's secrets again, all or none, and return how many there are.

    :raises CannotDecrypt: if a value was encrypted with a key that is no longer configured.
    """
    connections = list(Connection.objects.select_for_update().only("secrets"))
    Connection.objects.bulk_update(connections, ["secrets"], batch_size=500)
    return len(connections)
