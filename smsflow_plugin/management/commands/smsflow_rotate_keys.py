"""Encrypt all stored credentials anew with the first of the configured keys."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.models import Connection, Suppression
from smsflow_plugin.stores.crypto import CannotDecrypt, EncryptedJSONField


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
    """Write everything that is encrypted again, all or none, and return how many connections there are.

    Adapters keep secrets of their own (apps, tokens), so all models are looked through. Rows are locked: a token that a
    worker renews meanwhile must not be overwritten with the old one.

    :raises CannotDecrypt: if a value was encrypted with a key that is no longer configured.
    """
    counts = {}
    for model in apps.get_models():
        names = [field.name for field in model._meta.local_fields if isinstance(field, EncryptedJSONField)]
        if names:
            rows = list(model._base_manager.select_for_update().only(*names).order_by("pk"))
            model._base_manager.bulk_update(rows, names, batch_size=500)
            counts[model] = len(rows)
    return counts[Connection]
