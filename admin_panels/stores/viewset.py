"""Where the pages of stores are found."""

from __future__ import annotations

from typing import Any

from django.db.transaction import non_atomic_requests as non_atomic
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.ui.tables import Column, StatusTagColumn
from wagtail.admin.viewsets.model import ModelViewSet

from smsflow_plugin.admin_panels.listing import WIDE
from smsflow_plugin.admin_panels.scoping import ScopedViewSetMixin, may
from smsflow_plugin.admin_panels.shopify.views import shopify_url, store_urlpatterns
from smsflow_plugin.admin_panels.stores import sender_views, views
from smsflow_plugin.admin_panels.stores.helpdesk import helpdesk_urlpatterns
from smsflow_plugin.admin_panels.stores.panels import STORE_PANELS
from smsflow_plugin.models import Store

_VENDORS = {
    "shopify": "Shopify",
    "sinch": "Sinch SMS",
    "sinch_conversation": "Sinch Conversation",
    "helpdesk": gettext_lazy("Help desk"),
}


def _connected_to(store: Store) -> str:
    kinds = sorted(connection.kind for connection in store.connections.all())
    return ", ".join(str(_VENDORS.get(kind, kind)) for kind in kinds) or _("Nothing yet")


class ConnectedColumn(Column):  # type: ignore[misc]
    """What a store is connected to, and the way to how it stands with its shop."""

    cell_template_name = "smsflow/stores/connected_cell.html"

    def get_cell_context_data(self, instance: Store, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        context["url"] = shopify_url(instance) if may(parent_context["request"].user, "change", instance) else ""
        return context


class StoreViewSet(ScopedViewSetMixin, ModelViewSet):  # type: ignore[misc]
    """Stores are added and changed. They are paused rather than deleted: their ledger of consent must last."""

    model = Store
    name = "smsflow_stores"
    url_prefix = "smsflow/stores"
    icon = "smsflow-store"
    menu_order = 250
    edit_handler = STORE_PANELS
    index_view_class = views.StoreListView
    add_view_class = views.StoreCreateView
    edit_view_class = views.StoreEditView
    history_view_class = views.StoreHistoryView
    edit_template_name = "smsflow/stores/edit.html"
    add_to_reference_index = False
    copy_view_enabled = False
    search_fields = ["name", "brand", "connections__account"]
    search_backend_name = None
    # registers the right to view in the form of groups; there is no page for it
    inspect_view_enabled = True
    list_display = [
        "name",
        "country",
        ConnectedColumn("connected", label=gettext_lazy("Connected to"), classname=WIDE, accessor=_connected_to),
        StatusTagColumn(
            "get_status_display",
            label=gettext_lazy("Status"),
            primary=lambda store: store.status == Store.Status.ACTIVE,
        ),
    ]

    def get_edit_handler(self) -> Any:
        return STORE_PANELS

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        names = {
            "delete_url_name": None,
            "usage_url_name": None,
            "inspect_url_name": None,
            "test_text_url_name": self.get_url_name("test_text"),
            "check_url_name": self.get_url_name("check"),
            "make_secret_url_name": self.get_url_name("make_secret"),
            "object_url_name": self.get_url_name("edit"),
        }
        common: dict[str, Any] = super().get_common_view_kwargs(**kwargs)
        return {**common, **names}

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
            path("new/", self.add_view, name="add"),
            path("edit/<int:pk>/", self.edit_view, name="edit"),
            path("history/<int:pk>/", self.history_view, name="history"),
            path("history-results/<int:pk>/", self.history_results_view, name="history_results"),
            path("<int:pk>/people/", self.construct_view(views.PeopleView), name="people"),
            path("<int:pk>/senders/", self.construct_view(sender_views.SendersView), name="senders"),
            path("<int:pk>/senders/new/", self.construct_view(sender_views.SenderFormView), name="sender_add"),
            path("<int:pk>/senders/<int:sender>/", self.construct_view(sender_views.SenderFormView), name="sender"),
            path(
                "<int:pk>/senders/<int:sender>/delete/",
                self.construct_view(sender_views.SenderDeleteView),
                name="sender_delete",
            ),
            path("<int:pk>/test-text/", self.construct_view(views.TestTextView), name="test_text"),
            # around the built view: what the class says of itself is lost when it is confined
            path("<int:pk>/check/", non_atomic(self.construct_view(views.CheckConnectionView)), name="check"),
            path("<int:pk>/webhook-secret/", self.construct_view(views.MakeSecretView), name="make_secret"),
            *store_urlpatterns(self.construct_view),
            *helpdesk_urlpatterns(self.construct_view),
        ]
