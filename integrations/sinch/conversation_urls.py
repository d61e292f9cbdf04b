"""The addresses that the Conversation API calls, below ``sinch_conversation/``."""

from django.urls import path

from smsflow_plugin.integrations.sinch.conversation_callbacks import callbacks

urlpatterns = [
    path("<str:token>/callbacks/", callbacks, name="callbacks"),
    # a redirect to the address with the slash would lose the body
    path("<str:token>/callbacks", callbacks),
]
