"""Where the pages of a store's comparison and import are found."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path
from wagtail.admin.viewsets.base import ViewSet

from smsflow_plugin.admin_panels.scoping import ScopedViewSetMixin
from smsflow_plugin.admin_panels.shopify_sync import views


class ShopifySyncViewSet(ScopedViewSetMixin, ViewSet):  # type: ignore[misc]
    name = "smsflow_store_sync"
    url_prefix = "smsflow/shopify-sync"
    icon = "history"

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return {
            "object_url_name": self.get_url_name("index"),
            "index_url_name": "smsflow_stores:index",
            "store_url_name": "smsflow_stores:edit",
            **kwargs,
        }

    def get_urlpatterns(self) -> list[URLPattern]:
        names = {name: self.get_url_name(name) for name in ("compare", "import", "cancel", "resume", "progress")}
        return [
            path("<int:pk>/", self.construct_view(views.SyncPage, names=names), name="index"),
            path("<int:pk>/compare/", self.construct_view(views.CompareView), name="compare"),
            path("<int:pk>/import/", self.construct_view(views.ImportView), name="import"),
            path("<int:pk>/cancel/", self.construct_view(views.CancelView), name="cancel"),
            path("<int:pk>/resume/", self.construct_view(views.ResumeView), name="resume"),
            path("<int:pk>/progress/", self.construct_view(views.ProgressView), name="progress"),
        ]
