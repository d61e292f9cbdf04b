"""The list of flows and everything that Wagtail builds around it, confined to the user's stores."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import django_filters
from django.contrib.auth import get_user_model
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, NumberColumn, StatusTagColumn
from wagtail.admin.views.generic.workflow import WorkflowAction
from wagtail.admin.widgets.button import Button
from wagtail.snippets.views.snippets import CopyView, EditView, IndexView, SnippetViewSet

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.breakers import warn_of_breaker
from smsflow_plugin.admin_panels.flows.approving import TellsWhatCannotRunMixin
from smsflow_plugin.admin_panels.flows.forms import edit_handler
from smsflow_plugin.admin_panels.flows.pages import page_buttons
from smsflow_plugin.admin_panels.flows.pause import FlowUnpublishView, OpenView, PauseView, ResumeView
from smsflow_plugin.admin_panels.flows.people import LetInView, PeopleView, RunWhyView, TakeOutView
from smsflow_plugin.admin_panels.flows.portable import ExportView, ImportView, stores_for
from smsflow_plugin.admin_panels.flows.publish import PublishView
from smsflow_plugin.admin_panels.flows.versions import CompareView, VersionsView
from smsflow_plugin.admin_panels.flows.words import WordsViewSetMixin
from smsflow_plugin.admin_panels.listing import WIDE
from smsflow_plugin.admin_panels.scoping import ScopedSnippetChooserViewSet, ScopedViewSetMixin, number, visible
from smsflow_plugin.flows.portable import FIELDS, detach
from smsflow_plugin.messaging.gate import OF_TESTS
from smsflow_plugin.models import BreakerTrip, Enrollment, Flow, Message, Store

#: What a copy of a flow has in common with it.
COPIED = ("store", "owner", *(name for name in FIELDS if name != "name"))

#: The days that the list's numbers cover.
PERIOD_DAYS = 30


def own_stores(request: HttpRequest | None) -> QuerySet[Any]:
    return visible(request.user, Store) if request else Store.objects.none()


def owners(request: HttpRequest | None) -> QuerySet[Any]:
    """Return who answers for a flow that the user may see."""
    people = get_user_model().objects
    if request is None:
        return people.none()
    mine = visible(request.user, Flow).filter(owner__isnull=False)
    return people.filter(pk__in=mine.values("owner")).order_by("username")


class FlowFilterSet(WagtailFilterSet):  # type: ignore[misc]
    """Narrows the list; offers only the user's own stores."""

    state = django_filters.ChoiceFilter(label=_("Status"), choices=Flow.State.choices, method="with_state")
    store = django_filters.ModelChoiceFilter(label=_("Store"), queryset=own_stores)
    owner = django_filters.ModelChoiceFilter(label=_("Owner"), queryset=owners)

    class Meta:
        model = Flow
        fields = ["state", "store", "owner", "trigger"]

    def with_state(self, queryset: QuerySet[Flow], name: str, value: str) -> QuerySet[Flow]:
        condition = {
            Flow.State.LIVE: Q(live=True, paused_at__isnull=True),
            Flow.State.PAUSED: Q(live=True, paused_at__isnull=False) | Q(live=False, current_version__isnull=False),
            Flow.State.DRAFT: Q(live=False, current_version__isnull=True),
        }[Flow.State(value)]
        return queryset.filter(condition)


class FlowIndexView(IndexView):  # type: ignore[misc]
    """Flows with their numbers, in a constant number of queries."""

    def get_base_queryset(self) -> QuerySet[Flow]:
        since = clock.now() - timedelta(days=PERIOD_DAYS)
        sent = Message.objects.filter(flow=OuterRef("pk"), queued_at__gte=since).exclude(purpose__in=OF_TESTS)
        gone = (Message.State.ACCEPTED, Message.State.DELIVERED, Message.State.FAILED, Message.State.EXPIRED)
        inside = Enrollment.objects.filter(
            flow=OuterRef("pk"), status=Enrollment.Status.WAITING, test_pace__isnull=True
        )
        queryset: QuerySet[Flow] = super().get_base_queryset()
        return queryset.select_related("store").annotate(
            people_inside=_count(inside),
            texts_sent=_count(sent.filter(state__in=gone)),
            texts_delivered=_count(sent.filter(state=Message.State.DELIVERED)),
            tripped=Exists(BreakerTrip.objects.filter(flow=OuterRef("pk"), state=BreakerTrip.State.OPEN)),
        )

    def get_add_url(self) -> str | None:
        # the gallery offers an empty flow too
        return reverse("smsflow_gallery:index") if super().get_add_url() else None

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        buttons: list[Button] = super().header_more_buttons
        if stores_for(self.request.user):
            url = reverse(self.import_url_name)
            buttons.append(Button(_("Import a flow"), url=url, icon_name="upload", priority=50))
        return buttons

    import_url_name = ""

    def get_list_more_buttons(self, instance: Flow) -> list[Any]:
        return [*super().get_list_more_buttons(instance), *page_buttons(self.request.user, instance)]


