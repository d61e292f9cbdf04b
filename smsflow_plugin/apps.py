from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SMSFlowConfig(AppConfig):
    name = "smsflow_plugin"
    label = "smsflow"
    verbose_name = _("SMS flows")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from smsflow_plugin import checks  # noqa: F401 - registers the system checks
        from smsflow_plugin.stores.permissions import register_policies

        register_policies()
