"""The part of the account's settings in which somebody asks for weekly reports."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.views.account import BaseSettingsPanel, notifications_tab

from smsflow_plugin.admin_panels.dashboards.pages import may_see_some, own_stores
from smsflow_plugin.models import ReportReader, Store


class StoreChoices(forms.ModelMultipleChoiceField):
    def label_from_instance(self, store: Any) -> str:
        url = reverse("smsflow_store_report:index", args=[store.pk])
        return format_html('{} (<a href="{}">{}</a>)', store.name, url, _("look at it"))


class WeeklyReportForm(forms.ModelForm):  # type: ignore[type-arg]
    """Which stores a user wants the weekly report of, among those whose figures they may see."""

    stores = StoreChoices(
        queryset=Store.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=_("Weekly report of"),
        help_text=_("Comes to your e-mail address every Monday at 8 in the morning, on the store's clock."),
    )

    class Meta:
        model = get_user_model()
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["stores"].queryset = self.offered  # type: ignore[attr-defined]
        self.fields["stores"].initial = [row.store_id for row in self.rows]

    @cached_property
    def offered(self) -> QuerySet[Store]:
        return Store.objects.filter(pk__in=[store.pk for store in own_stores(self.instance)]).order_by("name")

    @cached_property
    def rows(self) -> list[ReportReader]:
        return list(ReportReader.objects.filter(user=self.instance, store__in=self.offered))

    def save(self, commit: bool = True) -> Any:
        wanted = {store.pk for store in self.cleaned_data["stores"]}
        known = {row.store_id for row in self.rows}
        ReportReader.objects.filter(user=self.instance, store_id__in=known - wanted).delete()
        ReportReader.objects.bulk_create(
            [ReportReader(user=self.instance, store_id=pk) for pk in sorted(wanted - known)], ignore_conflicts=True
        )
        return self.instance


class WeeklyReportPanel(BaseSettingsPanel):  # type: ignore[misc]
    name = "smsflow_weekly_report"
    title = _("Weekly reports of text messages")
    tab = notifications_tab
    order = 500
    form_class = WeeklyReportForm

    def is_active(self) -> bool:
        return may_see_some(self.user)


def register() -> None:
    hooks.register("register_account_settings_panel", WeeklyReportPanel)
