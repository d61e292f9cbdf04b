from pathlib import Path

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.static import serve
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls


def small_copy(request: HttpRequest, path: str) -> HttpResponseBase:
    return serve(request, path, document_root=Path(settings.MEDIA_ROOT) / "images")


urlpatterns = [
    path("admin/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    # small copies of images alone, which phone networks fetch: what was uploaded may say where it was taken
    path("media/images/<path:path>", small_copy),
    path("smsflow/", include("smsflow_plugin.urls")),
    path("", RedirectView.as_view(pattern_name="wagtailadmin_home")),
]
