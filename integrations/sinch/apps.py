from django.apps import AppConfig


class SinchConfig(AppConfig):
    name = "smsflow_plugin.integrations.sinch"
    label = "smsflow_sinch"
    verbose_name = "SMSFlow: Sinch"
    default_auto_field = "django.db.models.BigAutoField"
