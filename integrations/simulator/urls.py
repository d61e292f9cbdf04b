"""What the simulated shop calls for things of which Shopify itself tells nothing."""

from django.urls import path

from smsflow_plugin.integrations.simulator.receiving import receive

urlpatterns = [path("webhooks/", receive, name="webhooks")]
