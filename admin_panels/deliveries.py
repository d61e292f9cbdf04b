"""What vendors sent us, above all what was not understood."""

from __future__ import annotations

import json
from typing import Any

import django_filters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.filters import DateRangePickerWidget
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn, Column, StatusTagColumn, TitleColumn
from wagtail.admin.views.bulk_action import BulkAction
from wagtail.admin.views.generic import InspectView
from wagtail.permissions import policy_registry

from smsflow_plugin.admin_panels.listing import WIDE, ListView, ReadOnlyViewSet, StoreFilterSet, TimeColumn
from smsflow_plugin.admin_panels.objects import ObjectOperationView
from smsflow_plugin.admin_panels.scoping import number
from smsflow_plugin.events.actions import ReplayDelivery, replay
from smsflow_plugin.models import Delivery

#: Characters of a body that a page shows. What is cut off stays stored to the byte.
SHOWN = 100_000

#: Deliveries that a page of confirmation names one by one.
NAMED = 50


class DeliveryFilterSet(StoreFilterSet):
    received_at = django_filters.DateFromToRangeFilter(label=gettext_lazy("Date"), widget=DateRangePickerWidget)
    topic = django_filters.CharFilter(lookup_expr="istartswith", label=gettext_lazy("Topic starts with"))

    class Meta:
        model = Delivery
        fields = ["store", "state", "topic", "received_at"]


class DeliveryListView(ListView):
    any_permission_required = ["view"]
    template_name = "smsflow/deliveries/index.html"
    select_related = ("store",)
    defer = ("body", "headers")
    default_ordering = "-received_at"

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        context["parked"] = self.get_base_queryset().filter(state=Delivery.State.PARKED).count()
        context["parked_url"] = f"{self.index_url}?state={Delivery.State.PARKED}"
        context["only_parked"] = self.request.GET.get("state") == Delivery.State.PARKED
        return context

    @cached_property
    def columns(self) -> list[Any]:
        columns: list[Any] = super().columns
        if self.user_has_permission("change"):
            return [BulkActionsCheckboxColumn("bulk_actions", obj_type="delivery"), *columns]
        return columns


class DeliveryPage(InspectView):  # type: ignore[misc]
    any_permission_required = ["view"]
    page_title = gettext_lazy("Delivery")
    replay_url_name = ""

    def get_object(self, queryset: Any = None) -> Delivery:
        return Delivery.objects.visible_to(self.request.user).select_related("store").get(pk=self.pk)

    def get_page_subtitle(self) -> str:
        return f"{self.object.source} {self.object.topic}".strip()

    def get_fields_context(self) -> list[Any]:
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        delivery = self.object
        body = readable(bytes(delivery.body))
        may_replay = delivery.state == Delivery.State.PARKED and self.user_has_permission("change")
        context.update(
            body=body[:SHOWN],
            cut=len(body) > SHOWN,
            parked=delivery.state == Delivery.State.PARKED,
            replay_url=reverse(self.replay_url_name, args=(delivery.pk,)) if may_replay else "",
            facts=[
                (_("Store"), delivery.store),
                (_("Source"), delivery.source),
                (_("Topic"), delivery.topic),
                (_("Delivery id"), delivery.external_id),
            ],
            headers=sorted(delivery.headers.items()),
        )
        return context


def readable(body: bytes) -> str:
    """Return a body as text: JSON indented, other text as it is, bytes that are no text escaped."""
    text = body.decode("utf-8", errors="backslashreplace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


class ReplayView(ObjectOperationView):
    model = Delivery
    permission_required = "change"
    success_message = gettext_lazy("The delivery is read again. Reload the page in a moment to see what became of it.")

    def perform_operation(self) -> None:
        # the view has checked the right for this delivery
        ReplayDelivery(self.object, self.request.user).execute(skip_permission_checks=True)


class ReplayBulkAction(BulkAction):  # type: ignore[misc]
    """Replays the chosen deliveries, as far as they are parked and the user may change them."""

    display_name = gettext_lazy("Replay")
    action_type = "replay"
    aria_label = gettext_lazy("Replay the selected deliveries")
    template_name = "smsflow/deliveries/confirm_replay.html"
    models = [Delivery]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not policy_registry.get_by_type(Delivery).user_has_permission(request.user, "change"):
            raise PermissionDenied
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def get_actionable_objects(self) -> tuple[list[Delivery], dict[str, list[Any]]]:
        """Return what may be replayed. What may not is not named: it may belong to another store."""
        policy = policy_registry.get_by_type(Delivery)
        deliveries: QuerySet[Any] = policy.instances_user_has_permission_for(self.request.user, "change")
        ids = self.request.GET.getlist("id")
        if "all" in ids:
            filters = DeliveryFilterSet(self.request.GET, queryset=deliveries, request=self.request)
            deliveries = filters.qs if filters.is_valid() else deliveries.none()
        else:
            deliveries = deliveries.filter(pk__in=[pk for text in ids if (pk := number(text)) is not None])
        parked = deliveries.filter(state=Delivery.State.PARKED).select_related("store").defer("body", "headers")
        return list(parked.order_by("-received_at")), {"items_with_no_access": []}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["named"] = context["items"][:NAMED]
        context["unnamed"] = len(context["items"]) - len(context["named"])
        return context

    def get_execution_context(self) -> dict[str, Any]:
        return {"user": self.request.user}

    @classmethod
    def execute_action(cls, objects: list[Delivery], user: Any = None, **kwargs: Any) -> tuple[int, int]:
        return replay([delivery.pk for delivery in objects], user), 0

    def get_success_message(self, num_parent_objects: int, num_child_objects: int) -> str:
        return ngettext(
            "%(count)d delivery is read again.", "%(count)d deliveries are read again.", num_parent_objects
        ) % {"count": num_parent_objects}


class DeliveryViewSet(ReadOnlyViewSet):
    model = Delivery
    name = "smsflow_deliveries"
    url_prefix = "smsflow/deliveries"
    icon = "smsflow-inbox"
    menu_order = 240
    index_view_class = DeliveryListView
    inspect_view_class = DeliveryPage
    index_template_name = "smsflow/deliveries/index.html"
    inspect_template_name = "smsflow/deliveries/delivery.html"
    filterset_class = DeliveryFilterSet
    search_fields = ["external_id", "topic", "reason"]
    list_display = [
        TitleColumn(
            "topic",
            label=gettext_lazy("Topic"),
            classname="smsflow-topic",
            accessor=lambda delivery: delivery.topic or delivery.source,
            url_name="smsflow_deliveries:inspect",
            get_title_id=lambda delivery: f"delivery_{delivery.pk}_title",
        ),
        Column("source", label=gettext_lazy("Source"), classname=WIDE),
        Column("store", label=gettext_lazy("Store"), classname=WIDE),
        StatusTagColumn(
            "get_state_display",
            label=gettext_lazy("State"),
            primary=lambda delivery: delivery.state == Delivery.State.PARKED,
        ),
        Column("reason", label=gettext_lazy("Reason"), classname=WIDE),
        TimeColumn("received_at", label=gettext_lazy("Received"), classname=WIDE, sort_key="received_at"),
    ]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        names = {
            "replay_url_name": self.get_url_name("replay"),
            "success_url_name": self.get_url_name("inspect"),
        }
        return super().get_common_view_kwargs(**{**names, **kwargs})

    def get_urlpatterns(self) -> list[URLPattern]:
        view = self.construct_view(ReplayView)
        return [*super().get_urlpatterns(), path("<int:pk>/replay/", view, name="replay")]
