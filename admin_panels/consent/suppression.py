"""The suppression list: numbers that a store never texts, of which only the last digits are shown."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import FormView
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.widgets.button import HeaderButton

from smsflow_plugin.admin_panels.listing import WIDE, ListView, ReadOnlyViewSet, StoreFilterSet, TimeColumn, csv_safe
from smsflow_plugin.admin_panels.objects import ObjectFormView
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.audience.number_lists import NumberList, decoded, read_numbers, to_number
from smsflow_plugin.audience.phone_keys import phone_hashes
from smsflow_plugin.audience.suppressing import LiftSuppression, Suppressed, SuppressNumbers
from smsflow_plugin.models import Store, Suppression

Reason = Suppression.Reason

#: What people may give as the reason: an erasure is recorded by erasing somebody.
REASONS = (Reason.OPTED_OUT_ELSEWHERE, Reason.BY_HAND, Reason.LANDLINE, Reason.INVALID, Reason.BLOCKED_BY_CARRIER)

#: Bytes that a file may have: a million numbers fit.
LARGEST = 20 * 1024 * 1024


class SuppressionFilterSet(StoreFilterSet):
    class Meta:
        model = Suppression
        fields = ["store", "reason"]


class SuppressionListView(ListView):
    any_permission_required = ["view"]
    select_related = ("store",)
    default_ordering = "-created_at"
    page_title = gettext_lazy("Suppression list")
    suppress_url_name = ""
    list_export = [
        "store.name",
        "last4",
        "get_reason_display",
        "source",
        "note",
        "created_at",
        "created_by",
        "phone_hash",
    ]
    export_headings = {
        "store.name": gettext_lazy("Store"),
        "last4": gettext_lazy("Ends with"),
        "get_reason_display": gettext_lazy("Reason"),
        "created_at": gettext_lazy("Added at (UTC)"),
        "phone_hash": gettext_lazy("Hash of the number"),
    }
    custom_field_preprocess = {name: {"csv": csv_safe} for name in ("store.name", "source", "note", "created_by")}

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        if not _own_stores(self.request.user):
            return []
        return [HeaderButton(_("Add numbers"), url=reverse(self.suppress_url_name), icon_name="plus")]

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Find a whole number, as a number of any of the user's stores; or its last digits."""
        if not self.is_searching:
            return queryset
        text = self.search_query.replace("\0", "").strip()
        countries = {store.country for store in Store.objects.visible_to(self.request.user)}
        numbers = {number for country in countries if (number := to_number(text, country))}
        query = Q(phone_hash__in=[one for number in numbers for one in phone_hashes(number)])
        if re.fullmatch(r"[0-9]{4}", text):
            query |= Q(last4=text)
        return queryset.filter(query)


