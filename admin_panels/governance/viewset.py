"""Where the rules of the stores, and of the site, are found in the admin."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.ui.tables import Column, StatusTagColumn, TitleColumn
from wagtail.admin.widgets.button import Button, HeaderButton
from wagtail.snippets.views.snippets import (
    EditView,
    HistoryView,
    IndexView,
    InspectView,
    RevisionsCompareView,
    SnippetViewSet,
)

from smsflow_plugin.admin_panels.governance.effect import EffectView
from smsflow_plugin.admin_panels.governance.forms import GROUPS, PANELS
from smsflow_plugin.admin_panels.governance.order_field import in_order
from smsflow_plugin.admin_panels.governance.pages import home_url, make_missing, open_stop, tool_buttons
from smsflow_plugin.admin_panels.governance.panic import PanicView
from smsflow_plugin.admin_panels.governance.states import States
from smsflow_plugin.admin_panels.governance.try_it import TryView
from smsflow_plugin.admin_panels.scoping import ScopedViewSetMixin, may
from smsflow_plugin.measurement.setting_words import setting_label
from smsflow_plugin.models import Flow, PanicStop, Policy

#: Each store has exactly one policy for good: these pages of Wagtail's make no sense here.
ABSENT = frozenset({"add", "delete", "copy", "usage", "unpublish", "revisions_unschedule"})


class PolicyIndexView(IndexView):  # type: ignore[misc]
    """The stores whose rules the user may see. Who sees the rules of one store only is led to them."""

    any_permission_required = ["change", "publish", "view"]
    page_title = gettext_lazy("Governance")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        make_missing(request.user)
        own = list(Policy.objects.visible_to(request.user)[:2])
        if len(own) == 1:
            return redirect(home_url(request.user, own[0]))
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    def get_base_queryset(self) -> QuerySet[Policy]:
        queryset: QuerySet[Policy] = super().get_base_queryset()
        return queryset.select_related("store")

    @cached_property
    def columns(self) -> list[Any]:
        return [
            TitleColumn("store", label=_("Rules"), accessor=str, get_url=lambda p: home_url(self.request.user, p)),
            StatusTagColumn("draft", label=_("Draft"), accessor=_draft_label, primary=lambda p: False),
            Column("stopped", label=_("Panic switch"), accessor=self._stopped),
        ]

    @cached_property
    def _stops(self) -> set[int | None]:
        return set(PanicStop.objects.filter(released_at=None).values_list("store_id", flat=True))

    def _stopped(self, policy: Policy) -> str:
        return _("All texts are stopped") if policy.store_id in self._stops else "–"

    def get_add_url(self) -> None:
        return None

    def get_list_more_buttons(self, instance: Policy) -> list[Any]:
        return []


def named(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Call the list of rules what the menu calls it."""
    home = reverse("wagtailsnippets_smsflow_policy:list")
    return [{**item, "label": _("Governance")} if item.get("url") == home else item for item in items]


def _draft_label(policy: Policy) -> str:
    return _("There is a draft") if policy.has_unpublished_changes else _("None")


class PolicyEditView(EditView):  # type: ignore[misc]
    """The panel. Those who may only look are led to what applies."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        policy = self.live_object
        if not may(request.user, "change", policy):
            if request.method == "GET" and may(request.user, "view", policy):
                return redirect(home_url(request.user, policy))
            raise PermissionDenied
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return named(super().get_breadcrumbs_items())

    @cached_property
    def live_policy(self) -> Policy:
        policy: Policy = self.live_object
        return policy

    @cached_property
    def header_buttons(self) -> list[Button]:
        return [*super().header_buttons, *tool_buttons(self.request.user, self.live_policy)]

    def get_success_url(self) -> str:
        return home_url(self.request.user, self.live_policy)

    def get_success_buttons(self) -> list[Any]:
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context.update(
            has_draft=self.live_policy.has_unpublished_changes,
            stop=open_stop(self.live_policy),
            may_publish=may(self.request.user, "publish", self.live_policy),
            live_policy=self.live_policy,
        )
        return context


class PolicyHistoryView(HistoryView):  # type: ignore[misc]
    any_permission_required = ["change"]

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return named(super().get_breadcrumbs_items())


class PolicyCompareView(RevisionsCompareView):  # type: ignore[misc]
    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return named(super().get_breadcrumbs_items())


class PolicyInspectView(InspectView):  # type: ignore[misc]
    """What applies now, for those who may look and not change."""

    any_permission_required = ["change", "publish", "view"]
    template_name = "smsflow/governance/inspect.html"
    page_title = gettext_lazy("What applies now")

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        return tool_buttons(self.request.user, self.object)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return named(super().get_breadcrumbs_items())

    def get_fields_context(self) -> list[Any]:
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        states = States(self.object)
        groups = [
            (heading, [(setting_label(name), states.now_words(name), states.level_words(name)) for name in names])
            for heading, names in GROUPS
        ]
        flows = Flow.objects.filter(store=self.object.store_id).defer("steps") if self.object.store_id else []
        lines = in_order(flows, self.object.flow_order if self.object.live else ())
        order = [
            (priority.label, [line for line in lines if line.flow.priority == priority]) for priority in Flow.Priority
        ]
        return super().get_context_data(groups=groups, order=order, stop=open_stop(self.object), **kwargs)


class PolicyViewSet(ScopedViewSetMixin, SnippetViewSet):  # type: ignore[misc]
    model = Policy
    icon = "sliders"
    menu_hook = "register_smsflow_menu_item"
    menu_label = gettext_lazy("Governance")
    menu_name = "smsflow-governance"
    menu_order = 205
    url_prefix = "smsflow/governance"
    edit_handler = PANELS
    index_view_class = PolicyIndexView
    edit_view_class = PolicyEditView
    history_view_class = PolicyHistoryView
    revisions_compare_view_class = PolicyCompareView
    inspect_view_class = PolicyInspectView
    inspect_view_enabled = True
    inspect_template_name = "smsflow/governance/inspect.html"
    edit_template_name = "smsflow/governance/edit.html"
    copy_view_enabled = False
    add_to_reference_index = False
    search_backend_name = None
    search_fields = ["store__name"]
    ordering = ["store__name", "pk"]
    list_display = ["__str__"]

    def register_chooser_viewset(self) -> None:
        """Nobody chooses rules, so there are no addresses at which to choose them."""

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        absent = {f"{name}_url_name": None for name in ABSENT}
        common: dict[str, Any] = super().get_common_view_kwargs(**kwargs)
        return {**common, **absent}

    def get_urlpatterns(self) -> list[URLPattern]:
        pages = {"panic": PanicView, "try_it": TryView, "effect": EffectView}
        return [
            *(pattern for pattern in super().get_urlpatterns() if pattern.name not in ABSENT),
            *(
                path(f"{name.replace('_', '-')}/<int:pk>/", self.construct_view(view), name=name)
                for name, view in pages.items()
            ),
        ]
