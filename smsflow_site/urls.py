from django.urls import include, path
from django.views.generic import RedirectView
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

urlpatterns = [
    path("admin/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("smsflow/", include("smsflow_plugin.urls")),
    path("", RedirectView.as_view(pattern_name="wagtailadmin_home")),
]
