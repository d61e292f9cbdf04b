"""The addresses of the pages with figures, and their line in the menu."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy
from wagtail.admin.menu import MenuItem
from wagtail.admin.viewsets.base import ViewSet

from smsflow_plugin.admin_panels.dashboards.all_stores import AllStoresPage
from smsflow_plugin.admin_panels.dashboards.flow_page import FlowFiguresPage
from smsflow_plugin.admin_panels.dashboards.pages import may_see_some
from smsflow_plugin.admin_panels.dashboards.store_page import StoreFiguresPage
from smsflow_plugin.admin_panels.scoping import ScopedViewSetMixin


class FiguresMenuItem(MenuItem):  # type: ignore[misc]
    def is_shown(self, request: HttpRequest) -> bool:
        return may_see_some(request.user)


class FiguresViewSet(ScopedViewSetMixin, ViewSet):  # type: ignore[misc]
    """The mixin finds each page's store or flow among those that the user may see: others are a 404."""

    name = "smsflow_figures"
    url_prefix = "smsflow/figures"
    icon = "smsflow-figures"
    menu_label = gettext_lazy("Figures")
    menu_order = 195

    @cached_property
    def menu_item_class(self) -> type[MenuItem]:
        return FiguresMenuItem

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", self.construct_view(AllStoresPage), name="index"),
            path("store/<int:pk>/", self.construct_view(StoreFiguresPage), name="store"),
            path("flow/<int:pk>/", self.construct_view(FlowFiguresPage), name="flow"),
        ]
