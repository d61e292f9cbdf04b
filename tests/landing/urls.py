"""A site that serves its other pages by Wagtail, too."""

from django.urls import include, path

from smsflow_site.urls import urlpatterns as own

urlpatterns = [*own[:-1], path("", include("wagtail.urls"))]
