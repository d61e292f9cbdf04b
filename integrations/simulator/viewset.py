"""The simulator's place in the Wagtail admin: its addresses and its menu item."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.admin.menu import MenuItem
from wagtail.admin.viewsets.base import ViewSet

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.integrations.simulator import access, actions, views


class SimulatorMenuItem(MenuItem):  # type: ignore[misc]
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(smsflow_settings.SIMULATOR) and access.stores_of(request.user).exists()


class SimulatorViewSet(ViewSet):  # type: ignore[misc]
    """Always registered, as addresses are fixed when the site starts; the views are a 404 while the setting is off."""

    name = "smsflow_simulator"
    url_prefix = "smsflow/simulator"
    icon = "mobile-alt"
    menu_label = _("Simulator")
    menu_name = "smsflow-simulator"
    menu_order = 900

    @cached_property
    def menu_hook(self) -> str:
        """Below "SMS flows"; on a site without those screens, an entry of its own."""
        if apps.is_installed("smsflow_plugin.admin_panels"):
            return "register_smsflow_menu_item"
        return "register_admin_menu_item"

    @cached_property
    def menu_item_class(self) -> Any:
        return SimulatorMenuItem

    def get_urlpatterns(self) -> list[URLPattern]:
        store, person = "<int:store_pk>/", "<int:store_pk>/<int:contact_pk>/"
        return [
            path("", self.construct_view(views.IndexView), name="index"),
            path(store, self.construct_view(views.StoreView), name="store"),
            path(f"{store}live/", self.construct_view(views.LiveView), name="store_live"),
            path(f"{store}people/", self.construct_view(actions.NewPersonView), name="new_person"),
            path(f"{store}forward/<slug:how>/", self.construct_view(actions.ForwardView), name="forward"),
            path(person, self.construct_view(views.StoreView), name="person"),
            path(f"{person}live/", self.construct_view(views.LiveView), name="person_live"),
            path(f"{person}forward/<slug:how>/", self.construct_view(actions.ForwardView), name="person_forward"),
            path(f"{person}reply/", self.construct_view(actions.ReplyView), name="reply"),
            path(f"{person}<slug:doing>/", self.construct_view(actions.DoView), name="do"),
        ]