class SuppressForm(forms.Form):
    store = forms.ModelChoiceField(queryset=Store.objects.none(), label=gettext_lazy("Store"))
    numbers = forms.CharField(
        label=gettext_lazy("Numbers"),
        help_text=gettext_lazy("One a line. Without a prefix they are numbers of the store's country."),
        widget=forms.Textarea(attrs={"rows": 5}),
        required=False,
        max_length=200_000,
    )
    file = forms.FileField(
        label=gettext_lazy("Or a file"),
        help_text=gettext_lazy("CSV or plain text; the first column that holds a number is taken."),
        required=False,
    )
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"), choices=[(reason.value, reason.label) for reason in REASONS]
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        help_text=gettext_lazy("Where the list comes from."),
        required=False,
        max_length=200,
    )

    def __init__(self, *args: Any, stores: list[Store], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["store"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Store.objects.filter(pk__in=[store.pk for store in stores]).order_by("name")
        if len(stores) == 1:
            field.empty_label = None

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file and file.size > LARGEST:
            raise forms.ValidationError(_("The file is too large. Split it."))
        return file

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not data.get("numbers") and not data.get("file") and "file" not in self.errors:
            raise forms.ValidationError(_("Give at least one number, or a file."))
        return data

    def read(self) -> list[NumberList]:
        """Return what is written in the box and in the file, each with line numbers of its own."""
        country, file = self.cleaned_data["store"].country, self.cleaned_data["file"]
        texts = [self.cleaned_data["numbers"], decoded(file.read()) if file else ""]
        return [read_numbers(text, country) for text in texts if text]


class SuppressView(PermissionCheckedMixin, WagtailAdminTemplateMixin, FormView):  # type: ignore[misc]
    """Adds numbers, and then says of every line what became of it."""

    model = Suppression
    form_class = SuppressForm
    permission_required = "add"
    page_title = gettext_lazy("Add numbers")
    header_icon = "no-view"
    template_name = "smsflow/consent/suppress.html"
    index_url_name = ""

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "stores": _own_stores(self.request.user)}

    def form_valid(self, form: SuppressForm) -> HttpResponse:
        lists, data = form.read(), form.cleaned_data
        store = data["store"]
        action = SuppressNumbers(
            store,
            self.request.user,
            numbers=[number for one in lists for number in one.numbers],
            reason=data["reason"],
            note=data["note"],
            source="file" if data["file"] else "form",
        )
        unreadable = [line for one in lists for line in one.unreadable]
        self._say(action.execute(), sum(one.repeated for one in lists), len(unreadable))
        if unreadable:
            # what could not be read comes back, to be put right and sent again
            rest = "\n".join(line.text for line in unreadable)
            again = SuppressForm(initial={**data, "numbers": rest, "file": None}, stores=_own_stores(self.request.user))
            return self.render_to_response(self.get_context_data(form=again, unreadable=unreadable))
        return HttpResponse(status=302, headers={"Location": reverse(self.index_url_name)})

    def _say(self, result: Suppressed, repeated: int, unreadable: int) -> None:
        added = ngettext("%(count)d number was added.", "%(count)d numbers were added.", result.added)
        known = ngettext("%(count)d was on the list already.", "%(count)d were on the list already.", result.known)
        sentences = [added % {"count": result.added}]
        if result.known:
            sentences.append(known % {"count": result.known})
        if repeated:
            twice = ngettext("%(count)d line named a number again.", "%(count)d lines named a number again.", repeated)
            sentences.append(twice % {"count": repeated})
        if not unreadable:
            messages.success(self.request, " ".join(sentences))
            return
        lost = ngettext("%(count)d line could not be read.", "%(count)d lines could not be read.", unreadable)
        messages.warning(self.request, " ".join([*sentences, lost % {"count": unreadable}]))

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse(self.index_url_name), "label": _("Suppression list")},
            {"url": "", "label": self.get_page_title()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(index_url=reverse(self.index_url_name), **kwargs)


class LiftForm(forms.Form):
    why = forms.CharField(
        label=gettext_lazy("Why?"), help_text=gettext_lazy("It is kept in the history."), max_length=200
    )


class LiftView(ObjectFormView):
    model = Suppression
    form_class = LiftForm
    permission_required = "view"
    page_title = gettext_lazy("Take off the suppression list")
    template_name = "smsflow/consent/lift.html"
    submit_button_label = gettext_lazy("Take off the list")
    submit_classname = "serious"

    def get_object_url(self) -> str:
        return reverse(self.index_url_name)

    @property
    def may_lift(self) -> bool:
        return may(self.request.user, "delete", self.object)

    def form_valid(self, form: LiftForm) -> HttpResponse:
        if not self.may_lift:
            raise PermissionDenied
        LiftSuppression(self.object, self.request.user, why=form.cleaned_data["why"]).execute()
        messages.success(self.request, _("The number is off the list."))
        response: HttpResponse = super().form_valid(form)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        facts = [
            (_("Ends with"), self.object.last4 or "–"),
            (_("Reason"), self.object.get_reason_display()),
            (_("Source"), self.object.source),
            (_("Note"), self.object.note),
            (_("Added by"), self.object.created_by),
        ]
        return super().get_context_data(facts=facts, may_lift=self.may_lift, **kwargs)


def _own_stores(user: Any) -> list[Store]:
    """Return the stores in which the user may add numbers."""
    return [store for store in Store.objects.visible_to(user) if may(user, "add", Suppression(store=store))]


class SuppressionViewSet(ReadOnlyViewSet):
    model = Suppression
    name = "smsflow_suppressions"
    url_prefix = "smsflow/suppressions"
    icon = "no-view"
    menu_label = gettext_lazy("Suppression list")
    menu_order = 225
    index_view_class = SuppressionListView
    index_results_template_name = "smsflow/consent/suppression_results.html"
    filterset_class = SuppressionFilterSet
    export_filename = "suppression-list"
    search_fields = ["last4"]
    list_display = [
        TitleColumn("__str__", label=gettext_lazy("Number"), url_name="smsflow_suppressions:inspect"),
        Column("get_reason_display", label=gettext_lazy("Reason")),
        Column("note", label=gettext_lazy("Note"), classname=WIDE),
        Column("store", label=gettext_lazy("Store"), classname=WIDE),
        Column("created_by", label=gettext_lazy("Added by"), classname=WIDE),
        TimeColumn("created_at", label=gettext_lazy("Added"), classname=WIDE, sort_key="created_at"),
    ]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_common_view_kwargs(**{"suppress_url_name": self.get_url_name("suppress"), **kwargs})

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
            path("suppress/", self.construct_view(SuppressView), name="suppress"),
            path("<int:pk>/", self.construct_view(LiftView), name="inspect"),
        ]
