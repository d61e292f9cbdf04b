"""What circuit breakers have stopped, and the page on which a person decides about it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Case, IntegerField, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.html import conditional_escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, StatusTagColumn, TitleColumn
from wagtail.admin.views.generic import InspectView
from wagtail.admin.widgets.button import Button

from smsflow_plugin.admin_panels.listing import WIDE, ListView, ReadOnlyViewSet, StoreFilterSet, TimeColumn
from smsflow_plugin.admin_panels.objects import ObjectFormView
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.admin_panels.waiting_item import WaitingMenuItem
from smsflow_plugin.engine.resolving import CannotResolve, Resolution, ResolveBreaker
from smsflow_plugin.governance.trip_words import sentence
from smsflow_plugin.models import BreakerTrip, Enrollment, Flow

OPEN = BreakerTrip.State.OPEN


def may_decide(user: Any, trip: BreakerTrip) -> bool:
    """Return whether ``user`` may publish where the breaker tripped: to let a flow go on is as much."""
    return may(user, "publish", Flow(store_id=trip.store_id))


def open_trip(user: Any, flow: Flow) -> BreakerTrip | None:
    """Return what holds the flow, if it is a breaker and the user may see it."""
    trips: QuerySet[Any] = BreakerTrip.objects.visible_to(user)
    found: BreakerTrip | None = trips.filter(flow=flow, state=OPEN).select_related("store", "flow").first()
    return found


def trip_url(trip: BreakerTrip) -> str:
    return reverse("smsflow_breakers:inspect", args=[trip.pk])


def warn_of_breaker(request: HttpRequest, flow: Flow) -> None:
    """Say on a page of the flow that a breaker holds it, with the numbers."""
    if trip := open_trip(request.user, flow):
        text = _("A circuit breaker has paused this flow. %(why)s") % {"why": sentence(trip)}
        messages.warning(request, conditional_escape(text), buttons=[messages.button(trip_url(trip), _("Decide"))])


class BreakerFilterSet(StoreFilterSet):
    class Meta:
        model = BreakerTrip
        fields = ["store", "state", "kind"]


class BreakerListView(ListView):
    """Those that wait for somebody come first."""

    any_permission_required = ["view"]
    select_related = ("store", "flow", "decided_by")
    defer = ("flow__steps", "flow__audience")
    default_ordering = "-tripped_at"

    def order_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        waiting = Case(When(state=OPEN, then=0), default=1, output_field=IntegerField())
        ordered: QuerySet[Any] = super().order_queryset(queryset.annotate(waiting=waiting))
        return ordered if self.request.GET.get("ordering") else ordered.order_by("waiting", "-tripped_at", "-pk")


class BreakerPage(InspectView):  # type: ignore[misc]
    """What was measured, and the way to decide."""

    any_permission_required = ["view"]
    page_title = gettext_lazy("Breaker")
    resolve_url_name = ""

    def get_object(self, queryset: Any = None) -> BreakerTrip:
        trips: QuerySet[Any] = BreakerTrip.objects.visible_to(self.request.user)
        return trips.select_related("store", "flow", "decided_by").get(pk=self.pk)

    def get_page_subtitle(self) -> str:
        return str(self.object.flow or self.object.store)

    def get_fields_context(self) -> list[Any]:
        return []

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        trip, user = self.object, self.request.user
        waits = trip.state == OPEN
        may_see_flow = trip.flow is not None and may(user, "change", trip.flow)
        context.update(
            waits=waits,
            sentence=sentence(trip),
            people=_people(trip) if waits and trip.flow else None,
            resolve_url=reverse(self.resolve_url_name, args=(trip.pk,)) if waits and may_decide(user, trip) else "",
            flow_url=_flow_url(trip.flow) if trip.flow and may_see_flow else "",
            facts=[
                (_("Store"), trip.store),
                (_("Flow"), trip.flow or _("All of them")),
                (_("What"), trip.get_kind_display()),
                (_("Decided by"), trip.decided_by),
                (_("Note"), trip.note),
            ],
        )
        return context


class ResolveForm(forms.Form):
    choice = forms.ChoiceField(
        label=gettext_lazy("What shall happen"), choices=Resolution.choices, widget=forms.RadioSelect
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("What was wrong, for others."),
    )

    def __init__(self, *args: Any, whole_store: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if whole_store:
            self.fields["choice"].choices = [(Resolution.RESUME.value, _("Let the store go on"))]  # type: ignore[attr-defined]
            self.initial["choice"] = Resolution.RESUME.value


class ResolveView(ObjectFormView):
    """Says what each choice means, and does it."""

    model = BreakerTrip
    form_class = ResolveForm
    any_permission_required = ["view"]
    page_title = gettext_lazy("Decide")
    header_icon = "warning"
    submit_button_label = gettext_lazy("Decide")
    template_name = "smsflow/breakers/resolve.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not may_decide(request.user, self.object):
            raise PermissionDenied
        if self.object.state != OPEN:
            messages.warning(request, _("Somebody has decided on this already."))
            return redirect(self.get_object_url())
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()
        return {**kwargs, "whole_store": self.object.flow_id is None}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        trip = self.object
        return super().get_context_data(
            sentence=sentence(trip), people=_people(trip) if trip.flow_id else None, **kwargs
        )

    def form_valid(self, form: ResolveForm) -> HttpResponse:
        action = ResolveBreaker(
            self.object, self.request.user, choice=form.cleaned_data["choice"], note=form.cleaned_data["note"]
        )
        try:
            trip = action.execute()
        except CannotResolve as refusal:
            form.add_error("choice", str(refusal))
            return self.form_invalid(form)
        about = trip.flow or trip.store
        text = {
            BreakerTrip.State.RESUMED: _("“%(name)s” goes on."),
            BreakerTrip.State.DRAINED: _("“%(name)s” is closed. Everybody inside goes on to the end."),
            BreakerTrip.State.EMPTIED: _("“%(name)s” is closed, and everybody has left it."),
        }[BreakerTrip.State(trip.state)]
        messages.success(self.request, conditional_escape(text % {"name": about}))
        return redirect(self.get_object_url())


def _people(trip: BreakerTrip) -> int:
    return Enrollment.objects.filter(flow_id=trip.flow_id, status=Enrollment.Status.WAITING).count()


def _flow_url(flow: Flow) -> str:
    from smsflow_plugin.admin_panels.flows.pages import page_url

    return page_url("edit", flow)


class BreakerMenuItem(WaitingMenuItem):
    model = BreakerTrip


class BreakerViewSet(ReadOnlyViewSet):
    model = BreakerTrip
    name = "smsflow_breakers"
    url_prefix = "smsflow/breakers"
    icon = "warning"
    menu_label = gettext_lazy("Breakers")
    menu_order = 235
    menu_item_class = BreakerMenuItem
    index_view_class = BreakerListView
    inspect_view_class = BreakerPage
    index_results_template_name = "smsflow/breakers/results.html"
    inspect_template_name = "smsflow/breakers/breaker.html"
    filterset_class = BreakerFilterSet
    search_fields = ["flow__name", "store__name", "note"]
    list_display = [
        TitleColumn(
            "flow",
            label=gettext_lazy("Flow"),
            accessor=lambda trip: trip.flow or _("All of %(store)s") % {"store": trip.store},
            url_name="smsflow_breakers:inspect",
        ),
        StatusTagColumn("get_state_display", label=gettext_lazy("State"), primary=lambda trip: trip.state == OPEN),
        Column("kind", label=gettext_lazy("Why"), accessor=sentence, classname=WIDE),
        Column("store", label=gettext_lazy("Store"), classname=WIDE),
        TimeColumn("tripped_at", label=gettext_lazy("Since"), classname=WIDE, sort_key="tripped_at"),
    ]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        names = {
            "resolve_url_name": self.get_url_name("resolve"),
            "object_url_name": self.get_url_name("inspect"),
        }
        return super().get_common_view_kwargs(**{**names, **kwargs})

    def get_urlpatterns(self) -> list[URLPattern]:
        view = self.construct_view(ResolveView)
        return [*super().get_urlpatterns(), path("<int:pk>/decide/", view, name="resolve")]
