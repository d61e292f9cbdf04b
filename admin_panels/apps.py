from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AdminPanelsConfig(AppConfig):
    name = "smsflow_plugin.admin_panels"
    label = "smsflow_admin"
    verbose_name = _("SMSFlow: admin")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from smsflow_plugin.admin_panels import landing

        landing.register()
