"""The addresses that Sinch calls, below ``sinch/``: see ``SMSFLOW["WEBHOOK_URLS"]``."""

from django.urls import path

from smsflow_plugin.integrations.sinch.callbacks import callbacks

urlpatterns = [
    path("<str:token>/callbacks/", callbacks, name="callbacks"),
    # a redirect to the address with the slash would lose the body, and Sinch does not repeat it
    path("<str:token>/callbacks", callbacks),
]
