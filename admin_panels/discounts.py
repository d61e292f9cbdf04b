"""Every discount that somebody was given, or was not: by which flow, and what was bought with it."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.filters import DateRangePickerWidget
from wagtail.admin.ui.tables import Column, StatusTagColumn, TitleColumn
from wagtail.admin.views.generic import InspectView

from smsflow_plugin.admin_panels.listing import (
    WIDE,
    ListView,
    ReadOnlyViewSet,
    StoreFilterSet,
    TimeColumn,
    csv_safe,
    own_flows,
)
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.admin_panels.shopify_outbox import installed
from smsflow_plugin.measurement.discount_words import discount_words, masked, why_not
from smsflow_plugin.models import Flow, Incentive

GOOD = (Incentive.State.GIVEN, Incentive.State.EXPIRED)


def shown_code(user: Any, incentive: Incentive) -> str:
    """Return the code as far as ``user`` may read it: who has it can buy with it."""
    return incentive.code if may(user, "reveal", incentive) else masked(incentive.code)


def words(incentive: Incentive) -> str:
    """Return the discount in words: what lies behind a code is in the store's currency."""
    text = discount_words(incentive.kind, incentive.amount)
    return f"{text} {incentive.store.currency}" if incentive.kind == Incentive.Kind.AMOUNT else text


def paid(incentive: Incentive) -> str:
    if incentive.order_value is None:
        return ""
    return f"{number_format(incentive.order_value)} {incentive.order_currency}"


class DiscountFilterSet(StoreFilterSet):
    flow = django_filters.ModelChoiceFilter(queryset=own_flows, label=gettext_lazy("Flow"))
    used = django_filters.BooleanFilter(
        field_name="redeemed_at", lookup_expr="isnull", exclude=True, label=gettext_lazy("Used")
    )
    wanted_at = django_filters.DateFromToRangeFilter(label=gettext_lazy("Date"), widget=DateRangePickerWidget)

    class Meta:
        model = Incentive
        fields = ["store", "flow", "state", "used", "wanted_at"]


class CodeColumn(Column):  # type: ignore[misc]
    """The code, as far as whoever looks at the list may read it."""

    def get_cell_context_data(self, instance: Incentive, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        context["value"] = shown_code(parent_context["request"].user, instance)
        return context


class DiscountListView(ListView):
    any_permission_required = ["view"]
    template_name = "smsflow/discounts/index.html"
    select_related = ("store", "contact", "flow")
    defer = ("flow__steps", "flow__audience", "contact__fields", "contact__recent_sends")
    default_ordering = "-wanted_at"
    list_export = [
        "wanted_at",
        "store.name",
        "contact",
        "contact.phone",
        "flow.name",
        "kind",
        "amount",
        "minimum",
        "code",
        "get_state_display",
        "given_at",
        "valid_until",
        "redeemed_at",
        "order_value",
        "order_currency",
    ]
    export_headings = {
        "wanted_at": gettext_lazy("Wanted at (UTC)"),
        "store.name": gettext_lazy("Store"),
        "contact": gettext_lazy("Contact"),
        "contact.phone": gettext_lazy("Phone"),
        "flow.name": gettext_lazy("Flow"),
        "get_state_display": gettext_lazy("State"),
        "given_at": gettext_lazy("Given at (UTC)"),
        "valid_until": gettext_lazy("Valid until (UTC)"),
        "redeemed_at": gettext_lazy("Used at (UTC)"),
    }
    # people write these words; a phone number begins with + and stays as it is
    custom_field_preprocess = {name: {"csv": csv_safe} for name in ("store.name", "contact", "flow.name", "code")}

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        if installed() and not self.results_only:
            from smsflow_plugin.admin_panels.shopify_outbox.stock import pool_lines

            context["pools"] = pool_lines(self.request.user)
        return context

    def to_row_dict(self, item: Incentive) -> Any:
        item.code = shown_code(self.request.user, item)
        if item.flow is None:
            # multigetattr does not go through a missing relation
            item.flow = Flow(name="")
        return super().to_row_dict(item)


class DiscountPage(InspectView):  # type: ignore[misc]
    any_permission_required = ["view"]
    page_title = gettext_lazy("Discount")

    def get_object(self, queryset: Any = None) -> Incentive:
        incentives: QuerySet[Any] = Incentive.objects.visible_to(self.request.user)
        return incentives.select_related("store", "contact", "flow").get(pk=self.pk)

    def get_page_subtitle(self) -> str:
        return str(self.object.contact)

    def get_fields_context(self) -> list[Any]:
        incentive = self.object
        rows = [
            (_("Store"), incentive.store),
            (_("Contact"), incentive.contact),
            (_("Flow"), incentive.flow),
            (_("Discount"), words(incentive)),
            (_("Minimum"), incentive.minimum and number_format(incentive.minimum)),
            (_("State"), incentive.get_state_display()),
            (_("Why"), why_not(incentive.notes) if incentive.state == Incentive.State.REFUSED else ""),
            (_("Code"), shown_code(self.request.user, incentive)),
            (_("Given at"), incentive.given_at),
            (_("Valid until"), incentive.valid_until),
            (_("Used at"), incentive.redeemed_at),
            (_("Order value"), paid(incentive)),
        ]
        return [{"label": label, "value": value} for label, value in rows if value]


def _contact_url(incentive: Incentive) -> str:
    return reverse("smsflow_contacts:inspect", args=(incentive.contact_id,))


class DiscountViewSet(ReadOnlyViewSet):
    model = Incentive
    name = "smsflow_discounts"
    url_prefix = "smsflow/discounts"
    icon = "pick"
    menu_order = 235
    menu_label = gettext_lazy("Discounts")
    index_view_class = DiscountListView
    inspect_view_class = DiscountPage
    index_template_name = "smsflow/discounts/index.html"
    filterset_class = DiscountFilterSet
    search_fields = ["contact__first_name", "contact__last_name", "contact__phone"]
    export_filename = "discounts"
    list_display = [
        TitleColumn("discount", label=gettext_lazy("Discount"), accessor=words, url_name="smsflow_discounts:inspect"),
        TitleColumn("contact", label=gettext_lazy("Contact"), get_url=_contact_url),
        Column("flow", label=gettext_lazy("Flow"), classname=WIDE),
        Column("store", label=gettext_lazy("Store"), classname=WIDE),
        CodeColumn("code", label=gettext_lazy("Code"), classname=WIDE),
        StatusTagColumn(
            "get_state_display", label=gettext_lazy("State"), primary=lambda incentive: incentive.state in GOOD
        ),
        TimeColumn("given_at", label=gettext_lazy("Given"), classname=WIDE, sort_key="given_at"),
        TimeColumn("redeemed_at", label=gettext_lazy("Used"), classname=WIDE, sort_key="redeemed_at"),
        Column("order_value", label=gettext_lazy("Order value"), accessor=paid, classname=WIDE),
    ]
