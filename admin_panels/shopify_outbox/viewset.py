"""The Shopify outbox: what was told to shops, what waits, and what a person has to look at."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.ui.tables import Column, StatusTagColumn, TitleColumn
from wagtail.admin.views.generic import InspectView
from wagtail.admin.widgets.button import Button

from smsflow_plugin.admin_panels.listing import WIDE, ListView, ReadOnlyViewSet, StoreFilterSet, TimeColumn
from smsflow_plugin.admin_panels.objects import ObjectOperationView
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.admin_panels.shopify_outbox.wishes import WishesView
from smsflow_plugin.integrations.shopify.models import Write
from smsflow_plugin.integrations.shopify.writes.actions import RetryWrite
from smsflow_plugin.models import Connection

PARKED = Write.Outcome.PARKED

#: What an entry waits for is said in the outcome; what is settled has one, too.
GOOD = (Write.Outcome.DONE, Write.Outcome.SAME)


class WriteFilterSet(StoreFilterSet):
    waiting = django_filters.BooleanFilter(method="only_waiting", label=gettext_lazy("Waiting"))

    class Meta:
        model = Write
        fields = ["store", "kind", "outcome"]

    def only_waiting(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        waiting = Q(wanted__gt=F("settled"))
        return queryset.filter(waiting if value else ~waiting)


class WriteListView(ListView):
    """Those that wait for somebody come first, then those that changed last."""

    any_permission_required = ["view"]
    template_name = "smsflow/shopify_outbox/index.html"
    select_related = ("store", "contact")
    defer = ("sent", "contact__fields", "contact__recent_sends", "contact__consent_marks")
    default_ordering = "-changed_at"
    wishes_url_name = ""

    def order_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        urgent = Case(When(outcome=PARKED, then=Value(0)), default=Value(1), output_field=IntegerField())
        ordered: QuerySet[Any] = super().order_queryset(queryset.annotate(urgent=urgent))
        return ordered if self.request.GET.get("ordering") else ordered.order_by("urgent", "-changed_at", "-pk")

    @cached_property
    def shops(self) -> list[Connection]:
        """The shops of stores whose outbox the user may see."""
        policy = self.permission_policy
        shops = policy.scope(Connection.objects.filter(kind="shopify"), self.request.user, ["view"])
        return list(shops.select_related("store", "grant").defer("secrets", "grant__secrets").order_by("store__name"))

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        return [
            Button(
                _("What %(store)s writes") % {"store": shop.store.name},
                url=reverse(self.wishes_url_name, args=(shop.store_id,)),
                icon_name="cog",
                priority=number,
            )
            for number, shop in enumerate(self.shops)
            if may(self.request.user, "change", shop)
        ]

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        own = self.get_base_queryset()
        context["parked"] = own.filter(outcome=PARKED, settled=F("wanted")).count()
        context["parked_url"] = f"{self.index_url}?outcome={PARKED}"
        context["only_parked"] = self.request.GET.get("outcome") == PARKED
        context["closed"] = [
            (shop.store.name, grant.broken_because if grant else _("It has granted nothing yet. Connect it."))
            for shop in self.shops
            for grant in [getattr(shop, "grant", None)]
            if grant is None or grant.broken_at
            if own.filter(store_id=shop.store_id, wanted__gt=F("settled")).exists()
        ]
        return context


class WritePage(InspectView):  # type: ignore[misc]
    any_permission_required = ["view"]
    template_name = "smsflow/shopify_outbox/entry.html"
    page_title = gettext_lazy("Entry of the Shopify outbox")
    retry_url_name = ""

    def get_object(self, queryset: Any = None) -> Write:
        entries: QuerySet[Any] = Write.objects.visible_to(self.request.user)
        entry: Write = entries.select_related("store", "contact").get(pk=self.pk)
        return entry

    def get_page_subtitle(self) -> str:
        return str(self.object.contact)

    def get_fields_context(self) -> list[Any]:
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        entry = self.object
        may_retry = entry.outcome == PARKED and not entry.is_waiting and self.user_has_permission("change")
        context.update(
            parked=entry.outcome == PARKED,
            retry_url=reverse(self.retry_url_name, args=(entry.pk,)) if may_retry else "",
            facts=[
                (_("Store"), entry.store),
                (_("Contact"), entry.contact),
                (_("What"), entry),
                (_("Customer in Shopify"), entry.customer),
                (_("Tries"), entry.attempts or ""),
            ],
        )
        return context


class RetryView(ObjectOperationView):
    model = Write
    permission_required = "change"
    success_message = gettext_lazy("It is tried again within a minute.")

    def perform_operation(self) -> None:
        # the view has checked the right for this entry
        RetryWrite(self.object, self.request.user).execute(skip_permission_checks=True)


def _contact_url(entry: Write) -> str:
    return reverse("smsflow_contacts:inspect", args=(entry.contact_id,))


class WriteViewSet(ReadOnlyViewSet):
    model = Write
    name = "smsflow_shopify_outbox"
    url_prefix = "smsflow/shopify-outbox"
    icon = "upload"
    menu_order = 245
    menu_label = gettext_lazy("Shopify outbox")
    index_view_class = WriteListView
    inspect_view_class = WritePage
    index_template_name = "smsflow/shopify_outbox/index.html"
    inspect_template_name = "smsflow/shopify_outbox/entry.html"
    filterset_class = WriteFilterSet
    search_fields = ["contact__first_name", "contact__last_name", "contact__phone", "text", "customer", "detail"]
    list_display = [
        TitleColumn("what", label=gettext_lazy("What"), accessor=str, url_name="smsflow_shopify_outbox:inspect"),
        TitleColumn("contact", label=gettext_lazy("Contact"), get_url=_contact_url),
        Column("store", label=gettext_lazy("Store"), classname=WIDE),
        StatusTagColumn(
            "get_outcome_display", label=gettext_lazy("State"), primary=lambda entry: entry.outcome in GOOD
        ),
        Column("detail", label=gettext_lazy("What Shopify said"), classname=WIDE),
        TimeColumn("changed_at", label=gettext_lazy("Changed"), classname=WIDE, sort_key="changed_at"),
        TimeColumn("settled_at", label=gettext_lazy("Written"), classname=WIDE, sort_key="settled_at"),
    ]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        names = {
            "retry_url_name": self.get_url_name("retry"),
            "wishes_url_name": self.get_url_name("wishes"),
            "success_url_name": self.get_url_name("inspect"),
        }
        return super().get_common_view_kwargs(**{**names, **kwargs})

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/retry/", self.construct_view(RetryView), name="retry"),
            path("store/<int:store_pk>/", WishesView.as_view(index_url_name=self.get_url_name("index")), name="wishes"),
        ]
