from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class SMSFlowConfig(AppConfig):
    name = "smsflow_plugin"
    label = "smsflow"
    verbose_name = _("SMS flows")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from smsflow_plugin import checks  # noqa: F401 - registers the system checks
        from smsflow_plugin.landing.moderation import guard_decisions
        from smsflow_plugin.stores.permissions import register_policies

        register_policies()
        guard_decisions()
        post_migrate.connect(_create_roles, sender=self)
        post_migrate.connect(_protect_ledger, sender=self)


def _protect_ledger(*, using: str, **kwargs: Any) -> None:
    from django.db import connections

    from smsflow_plugin.audience.ledger_protection import protect

    protect(connections[using])


def _create_roles(*, using: str, **kwargs: Any) -> None:
    from django.contrib.contenttypes.models import ContentType

    from smsflow_plugin.stores.roles import ensure_roles

    # "flush" sends this signal, too, and leaves a cache of types that are gone
    ContentType.objects.clear_cache()
    ensure_roles(using)
