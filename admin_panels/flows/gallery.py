"""The gallery: flows that somebody has thought through, to be enabled in a store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView, TemplateView
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet
from wagtail.permissions import policy_registry

from smsflow_plugin.admin_panels.flows.diagram import render_diagram
from smsflow_plugin.admin_panels.flows.enable_form import EnableForm
from smsflow_plugin.admin_panels.flows.sample_chat import sample_chat
from smsflow_plugin.admin_panels.flows.viewset import FlowViewSet
from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.library import TEMPLATES, AlreadyEnabled, EnableTemplate, FlowTemplate, build
from smsflow_plugin.flows.library.definitions import NEEDS, PURPOSES, Label, trigger_kind
from smsflow_plugin.flows.outline import outline
from smsflow_plugin.models import Flow, Segment, Store


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
    """A template as one person sees it: what it does, and which of their stores have it."""

    template: FlowTemplate
    flows: tuple[Flow, ...]

    @property
    def triggers(self) -> list[Label]:
        kinds = dict.fromkeys(trigger_kind(trigger) for trigger in self.template.triggers)
        return [KINDS[kind].label for kind in kinds]

    @property
    def needs(self) -> list[Label]:
        return [NEEDS[need] for need in self.template.needs]

    def says(self, words: str) -> bool:
        """Return whether all ``words`` stand somewhere on the card."""
        template = self.template
        text = f"{template.id} {template.name} {template.description} {template.worth}".casefold()
        return all(word in text for word in words.casefold().split())


def cards(user: Any, templates: Iterable[FlowTemplate]) -> list[Card]:
    """Return the cards for ``user``, with one query for all of them."""
    mine: dict[str, list[Flow]] = {}
    flows = Flow.objects.visible_to(user).exclude(template="").defer("steps", "audience", "triggers")
    for flow in flows.select_related("store").order_by("store__name", "pk"):
        mine.setdefault(flow.template, []).append(flow)
    return [Card(template, tuple(mine.get(template.key, ()))) for template in templates]


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
        if not self.stores:
            raise PermissionDenied
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    @cached_property
    def stores(self) -> list[Store]:
        """Where the user may add flows."""
        return stores_to_add_to(self.request.user)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        flows = {"url": reverse(self.list_url_name), "label": _("Flows")}
        return [*super().get_breadcrumbs_items(), flows, {"url": "", "label": self.get_page_title()}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        names = {name: getattr(self, name) for name in ("index_url_name", "edit_url_name", "add_url_name")}
        return {**context, **names, "enable_url_name": self.enable_url_name}


class GalleryView(AddFlowsMixin, TemplateView):
    """All templates as cards, by what they are for; searched by words, narrowed by purpose."""

    template_name = "smsflow/flows/gallery.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        words = self.request.GET.get("q", "").strip()[:100]
        purpose = self.request.GET.get("purpose", "")
        purpose = purpose if purpose in PURPOSES else ""
        found = [
            card
            for card in cards(self.request.user, TEMPLATES.values())
            if card.template.purpose in (purpose or PURPOSES) and card.says(words)
        ]
        groups = [(label, [card for card in found if card.template.purpose == key]) for key, label in PURPOSES.items()]
        return super().get_context_data(
            groups=[group for group in groups if group[1]],
            count=len(found),
            words=words,
            purpose=purpose,
            purposes=PURPOSES.items(),
            **kwargs,
        )


class EnableView(AddFlowsMixin, FormView):  # type: ignore[type-arg]
    """One template: what it does, and the few things that must be known before it is a flow."""

    template_name = "smsflow/flows/enable.html"
    form_class = EnableForm

    @cached_property
    def card(self) -> Card:
        template = TEMPLATES.get(self.kwargs["template"])
        if template is None:
            raise Http404
        return cards(self.request.user, [template])[0]

    @cached_property
    def free_stores(self) -> list[Store]:
        """Those that do not have the flow yet."""
        taken = {flow.store_id for flow in self.card.flows}
        return [store for store in self.stores if store.pk not in taken]

    def get_page_title(self) -> str:
        return str(self.card.template.name)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        items = super().get_breadcrumbs_items()
        return [*items[:-1], {"url": reverse(self.index_url_name), "label": self.page_title}, items[-1]]

    def get_form_kwargs(self) -> dict[str, Any]:
        return {
            **super().get_form_kwargs(),
            "template": self.card.template,
            "stores": self.stores,
            "taken": {flow.store_id for flow in self.card.flows},
            "segments": Segment.objects.filter(store__in=self.stores),
            "email": getattr(self.request.user, "email", ""),
        }

    def get_initial(self) -> dict[str, Any]:
        return {"store": self._example()}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        store = self._example()
        flow = build(self.card.template, store)
        flow.owner = self.request.user
        return super().get_context_data(
            card=self.card,
            example=store,
            chat=sample_chat(self.card.template, flow),
            diagram=render_diagram(flow),
            steps=outline(flow.steps),
            **kwargs,
        )

    def _example(self) -> Store:
        """Return the store that the flow is shown for: best one without it, in the user's language."""
        candidates = self.free_stores or self.stores
        language = (get_language() or "").partition("-")[0]
        spoken = [store for store in candidates if store.language.partition("-")[0] == language]
        return (spoken or candidates)[0]

    def form_valid(self, form: EnableForm) -> HttpResponse:
        store = form.cleaned_data["store"]
        action = EnableTemplate(
            store,
            self.request.user,
            template=self.card.template,
            settings=form.settings,
            another=form.cleaned_data.get("another", False),
        )
        try:
            flow = action.execute()
        except AlreadyEnabled as already:
            # somebody else was quicker
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