def _count(rows: QuerySet[Any]) -> Coalesce:
    grouped = rows.order_by().values("flow").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(grouped, output_field=IntegerField()), 0)


def status_label(flow: Flow) -> str:
    """Return the state in words, with what else there is to know."""
    if getattr(flow, "tripped", False):
        return str(_("Stopped by a breaker"))
    if flow.live and flow.closed_at and not flow.paused_at:
        return str(_("Closed to newcomers"))
    if flow.live and flow.has_unpublished_changes:
        return str(_("Paused, with changes") if flow.paused_at else _("Live, with changes"))
    return str(flow.state.label)


class FlowCopyView(CopyView):  # type: ignore[misc]
    """Starts a new flow from the newest draft of another, in a store that the person chooses."""

    def get_initial_form_instance(self) -> Flow:
        source = self.get_object().get_latest_revision_as_object()
        values = {field: getattr(source, field) for field in COPIED}
        copy = Flow(**values, name=str(_("%(flow)s (copy)") % {"flow": source})[:120])
        store = number(self.request.POST.get("store", ""))
        # into another store it takes nothing along that belongs to this one
        return copy if store is None else detach(copy, store)


class FlowEditView(EditView):  # type: ignore[misc]
    """The editor, with ways to the flow's other pages."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        warn_of_breaker(request, self.live_object)
        return super().get(request, *args, **kwargs)

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        return [*super().header_more_buttons, *page_buttons(self.request.user, self.live_object)]


class FlowViewSet(WordsViewSetMixin, ScopedViewSetMixin, SnippetViewSet):  # type: ignore[misc]
    model = Flow
    icon = "mail"
    menu_hook = "register_smsflow_menu_item"
    menu_label = _("Flows")
    menu_name = "smsflow-flows"
    menu_order = 200
    url_prefix = "smsflow/flows"
    edit_handler = edit_handler
    index_view_class = FlowIndexView
    index_template_name = "smsflow/flows/list.html"
    copy_view_class = FlowCopyView
    edit_view_class = FlowEditView
    unpublish_view_class = FlowUnpublishView
    filterset_class = FlowFilterSet
    chooser_viewset_class = ScopedSnippetChooserViewSet
    # the search index cannot order by, or even keep, the list's numbers
    search_backend_name = None
    search_fields = ["name", "store__name"]
    ordering = ["store__name", "name"]
    list_display = [
        "name",
        StatusTagColumn(
            "state", accessor=status_label, label=_("Status"), primary=lambda flow: flow.state == Flow.State.LIVE
        ),
        Column("store", label=_("Store"), sort_key="store__name"),
        Column("get_trigger_display", label=_("Starts when"), classname=WIDE, sort_key="trigger"),
        NumberColumn("people_inside", label=_("In the flow now"), sort_key="people_inside"),
        NumberColumn("texts_sent", label=_("Sent in 30 days"), classname=WIDE, sort_key="texts_sent"),
        NumberColumn("texts_delivered", label=_("Delivered in 30 days"), classname=WIDE, sort_key="texts_delivered"),
    ]

    def construct_view(self, view_class: Any, **kwargs: Any) -> Any:
        if issubclass(view_class, EditView | WorkflowAction):
            view_class = type(view_class.__name__, (TellsWhatCannotRunMixin, view_class), {})
        return super().construct_view(view_class, **kwargs)

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_common_view_kwargs(**{"import_url_name": self.get_url_name("import"), **kwargs})

    def get_urlpatterns(self) -> list[URLPattern]:
        pages = {
            "publish": PublishView,
            "people": PeopleView,
            "let_in": LetInView,
            "versions": VersionsView,
            "compare": CompareView,
            "pause": PauseView,
            "resume": ResumeView,
            "open": OpenView,
            "export": ExportView,
        }
        return [
            *super().get_urlpatterns(),
            *(
                path(f"{name.replace('_', '-')}/<int:pk>/", self.construct_view(view), name=name)
                for name, view in pages.items()
            ),
            path("people/<int:pk>/<int:run>/why/", self.construct_view(RunWhyView), name="why"),
            path("people/<int:pk>/<int:run>/out/", self.construct_view(TakeOutView), name="take_out"),
            path("import/", self.construct_view(ImportView), name="import"),
        ]
