"""The list of landing pages in the menu: those in the parts of the tree, and in the stores, that the user edits."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.pages.listing import IndexView
from wagtail.admin.viewsets.pages import PageListingViewSet
from wagtail.models import Page
from wagtail.permissions import policy_registry

from smsflow_plugin.landing.models import fill_stores
from smsflow_plugin.landing.permissions import without_strange
from smsflow_plugin.models import LandingPage


class LandingPageList(IndexView):  # type: ignore[misc]
    def get_base_queryset(self) -> Any:
        return without_strange(super().get_base_queryset(), self.request.user)

    def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        paginated = super().paginate_queryset(queryset, page_size)
        # each row's "View live" asks for the page's address, and that for its store
        fill_stores(paginated[2])
        return paginated


class LandingPagesMenuItem(MenuItem):  # type: ignore[misc]
    """Shown to whoever has a right to some pages of the site; without one the list leads back to the front page."""

    def is_shown(self, request: HttpRequest) -> bool:
        # Wagtail's own lines of the menu ask the same; the policy keeps the answer for the request
        return policy_registry.get_by_type(Page).explorable_root_instance(request.user) is not None


class LandingPageViewSet(PageListingViewSet):  # type: ignore[misc]
    model = LandingPage
    name = "smsflow_landing_pages"
    url_prefix = "smsflow/landing-pages"
    icon = "doc-full"
    menu_label = _("Landing pages")
    menu_order = 219
    menu_item_class = LandingPagesMenuItem
    index_view_class = LandingPageList
