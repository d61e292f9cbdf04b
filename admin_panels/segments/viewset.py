"""Saved parts of a store's audience: where their pages are found."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views import generic
from wagtail.admin.viewsets.chooser import ChooserViewSet
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.admin.widgets.button import HeaderButton

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.flows.audience_count import (
    AudienceCountPanel,
    AudienceCountView,
    audience_context,
    finished,
)
from smsflow_plugin.admin_panels.flows.errors import field_errors
from smsflow_plugin.admin_panels.listing import WIDE, ListView, StoreFilterSet
from smsflow_plugin.admin_panels.scoping import (
    ScopedChooserMixin,
    ScopedViewSetMixin,
    StoreScopedForm,
    may,
)
from smsflow_plugin.admin_panels.segments.ready import TakeOverView, cards
from smsflow_plugin.audience.filters import BadCondition
from smsflow_plugin.engine.selection import NotSelectable, condition_q
from smsflow_plugin.flows.condition_compiler import ConditionCompiler
from smsflow_plugin.flows.condition_words import describe_condition
from smsflow_plugin.flows.lookups import StoreLookups
from smsflow_plugin.flows.portable import is_of_store
from smsflow_plugin.flows.problems import Path, Problem
from smsflow_plugin.flows.segment_use import flows_with_segment, segments_with_segment
from smsflow_plugin.models import Contact, Flow, Segment


class PeopleColumn(TitleColumn):  # type: ignore[misc]
    """How many people there are, as a link to them."""

    def get_value(self, instance: Segment) -> str:
        return "–" if instance.people is None else number_format(instance.people, force_grouping=True)


class SegmentForm(StoreScopedForm):
    """Takes only rules that can be asked: a segment has no drafts."""

    def _post_clean(self) -> None:
        super()._post_clean()
        if self.errors or "rules" not in self.cleaned_data:
            return
        problems: list[Problem] = []

        def report(path: Path, message: str) -> None:
            problems.append(Problem("", ("rules", *path), message))

        segments = StoreLookups(self.instance.store_id).segments
        rules = self.cleaned_data["rules"]
        ConditionCompiler([], report, segments=segments, segment_id=self.instance.pk or 0).compile(rules)
        for field, error in field_errors(self.instance, problems).items():
            self.add_error(field, error)
        if not self.errors and not is_of_store(rules, self.instance.store_id):
            self.add_error("rules", _("A rule names a flow of another store."))


PANELS = ObjectList(
    [
        MultiFieldPanel(
            [FieldRowPanel([FieldPanel("name"), FieldPanel("store")]), FieldPanel("description")],
            heading=gettext_lazy("Segment"),
        ),
        FieldPanel("rules", heading=gettext_lazy("Who is in it")),
        AudienceCountPanel(heading=gettext_lazy("People")),
    ],
    base_form_class=SegmentForm,
)


class SegmentFilterSet(StoreFilterSet):
    class Meta:
        model = Segment
        fields = ["store"]


class SegmentListView(ListView):
    """Segments with how many people are in each now: one query counts for the whole page."""

    template_name = "smsflow/segments/index.html"
    any_permission_required = ["add", "change", "delete", "view"]
    select_related = ("store",)

    def get_edit_url(self, instance: Segment) -> str | None:
        return super().get_edit_url(instance) or reverse(self.inspect_url_name, args=[instance.pk])

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        count_people(list(context["object_list"]))
        if not self.results_only:
            context["ready"] = cards(self.request.user)
        return context


def count_people(segments: list[Segment]) -> None:
    """Give each segment the number of its ``people``, None if its rules cannot be asked."""
    finders = {store: StoreLookups(store).segments for store in {segment.store_id for segment in segments}}
    counts: dict[str, Any] = {}
    now = clock.now()
    for segment in segments:
        segment.people = None
        condition, unfinished = finished(segment, segment.rules, segments=finders[segment.store_id])
        try:
            asked = condition_q(condition, store_id=segment.store_id, now=now)
        except (NotSelectable, BadCondition):
            continue
        if not unfinished:
            counts[f"segment_{segment.pk}"] = Count("pk", filter=Q(asked, store_id=segment.store_id))
    if not counts:
        return
    found = Contact.objects.filter(store_id__in=finders).aggregate(**counts)
    for segment in segments:
        segment.people = found.get(f"segment_{segment.pk}")


class SegmentDeleteView(generic.DeleteView):  # type: ignore[misc]
    """Deletes a segment that nothing is built on."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.permission_policy.user_has_permission(request.user, "delete"):
            users = [str(user) for user in (*flows_with_segment(self.object), *segments_with_segment(self.object))]
            if users:
                words = {"segment": self.object, "users": ", ".join(f"“{user}”" for user in users)}
                messages.error(request, _("“%(segment)s” is used by %(users)s and cannot be deleted.") % words)
                return redirect(reverse(self.edit_url_name, args=[self.object.pk]))
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response


