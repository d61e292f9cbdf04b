"""What people have asked for by way of the shop: their data, or that nothing is kept. With the day when it is due."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, StatusTagColumn, TitleColumn
from wagtail.admin.views.generic import InspectView
from wagtail.log_actions import log

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.listing import WIDE, ListView, ReadOnlyViewSet, StoreFilterSet, TimeColumn
from smsflow_plugin.admin_panels.objects import ObjectOperationView
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.integrations.shopify.kept import PrivacyRequest
from smsflow_plugin.integrations.shopify.privacy import carry_out
from smsflow_plugin.models import StoreLogEntry


def may_carry_out(user: Any, asked: PrivacyRequest) -> bool:
    """Return whether the user may do now what is asked for. The right to erase people is none to delete a store."""
    if asked.kind == PrivacyRequest.Kind.SHOP and asked.store is not None:
        return may(user, "delete", asked.store)
    return may(user, "erase", asked)


class PrivacyFilterSet(StoreFilterSet):
    class Meta:
        model = PrivacyRequest
        fields = ["store", "kind", "state"]


class PrivacyListView(ListView):
    any_permission_required = ["export", "erase"]
    select_related = ("store",)
    defer = ("file",)
    default_ordering = "-asked_at"


class PrivacyPage(InspectView):  # type: ignore[misc]
    """One request: what became of it, its file, and the button for one that waits for somebody."""

    any_permission_required = ["export", "erase"]
    page_title = gettext_lazy("Privacy request")
    template_name = "smsflow/privacy/request.html"

    def get_object(self, queryset: Any = None) -> PrivacyRequest:
        return PrivacyRequest.objects.visible_to(self.request.user).select_related("store").get(pk=self.pk)

    def get_fields_context(self) -> list[Any]:
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        found = self.object
        context.update(
            asked=found,
            facts=[
                (_("What is asked for"), found.get_kind_display()),
                (_("Shop"), found.shop),
                (_("State"), found.get_state_display()),
                (_("Due on"), found.due_at.date()),
                (_("What became of it"), found.outcome),
                (_("People"), found.people if found.done_at else ""),
                (_("Done by"), found.done_by or (_("SMSFlow itself") if found.done_at else "")),
            ],
            has_file=found.file is not None and self.user_has_permission("export"),
            waits=found.state in ("open", "held") and may_carry_out(self.request.user, found),
            late=not found.done_at and found.due_at < clock.now(),
        )
        return context


class CarryOutView(ObjectOperationView):
    """Does now what waits for its time, or for somebody to look."""

    model = PrivacyRequest
    permission_required = "erase"
    index_url_name = ""

    def perform_operation(self) -> None:
        if not may_carry_out(self.request.user, self.object):
            raise PermissionDenied
        self.done = carry_out(self.object, self.request.user)

    def add_success_message(self) -> None:
        messages.success(self.request, self.done.outcome)

    def get_success_url(self) -> str:
        url: str = reverse(self.index_url_name)
        return url


class FileView(ObjectOperationView):
    """Gives out the file. Posted to, because it is written down who has fetched it."""

    model = PrivacyRequest
    permission_required = "export"

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.object.file is None:
            raise Http404
        log(instance=self.object, action="smsflow.export_person", user=request.user, timestamp=clock.now())
        response = HttpResponse(bytes(self.object.file), content_type="application/zip")
        response["Content-Disposition"] = f'attachment; filename="request-{self.object.pk}.zip"'
        response["Cache-Control"] = "no-store"
        return response


class PrivacyViewSet(ReadOnlyViewSet):
    model = PrivacyRequest
    name = "smsflow_shopify_privacy"
    url_prefix = "smsflow/privacy"
    icon = "lock"
    menu_order = 235
    menu_label = gettext_lazy("Privacy requests")
    menu_hook = "register_smsflow_menu_item"
    add_to_admin_menu = True
    index_view_class = PrivacyListView
    inspect_view_class = PrivacyPage
    inspect_template_name = "smsflow/privacy/request.html"
    filterset_class = PrivacyFilterSet
    search_fields = ["shop"]
    list_display = [
        TitleColumn(
            "get_kind_display",
            label=gettext_lazy("What is asked for"),
            url_name="smsflow_shopify_privacy:inspect",
            get_title_id=lambda asked: f"privacy_{asked.pk}_title",
        ),
        Column("shop", label=gettext_lazy("Shop"), classname=WIDE),
        StatusTagColumn(
            "get_state_display",
            label=gettext_lazy("State"),
            primary=lambda asked: asked.state in ("open", "held"),
        ),
        TimeColumn("asked_at", label=gettext_lazy("Asked for"), classname=WIDE, sort_key="asked_at"),
        TimeColumn("due_at", label=gettext_lazy("Due"), sort_key="due_at"),
        Column("outcome", label=gettext_lazy("What became of it"), classname=WIDE),
    ]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        names = {"success_url_name": self.get_url_name("index")}
        return super().get_common_view_kwargs(**{**names, **kwargs})

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/carry-out/", self.construct_view(CarryOutView), name="carry_out"),
            path("<int:pk>/file/", self.construct_view(FileView), name="file"),
        ]


def register() -> None:
    """Put the page into the menu, for sites that have the adapter; see ``wagtail_hooks``."""
    hooks.register("register_admin_viewset", lambda: PrivacyViewSet())

    @hooks.register("register_log_actions")
    def log_actions(actions: Any) -> None:
        actions.log_entry_models_by_type.register(PrivacyRequest, value=StoreLogEntry)
        actions.register_action(
            "smsflow.privacy_request", gettext_lazy("Privacy request"), gettext_lazy("Privacy request done")
        )
