"""The site's addresses, with those of the simulated shop's own webhooks."""

from django.urls import include, path

from smsflow_plugin.urls import urlpatterns as of_the_plugin

simulator = ("smsflow_plugin.integrations.simulator.urls", "simulator")
with_simulator = [*of_the_plugin, path("simulator/", include(simulator, namespace="simulator"))]
urlpatterns = [path("smsflow/", include((with_simulator, "smsflow"), namespace="smsflow"))]
