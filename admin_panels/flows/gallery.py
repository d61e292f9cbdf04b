"""The gallery: flows that somebody has thought through, to be enabled in a store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView, TemplateView
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet
from wagtail.permissions import policy_registry

from smsflow_plugin.admin_panels.flows.viewset import FlowViewSet
from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.library import TEMPLATES, AlreadyEnabled, EnableTemplate, FlowTemplate, build
from smsflow_plugin.flows.outline import OutlineStep, outline, walk
from smsflow_plugin.models import Flow, Store


def stores_to_add_to(user: Any) -> list[Store]:
    """Return the stores in which ``user`` may add flows."""
    policy = policy_registry.get_by_type(Flow)
    return [
        store
        for store in Store.objects.visible_to(user).order_by("name")
        if policy.user_has_permission_for_instance(user, "add", Flow(store=store))
    ]


@dataclass(frozen=True, slots=True)
class Card:
    """A template as one person sees it: what it does, and where it can still go."""

    template: FlowTemplate
    trigger: str
    steps: tuple[OutlineStep, ...]
    flows: tuple[Flow, ...]
    free_stores: tuple[Store, ...]

    @property
    def texts(self) -> int:
        """How many texts one person gets at most."""
        return sum(step.kind == "send" for step in walk(self.steps))


def cards(user: Any, templates: Iterable[FlowTemplate]) -> list[Card]:
    """Return the cards for ``user``; the number of queries does not depend on how many there are."""
    stores = stores_to_add_to(user)
    mine = list(
        Flow.objects.visible_to(user).exclude(template="").select_related("store").order_by("store__name", "pk")
    )
    return [_card(template, stores, [flow for flow in mine if flow.template == template.key]) for template in templates]


def _card(template: FlowTemplate, stores: list[Store], flows: list[Flow]) -> Card:
    taken = {flow.store_id for flow in flows}
    free = tuple(store for store in stores if store.pk not in taken)
    # shown as it would be made, for a store that it can be made for if there is one
    example = (*free, *stores)[0]
    return Card(
        template, str(KINDS[template.trigger].label), outline(build(template, example).steps), tuple(flows), free
    )


class AddFlowsMixin(WagtailAdminTemplateMixin):  # type: ignore[misc]
    """For people who may add flows to at least one store."""

    request: HttpRequest
    page_title: Any = _("Add a flow")
    header_icon = "plus"
    index_url_name = ""
    list_url_name = ""
    edit_url_name = ""
    add_url_name = ""
    enable_url_name = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not stores_to_add_to(request.user):
            raise PermissionDenied
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        flows = {"url": reverse(self.list_url_name), "label": _("Flows")}
        return [*super().get_breadcrumbs_items(), flows, {"url": "", "label": self.get_page_title()}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        names = {name: getattr(self, name) for name in ("edit_url_name", "add_url_name", "enable_url_name")}
        return {**context, **names}


class GalleryView(AddFlowsMixin, TemplateView):
    """All templates as cards."""

    template_name = "smsflow/flows/gallery.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(cards=cards(self.request.user, TEMPLATES.values()), **kwargs)


class EnableForm(forms.Form):
    """Which store gets the flow."""

    store = forms.ModelChoiceField(
        label=_("Store"), queryset=Store.objects.none(), empty_label=None, widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, stores: Iterable[Store], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["store"]
        field.queryset = Store.objects.filter(pk__in=[store.pk for store in stores]).order_by("name")  # type: ignore[attr-defined]


class EnableView(AddFlowsMixin, FormView):  # type: ignore[type-arg]
    """One template: what it does, and the store that it is for."""

    template_name = "smsflow/flows/enable.html"
    form_class = EnableForm

    @cached_property
    def card(self) -> Card:
        template = TEMPLATES.get(self.kwargs["template"])
        if template is None:
            raise Http404
        return cards(self.request.user, [template])[0]

    def get_page_title(self) -> str:
        return str(self.card.template.name)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        items = super().get_breadcrumbs_items()
        return [*items[:-1], {"url": reverse(self.index_url_name), "label": self.page_title}, items[-1]]

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "stores": self.card.free_stores}

    def get_initial(self) -> dict[str, Any]:
        return {"store": self.card.free_stores[0]} if self.card.free_stores else {}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(card=self.card, **kwargs)

    def form_valid(self, form: EnableForm) -> HttpResponse:
        store = form.cleaned_data["store"]
        try:
            flow = EnableTemplate(store, self.request.user, template=self.card.template).execute()
        except AlreadyEnabled as already:
            messages.warning(
                self.request,
                _("%(store)s already has the flow “%(flow)s”.") % {"store": store, "flow": already.flow},
            )
            return redirect(reverse(self.edit_url_name, args=[already.flow.pk]))
        messages.success(
            self.request,
            _(
                "“%(flow)s” was added to %(store)s as a draft. "
                "Read its texts, then publish it: people enter it from then on."
            )
            % {"flow": flow, "store": store},
        )
        return redirect(reverse(self.edit_url_name, args=[flow.pk]))


class GalleryMenuItem(MenuItem):  # type: ignore[misc]
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(policy_registry.get_by_type(Flow).user_has_permission(request.user, "add"))


class GalleryViewSet(ViewSet):  # type: ignore[misc]
    name = "smsflow_gallery"
    url_prefix = "smsflow/gallery"
    icon = "plus"
    menu_label = _("Add a flow")
    menu_hook = "register_smsflow_menu_item"
    menu_name = "smsflow-gallery"
    menu_order = 210
    menu_item_class = GalleryMenuItem

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        flows = FlowViewSet()
        return {
            "index_url_name": self.get_url_name("index"),
            "enable_url_name": self.get_url_name("enable"),
            "list_url_name": flows.get_url_name("list"),
            "edit_url_name": flows.get_url_name("edit"),
            "add_url_name": flows.get_url_name("add"),
            **kwargs,
        }

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", self.construct_view(GalleryView), name="index"),
            path("<slug:template>/", self.construct_view(EnableView), name="enable"),
        ]
