"""The page on which a store says what may be written into its shop."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.integrations.shopify.models import Write
from smsflow_plugin.integrations.shopify.writes.wishes import WRITES, Wishes, wishes
from smsflow_plugin.models import Connection
from smsflow_plugin.stores.actions import SaveConnection


class WishesForm(forms.Form):
    consent = forms.BooleanField(
        label=gettext_lazy("Consent to texts"),
        required=False,
        help_text=gettext_lazy("An opt-out or an opt-in here is told to the customer's profile in Shopify."),
    )
    phones = forms.BooleanField(
        label=gettext_lazy("Phone numbers"),
        required=False,
        help_text=gettext_lazy(
            "Shopify takes consent for customers with a number only. Ticked, a customer without one gets the number "
            "that agreed here."
        ),
    )
    tags = forms.BooleanField(
        label=gettext_lazy("Tags of flows"),
        required=False,
        help_text=gettext_lazy("Tags that flows give and take away are those of the customer in Shopify, too."),
    )


class WishesView(WagtailAdminTemplateMixin, FormView):  # type: ignore[misc]
    """Of a store whose outbox the user does not see it is not even known that it exists."""

    form_class = WishesForm
    template_name = "smsflow/object_form.html"
    page_title = gettext_lazy("What is written into Shopify")
    header_icon = "cog"
    index_url_name = ""
    connection: Connection

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        shops = Connection.objects.filter(kind="shopify", store_id=kwargs["store_pk"]).select_related("store")
        found = shops.first()
        if found is None or not (
            may(request.user, "change", found) or may(request.user, "view", Write(store_id=found.store_id))
        ):
            raise Http404
        if not may(request.user, "change", found):
            raise PermissionDenied
        self.connection = found
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def get_page_subtitle(self) -> str:
        return str(self.connection.store)

    def get_initial(self) -> dict[str, Any]:
        return asdict(wishes(self.connection.settings))

    def form_valid(self, form: WishesForm) -> HttpResponse:
        SaveConnection(
            self.connection.store,
            self.request.user,
            kind="shopify",
            account=self.connection.account,
            secrets={},
            settings={WRITES: asdict(Wishes(**form.cleaned_data))},
        ).execute()
        messages.success(self.request, _("Saved."))
        return redirect(reverse(self.index_url_name))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context.update(submit_button_label=_("Save"), object_url=reverse(self.index_url_name))
        return context
