"""Where somebody arrives who opened the app in Shopify's admin: signed in by now, and asked which store it is for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet

from smsflow_plugin.admin_panels.shopify.views import go_to_shopify, may_change, shopify_url
from smsflow_plugin.integrations.shopify import oauth
from smsflow_plugin.integrations.shopify.admin.errors import ShopifyTrouble
from smsflow_plugin.integrations.shopify.connecting import CannotConnect
from smsflow_plugin.integrations.shopify.models import Grant
from smsflow_plugin.integrations.shopify.needed import scopes_to_ask_for
from smsflow_plugin.models import Connection, Store


class StoreForm(forms.Form):
    store = forms.ModelChoiceField(label=gettext_lazy("Store"), queryset=None, empty_label=None)

    def __init__(self, *args: Any, stores: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["store"].queryset = stores


class ArriveView(WagtailAdminTemplateMixin, FormView):  # type: ignore[misc,type-arg]
    """Offers the stores that the shop may become the shop of; or the one whose shop it is."""

    form_class = StoreForm
    page_title = gettext_lazy("Connect to Shopify")
    header_icon = "smsflow-store"
    template_name = "smsflow/shopify/arrive.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            self.app, self.shop = oauth.read_arrival(request.GET.get("arrival", ""))
        except oauth.NotGenuine as why:
            messages.error(request, str(why))
            return redirect("wagtailadmin_home")
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    @cached_property
    def stores(self) -> list[Store]:
        """The stores that it may be for. None: it is another's, or there is no free one."""
        user = self.request.user
        taken = Connection.objects.filter(kind="shopify", account=self.shop).values_list("store", flat=True).first()
        rows = Store.objects.visible_to(user).order_by("name")
        free = Connection.objects.filter(kind="shopify").values("store")
        rows = rows.filter(pk=taken) if taken else rows.exclude(pk__in=free)
        return [store for store in rows if may_change(user, store)]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # whoever only opens the app is at the right place already
        if len(self.stores) == 1:
            store = self.stores[0]
            grants = Grant.objects.filter(connection__store=store, connection__account=self.shop, app=self.app)
            if grants.filter(broken_at=None).exclude(connection__store__status=Store.Status.UNINSTALLED).exists():
                return redirect(shopify_url(store))
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    def get_form_kwargs(self) -> dict[str, Any]:
        stores = Store.objects.filter(pk__in=[store.pk for store in self.stores]).order_by("name")
        return {**super().get_form_kwargs(), "stores": stores}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context.update(shop=self.shop, stores=self.stores, stores_url=reverse("smsflow_stores:index"))
        return context

    def form_valid(self, form: StoreForm) -> HttpResponse:
        store: Store = form.cleaned_data["store"]
        granted = Grant.objects.filter(connection__store=store).values_list("scopes", flat=True).first()
        scopes = scopes_to_ask_for([store.pk], granted or ())
        try:
            answer = go_to_shopify(self.request, store, self.app, self.shop, scopes, came_from_shop=True)
        except (CannotConnect, ShopifyTrouble) as trouble:
            for sentence in getattr(trouble, "messages", [str(trouble)]):
                form.add_error(None, sentence)
            response: HttpResponse = self.form_invalid(form)
            return response
        if answer is None:
            messages.success(self.request, _("The shop is connected. Its webhooks are being set up."))
        return answer or redirect(shopify_url(store))


class ShopifyViewSet(ViewSet):  # type: ignore[misc]
    """What belongs to no store yet."""

    name = "smsflow_shopify"
    url_prefix = "smsflow/shopify"

    def get_urlpatterns(self) -> list[URLPattern]:
        return [path("arrive/", transaction.non_atomic_requests(self.construct_view(ArriveView)), name="arrive")]