class SegmentPeopleView(generic.InspectView):  # type: ignore[misc]
    """Who is in a segment now."""

    template_name = "smsflow/segments/people.html"
    any_permission_required = ["add", "change", "delete", "view"]
    page_title = gettext_lazy("Segment")

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        if not may(self.request.user, "change", self.object):
            return []
        return [HeaderButton(_("Edit"), url=reverse(self.edit_url_name, args=[self.object.pk]), icon_name="edit")]

    def get_fields_context(self) -> list[Any]:
        return []

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            {"url": reverse(self.index_url_name), "label": capfirst(self.model._meta.verbose_name_plural)},
            {"url": "", "label": str(self.object)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        user, segment = self.request.user, self.object
        sees_people = may(user, "view", Contact(store_id=segment.store_id))
        users = Flow.objects.visible_to(user).filter(pk__in=[flow.pk for flow in flows_with_segment(segment)])
        context.update(
            audience_context(segment, segment.rules, may_list=sees_people, listed=True),
            rules=describe_condition(segment.rules),
            flows=list(users.order_by("name")),
        )
        return context


class ScopedChooserViewSet(ScopedViewSetMixin, ChooserViewSet):  # type: ignore[misc]
    view_mixin = ScopedChooserMixin


class SegmentChooserViewSet(ScopedChooserViewSet):
    """Chooses a segment of the user's own stores. Registers itself for every foreign key to a segment."""

    model = Segment
    icon = "group"
    choose_one_text = gettext_lazy("Choose a segment")
    choose_another_text = gettext_lazy("Choose another segment")
    edit_item_text = gettext_lazy("Edit this segment")
    per_page = 20

    def get_urlpatterns(self) -> list[URLPattern]:
        # segments are made on their own page; the view for making one here would have no form
        return [pattern for pattern in super().get_urlpatterns() if pattern.name != "create"]


class SegmentViewSet(ScopedViewSetMixin, ModelViewSet):  # type: ignore[misc]
    model = Segment
    name = "smsflow_segments"
    url_prefix = "smsflow/segments"
    icon = "group"
    menu_order = 210
    edit_handler = PANELS
    index_view_class = SegmentListView
    index_template_name = "smsflow/segments/index.html"
    delete_view_class = SegmentDeleteView
    inspect_view_class = SegmentPeopleView
    inspect_view_enabled = True
    inspect_template_name = "smsflow/segments/people.html"
    copy_view_enabled = False
    add_to_reference_index = False
    filterset_class = SegmentFilterSet
    search_fields = ["name", "description"]
    search_backend_name = None
    list_per_page = 20
    ordering = ["name", "pk"]
    list_display = [
        "name",
        PeopleColumn("people", label=gettext_lazy("People now"), url_name="smsflow_segments:inspect"),
        Column("rules", label=gettext_lazy("Rules"), accessor=lambda s: describe_condition(s.rules), classname=WIDE),
        Column("store", label=gettext_lazy("Store"), classname=WIDE, sort_key="store__name"),
    ]

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("ready/<slug:key>/", TakeOverView.as_view(), name="take_over"),
            path("count/<slug:model>/", AudienceCountView.as_view(), name="count"),
        ]
