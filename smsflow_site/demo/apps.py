from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "smsflow_site.demo"
    label = "smsflow_site_demo"
    verbose_name = "SMSFlow: demo data"
