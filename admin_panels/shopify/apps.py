"""The apps through which stores are connected, for those who look after the whole site: one may serve many stores."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View
from wagtail.admin import messages
from wagtail.admin.panels import FieldPanel, HelpPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import Column
from wagtail.admin.views import generic
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.admin.widgets.button import HeaderButton

from smsflow_plugin.admin_panels.listing import WIDE
from smsflow_plugin.admin_panels.shopify.forms import AppForm
from smsflow_plugin.integrations.shopify.models import ShopifyApp
from smsflow_plugin.integrations.shopify.toml_of import toml_of

PANELS = ObjectList(
    [
        HelpPanel(
            content=gettext_lazy(
                "Make the app in Shopify's Dev Dashboard first. Its page there shows the client ID and the secret."
            )
        ),
        MultiFieldPanel(
            [FieldPanel("name"), FieldPanel("kind"), FieldPanel("client_id"), FieldPanel("secret")],
            heading=gettext_lazy("App"),
        ),
        MultiFieldPanel([FieldPanel("forget_previous")], heading=gettext_lazy("Previous secret")),
        MultiFieldPanel([FieldPanel("stores")], heading=gettext_lazy("Who may use it")),
    ],
    base_form_class=AppForm,
)


class AppEditView(generic.EditView):  # type: ignore[misc]
    toml_url_name = ""

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        url = reverse(self.toml_url_name, args=(self.object.pk,))
        return [HeaderButton("shopify.app.toml", url=url, icon_name="download")]


class AppDeleteView(generic.DeleteView):  # type: ignore[misc]
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.object.grants.exists():
            messages.error(request, _("Stores are connected through this app. Disconnect them first."))
            return redirect(reverse(self.edit_url_name, args=(self.object.pk,)))
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response


class TomlView(PermissionCheckedMixin, View):  # type: ignore[misc]
    """The file that Shopify's CLI deploys."""

    model = ShopifyApp
    permission_required = "change"
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        app = get_object_or_404(ShopifyApp, pk=pk)
        response = HttpResponse(toml_of(app), content_type="application/toml; charset=utf-8")
        name = slugify(app.name) or app.client_id
        response["Content-Disposition"] = f'attachment; filename="shopify.app.{name}.toml"'
        return response


def _stores(app: ShopifyApp) -> str:
    return ", ".join(sorted(grant.connection.store.name for grant in app.grants.all())) or _("None yet")


class ShopifyAppViewSet(ModelViewSet):  # type: ignore[misc]
    model = ShopifyApp
    name = "smsflow_shopify_apps"
    url_prefix = "smsflow/shopify-apps"
    icon = "key"
    menu_order = 260
    menu_label = gettext_lazy("Shopify apps")
    edit_handler = PANELS
    edit_view_class = AppEditView
    delete_view_class = AppDeleteView
    add_to_reference_index = False
    copy_view_enabled = False
    inspect_view_enabled = False
    search_fields = ["name", "client_id"]
    search_backend_name = None
    list_display = [
        "name",
        Column("client_id", label=gettext_lazy("Client ID"), classname=WIDE),
        Column("connected", label=gettext_lazy("Connected stores"), accessor=_stores),
    ]

    @property
    def index_view_class(self) -> Any:
        return AppListView

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        common: dict[str, Any] = super().get_common_view_kwargs(**kwargs)
        return {**common, "usage_url_name": None, "toml_url_name": self.get_url_name("toml")}

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
            path("new/", self.add_view, name="add"),
            path("edit/<int:pk>/", self.edit_view, name="edit"),
            path("delete/<int:pk>/", self.delete_view, name="delete"),
            path("history/<int:pk>/", self.history_view, name="history"),
            path("history-results/<int:pk>/", self.history_results_view, name="history_results"),
            path("<int:pk>/shopify.app.toml", self.construct_view(TomlView), name="toml"),
        ]


class AppListView(generic.IndexView):  # type: ignore[misc]
    def get_base_queryset(self) -> Any:
        return super().get_base_queryset().prefetch_related("grants__connection__store")
