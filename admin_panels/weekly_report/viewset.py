"""The weekly report as it would be written now, and a button that sends it to whoever looks."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet

from smsflow_plugin.admin_panels.dashboards.pages import may_see
from smsflow_plugin.admin_panels.scoping import ScopedViewSetMixin
from smsflow_plugin.measurement.weekly.letters import facts
from smsflow_plugin.measurement.weekly.readers import reader
from smsflow_plugin.measurement.weekly.telling import send_now, week_now
from smsflow_plugin.models import Store


class WeeklyReportPage(WagtailAdminTemplateMixin, TemplateView):  # type: ignore[misc]
    """Build it with the viewset's ``construct_view``: others' stores are a 404."""

    http_method_names = ["get", "head", "post", "options"]
    template_name = "smsflow/weekly_report/page.html"
    page_title = gettext_lazy("Weekly report")
    header_icon = "smsflow-figures"
    model = Store
    permission_policy: Any
    request: HttpRequest

    @property
    def store(self) -> Store:
        # the view's wall has found it among those that the user may see
        store: Store = self.permission_policy.instance
        return store

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_see(request.user, self.store.pk):
            raise PermissionDenied
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user: Any = request.user
        if not user.email:
            messages.error(request, _("Your account has no e-mail address."))
        else:
            send_now(self.store, user)
            messages.success(request, _("The report is on its way to %(email)s.") % {"email": user.email})
        return redirect("smsflow_store_report:index", self.store.pk)

    def get_page_subtitle(self) -> str:
        return str(self.store.name)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("smsflow_figures:index"), "label": _("Figures")},
            {"url": reverse("smsflow_figures:store", args=[self.store.pk]), "label": str(self.store.name)},
            {"url": "", "label": self.get_page_title(), "sublabel": str(self.store.name)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        told = facts(week_now(self.store), reader(self.request.user, self.store))
        return super().get_context_data(**told, **kwargs)


class WeeklyReportViewSet(ScopedViewSetMixin, ViewSet):  # type: ignore[misc]
    name = "smsflow_store_report"
    url_prefix = "smsflow/weekly-report"
    icon = "smsflow-figures"

    def get_urlpatterns(self) -> list[URLPattern]:
        return [path("<int:pk>/", self.construct_view(WeeklyReportPage), name="index")]
