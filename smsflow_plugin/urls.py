"""What vendors call. Include under a path of your choice, for example ``smsflow/``."""

from django.urls import URLPattern, URLResolver

app_name = "smsflow"
urlpatterns: list[URLPattern | URLResolver] = []
