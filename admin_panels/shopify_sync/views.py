"""The pages of a store's comparison with its shop, and of the import."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import conditional_escape
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView, View
from wagtail.admin import messages
from wagtail.admin.views.generic.base import BaseObjectMixin, WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

from smsflow_plugin.admin_panels.objects import ObjectFormView
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.admin_panels.shopify_sync import words
from smsflow_plugin.admin_panels.shopify_sync.forms import ImportForm
from smsflow_plugin.integrations.shopify.admin.scopes import held
from smsflow_plugin.integrations.shopify.models import Grant, ImportRun, SyncFind, SyncRun, SyncState
from smsflow_plugin.integrations.shopify.sync.actions import CancelImport, CompareNow, ResumeImport, StartImport
from smsflow_plugin.models import Connection, Store

#: Runs and finds that the page shows.
RUNS, FINDS = 10, 25


def may_steer(user: Any, store: Store) -> bool:
    """Return whether the user may compare and import: what says who may change the connection."""
    return may(user, "change", Connection(store=store))


class _StorePage(PermissionCheckedMixin, BaseObjectMixin):  # type: ignore[misc]
    model = Store
    any_permission_required = ["change"]
    object_url_name = ""
    index_url_name = ""
    store_url_name = ""


class SyncPage(_StorePage, WagtailAdminTemplateMixin, TemplateView):  # type: ignore[misc]
    template_name = "smsflow/shopify_sync/page.html"
    page_title = gettext_lazy("Shopify sync")
    header_icon = "history"
    names: dict[str, str] = {}

    def get_page_subtitle(self) -> str:
        return str(self.object)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse(self.index_url_name), "label": capfirst(Store._meta.verbose_name_plural)},
            {"url": reverse(self.store_url_name, args=(self.object.pk,)), "label": str(self.object)},
            {"url": "", "label": self.get_page_title(), "sublabel": str(self.object)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        store = self.object
        grant = Grant.objects.defer("secrets").filter(connection__store=store).first()
        finds = SyncFind.objects.filter(store=store).exclude(state=SyncFind.State.KNOWN).order_by("-pk")[:FINDS]
        scopes = held(grant.scopes) if grant else frozenset()
        context.update(
            state=SyncState.objects.filter(store=store).first(),
            connected=grant is not None and grant.broken_at is None,
            broken_because=grant.broken_because if grant else "",
            runs=_runs(store),
            finds=[(find, words.what(find.topic), _why(find)) for find in finds],
            may_steer=may_steer(self.request.user, store),
            only_recent=bool(scopes) and "read_all_orders" not in scopes,
            **import_context(store),
            **{f"{name}_url": reverse(url, args=(store.pk,)) for name, url in self.names.items()},
        )
        return context


def _runs(store: Store) -> list[tuple[SyncRun, list[str]]]:
    runs = list(SyncRun.objects.filter(store=store).order_by("-started_at", "-pk")[:RUNS])
    counted = (
        SyncFind.objects.filter(run__in=runs)
        .values_list("run_id", "topic", "state", "reason", "hours")
        .annotate(count=Count("pk"))
        .order_by("run_id", "topic", "state", "reason", "hours")
    )
    by_run: dict[int, list[words.Found]] = {}
    for run_id, *found in counted:
        by_run.setdefault(run_id, []).append(words.Found(*found))
    return [(run, words.sentences(by_run.get(run.pk, ()))) for run in runs]


def _why(find: SyncFind) -> str:
    if find.state != SyncFind.State.IGNORED:
        return find.reason
    (sentence,) = words.sentences([words.Found(find.topic, find.state, find.reason, find.hours)])
    return sentence


def import_context(store: Store) -> dict[str, Any]:
    """Return what the import's part of the page shows."""
    run = ImportRun.objects.filter(store=store).order_by("-created_at", "-pk").first()
    return {
        "store": store,
        "run": run,
        "active": run is not None and run.state in ImportRun.ACTIVE,
        "stopped": run is not None and run.state == ImportRun.State.FAILED,
        "percent": words.progress(run) if run else None,
        "report": words.report(run) if run else [],
    }


class ProgressView(_StorePage, View):  # type: ignore[misc]
    """The import's part of the page, which fetches it every few seconds while something is under way."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return render(request, "smsflow/shopify_sync/progress.html", import_context(self.object))


class _Order(_StorePage, View):  # type: ignore[misc]
    """Does something for those who may steer, and leads back to the page."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_steer(request.user, self.object):
            raise PermissionDenied
        try:
            self.do()
        except ValidationError as error:
            messages.error(request, conditional_escape(" ".join(error.messages)))
        return redirect(reverse(self.object_url_name, args=(self.object.pk,)))

    def do(self) -> None:
        raise NotImplementedError


class CompareView(_Order):
    def do(self) -> None:
        CompareNow(self.object, self.request.user).execute()
        messages.success(self.request, _("The shop is being compared. Reload the page in a moment to see the outcome."))


class CancelView(_Order):
    def do(self) -> None:
        if CancelImport(self.object, self.request.user).execute():
            messages.success(self.request, _("The import is cancelled. What it has written stays."))


class ResumeView(_Order):
    def do(self) -> None:
        if ResumeImport(self.object, self.request.user).execute():
            messages.success(self.request, _("The import goes on where it stopped."))


class ImportView(_StorePage, ObjectFormView):
    form_class = ImportForm
    page_title = gettext_lazy("Import history")
    template_name = "smsflow/shopify_sync/import.html"
    submit_button_label = gettext_lazy("Start import")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_steer(request.user, self.object):
            raise PermissionDenied
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def form_valid(self, form: ImportForm) -> HttpResponse:
        wanted = form.cleaned_data
        action = StartImport(
            self.object,
            self.request.user,
            orders=wanted["orders"],
            since=wanted["since"],
            start_flows=wanted["start_flows"],
        )
        try:
            action.execute()
        except ValidationError as error:
            form.add_error(None, error)
            return self.form_invalid(form)
        messages.success(self.request, _("The import has begun. This page shows how far it is."))
        response: HttpResponse = super().form_valid(form)
        return response
