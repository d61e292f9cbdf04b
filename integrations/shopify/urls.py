"""What Shopify calls. With and without the slash: to Shopify a redirect is a failure."""

from django.urls import path

from smsflow_plugin.integrations.shopify.install_views import callback, install
from smsflow_plugin.integrations.shopify.pixel import receive_visit
from smsflow_plugin.integrations.shopify.views import receive

urlpatterns = [
    path("webhooks/", receive, name="webhooks"),
    path("webhooks", receive),
    # where merchants' browsers are sent, with the addresses that shopify.app.toml names
    path("install/", install, name="install"),
    path("callback/", callback, name="callback"),
    path("pixel/<str:token>/", receive_visit, name="pixel"),
    path("pixel/<str:token>", receive_visit),
]
