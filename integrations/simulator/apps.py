from django.apps import AppConfig


class SimulatorConfig(AppConfig):
    name = "smsflow_plugin.integrations.simulator"
    label = "smsflow_simulator"
    verbose_name = "SMSFlow: Simulator"
    default_auto_field = "django.db.models.BigAutoField"
