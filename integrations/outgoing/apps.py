from django.apps import AppConfig


class OutgoingConfig(AppConfig):
    name = "smsflow_plugin.integrations.outgoing"
    label = "smsflow_outgoing"
    verbose_name = "SMSFlow: e-mails and webhooks"
    default_auto_field = "django.db.models.BigAutoField"
