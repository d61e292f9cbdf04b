"""The simulator's screens: a store's people, the phone of one of them, and the time."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from smsflow_plugin import clock
from smsflow_plugin.integrations.simulator.access import SimulatorView, stores_of
from smsflow_plugin.integrations.simulator.fast_forward import next_thing
from smsflow_plugin.integrations.simulator.forms import NewPersonForm, ReplyForm
from smsflow_plugin.integrations.simulator.network.client import NetworkUnavailable
from smsflow_plugin.integrations.simulator.phone import texts_on
from smsflow_plugin.integrations.simulator.shelves import on_the_shelf
from smsflow_plugin.integrations.simulator.shopping import groups_for
from smsflow_plugin.integrations.simulator.words import network_down, timeline_url, zone_of
from smsflow_plugin.models import Delivery, Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet

#: People listed on a page; the others are found by the search.
LISTED = 30


class IndexView(WagtailAdminTemplateMixin, SimulatorView, TemplateView):  # type: ignore[misc]
    """The user's stores; with only one of them, that store."""

    page_title = gettext_lazy("Simulator")
    header_icon = "mobile-alt"
    template_name = "smsflow_simulator/index.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        stores = list(stores_of(request.user))
        if len(stores) == 1:
            return redirect("smsflow_simulator:store", stores[0].pk)
        return self.render_to_response(self.get_context_data(stores=stores))

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": "", "label": self.page_title}]


class LiveMixin(SimulatorView):
    """What changes by itself on a store's page: the time, the people and the phone."""

    store: Store

    def live_context(self) -> dict[str, Any]:
        found = self.found()
        deliveries = Delivery.objects.visible_to(self.request.user).filter(store=self.store)
        return {
            "store": self.store,
            "contact": self.contact,
            "moment": clock.now(),
            "zone": ZoneInfo(self.store.timezone),
            "next_in_store": next_thing(self.people()),
            "next_for_person": self.contact and next_thing(self.people().filter(pk=self.contact.pk)),
            "unread": deliveries.filter(state=Delivery.State.PENDING).count(),
            "people": found[:LISTED],
            "people_count": found.count(),
            "query": self.query(),
            **self.phone_context(),
        }

    def query(self) -> str:
        return self.request.GET.get("q", "").strip()[:100]

    def found(self) -> StoreScopedQuerySet:
        people = self.people().order_by("first_name", "last_name", "pk")
        for word in self.query().split():
            people = people.filter(
                Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(phone__contains=word.lstrip("+0"))
            )
        return people

    def phone_context(self) -> dict[str, Any]:
        """The texts on the chosen phone, or why they cannot be shown."""
        if self.contact is None:
            return {}
        context: dict[str, Any] = {"phone_zone": zone_of(self.contact)}
        try:
            context["texts"] = texts_on(self.contact)
        except NetworkUnavailable as error:
            context["network_error"] = network_down(error)
        return context


class LiveView(LiveMixin, TemplateView):
    """Only what changes, as a fragment: the page asks for it every few seconds."""

    template_name = "smsflow_simulator/live.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, **self.live_context())


class StoreView(LiveMixin, WagtailAdminTemplateMixin, TemplateView):  # type: ignore[misc]
    """One store: its people, and the phone of the chosen one."""

    header_icon = "mobile-alt"
    template_name = "smsflow_simulator/store.html"

    def get_page_title(self) -> str:
        return _("Simulator")

    def get_page_subtitle(self) -> str:
        return str(self.contact or self.store)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        items = [
            *self.breadcrumbs_items,
            {"url": reverse("smsflow_simulator:index"), "label": _("Simulator")},
            {"url": reverse("smsflow_simulator:store", args=[self.store.pk]), "label": str(self.store)},
        ]
        if self.contact:
            items.append({"url": self.page(), "label": str(self.contact)})
        return items

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**self.live_context(), **kwargs)
        context["live_url"] = f"{self.page()}live/?{urlencode({'q': self.query()})}"
        context.setdefault("new_person_form", NewPersonForm(store=self.store))
        context["media"] = Media(
            css={"all": ["smsflow_simulator/simulator.css"]}, js=["smsflow_simulator/refresh-controller.js"]
        )
        if self.contact:
            context["reply_form"] = ReplyForm()
            context["timeline_url"] = timeline_url(self.contact)
            context["groups"] = groups_for(self.contact)
            context["shelf"] = on_the_shelf(self.store)
        return context
