"""What vendors call. Include it under a path of your choice, for example ``smsflow/``."""

from django.urls import URLPattern, URLResolver, include, path

from smsflow_plugin.conf import smsflow_settings

app_name = "smsflow"
urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{prefix}/", include((module, prefix), namespace=prefix))
    for prefix, module in smsflow_settings.WEBHOOK_URLS.items()
]
