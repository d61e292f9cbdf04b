"""The page of a store about its help desk: the address, the secret, and how calls are proven."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic.base import BaseObjectMixin, WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.audience.cases import COUNTS_FOR
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.integrations.helpdesk.connecting import (
    KIND,
    PLAIN,
    MakeHelpDeskSecret,
    TrustPlainSecret,
    connection_of,
)
from smsflow_plugin.models import Connection, Delivery, Store

#: Deliveries that the page names.
RECENT = 5


def helpdesk_url(store: Store) -> str:
    return reverse("smsflow_stores:helpdesk", args=(store.pk,))


def address_of(connection: Connection) -> str:
    """Return what the help desk must call; empty if the site has not included the plugin's addresses."""
    try:
        return f"{smsflow_settings.PUBLIC_URL}{reverse('smsflow:helpdesk:cases', args=(connection.token,))}"
    except NoReverseMatch:
        return ""


class HelpDeskPage(PermissionCheckedMixin, BaseObjectMixin, WagtailAdminTemplateMixin, TemplateView):  # type: ignore[misc]
    """Shows a secret once, in the answer to the click that made it."""

    model = Store
    permission_required = "change"
    page_title = gettext_lazy("Help desk")
    header_icon = "help"
    template_name = "smsflow/stores/helpdesk.html"
    index_url_name = ""
    object_url_name = ""
    http_method_names = ["get", "post"]
    secret = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may(request.user, "change", Connection(store=self.object)):
            raise PermissionDenied
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    @sensitive_variables()
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "make-secret" in request.POST:
            self.secret = MakeHelpDeskSecret(self.object, request.user).execute()
            # like all of Wagtail's pages, the answer is kept in no cache
            response: HttpResponse = self.render_to_response(self.get_context_data(**kwargs))
            return response
        if "save" in request.POST:
            TrustPlainSecret(self.object, request.user, trust="plain" in request.POST).execute()
            messages.success(request, _("Saved."))
        return redirect(helpdesk_url(self.object))

    def get_page_subtitle(self) -> str:
        return str(self.object)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse(self.index_url_name), "label": capfirst(self.model._meta.verbose_name_plural)},
            {"url": reverse(self.object_url_name, args=(self.object.pk,)), "label": str(self.object)},
            {"url": "", "label": self.get_page_title(), "sublabel": str(self.object)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        connection = connection_of(self.object)
        sees = may(self.request.user, "view", Delivery(store=self.object))
        recent = Delivery.objects.filter(store=self.object, source=KIND).defer("body", "headers")
        context.update(
            object=self.object,
            secret=self.secret,
            connected=connection is not None,
            address=address_of(connection) if connection else "",
            plain=bool(connection and connection.settings.get(PLAIN)),
            days=COUNTS_FOR.days,
            sees_deliveries=sees,
            recent=list(recent.order_by("-received_at", "-pk")[:RECENT]) if sees else [],
            deliveries_url=f"{reverse('smsflow_deliveries:index')}?store={self.object.pk}&topic=case_",
        )
        return context


def helpdesk_urlpatterns(construct_view: Any) -> list[URLPattern]:
    return [path("<int:pk>/helpdesk/", construct_view(HelpDeskPage), name="helpdesk")]
