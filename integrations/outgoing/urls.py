"""What people reach from their e-mails."""

from django.urls import path

from smsflow_plugin.integrations.outgoing.unsubscribing import unsubscribe

app_name = "outgoing"
urlpatterns = [path("emails/<str:token>/", unsubscribe, name="unsubscribe")]
