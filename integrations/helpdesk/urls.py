"""The address that a store's help desk calls, below ``helpdesk/``: see ``SMSFLOW["WEBHOOK_URLS"]``."""

from django.urls import path

from smsflow_plugin.integrations.helpdesk.callbacks import cases

urlpatterns = [
    path("<str:token>/cases/", cases, name="cases"),
    # a redirect to the address with the slash would lose the body
    path("<str:token>/cases", cases),
]
