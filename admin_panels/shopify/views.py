"""The page of a store about its shop, and what its buttons do.

What asks Shopify is a call over the network, and so never in a transaction: ``store_urlpatterns`` sees to that.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import conditional_escape
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView, View
from wagtail.admin import messages
from wagtail.admin.views.generic.base import BaseObjectMixin, WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.objects import ObjectFormView
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.admin_panels.shopify.forms import ConnectForm, TokenForm
from smsflow_plugin.admin_panels.shopify.standing import Standing
from smsflow_plugin.integrations.shopify import oauth
from smsflow_plugin.integrations.shopify.addresses import address_of
from smsflow_plugin.integrations.shopify.admin import tokens
from smsflow_plugin.integrations.shopify.admin.client import AdminApi
from smsflow_plugin.integrations.shopify.admin.errors import ShopifyTrouble
from smsflow_plugin.integrations.shopify.connecting import (
    CannotConnect,
    check_free,
    connect_by_hand,
    connect_without_page,
    disconnect,
    may_skip_the_page,
    offered_apps,
    shop_of,
)
from smsflow_plugin.integrations.shopify.models import ShopifyApp, SubscriptionCheck
from smsflow_plugin.integrations.shopify.needed import scopes_to_ask_for
from smsflow_plugin.integrations.shopify.soon import compare_soon
from smsflow_plugin.integrations.shopify.subscribing import read_scopes
from smsflow_plugin.models import Connection, Store

#: Seconds that somebody who waits for a page waits for Shopify's points.
PATIENCE = 3.0


def shopify_url(store: Store | int) -> str:
    """Return the address of a store's page about its shop."""
    return reverse("smsflow_stores:shopify", args=(store if isinstance(store, int) else store.pk,))


def may_change(user: Any, store: Store) -> bool:
    return may(user, "change", Connection(store=store))


class ShopifyPage(PermissionCheckedMixin, BaseObjectMixin, WagtailAdminTemplateMixin, TemplateView):  # type: ignore[misc]
    """How the store stands with Shopify, and what to do."""

    model = Store
    permission_required = "change"
    page_title = "Shopify"
    header_icon = "smsflow-store"
    template_name = "smsflow/shopify/connection.html"
    index_url_name = ""
    object_url_name = ""

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
        standing = Standing(self.object)
        allowed = may_change(self.request.user, self.object)
        urls = {
            name: reverse(f"smsflow_stores:shopify_{name}", args=(self.object.pk,))
            for name in ("connect", "token", "compare", "check", "disconnect")
        }
        context.update(
            object=self.object, standing=standing, advice=standing.advice(), may_change=allowed, urls=urls,
            steps=standing.steps(), grant=standing.grant, connection=standing.connection, check=standing.check,
            app_name=self._app_name(standing), topics=standing.topics, scopes=standing.scopes,
            pixel_address=address_of("pixel", standing.connection.token) if standing.connection else "",
        )  # fmt: skip
        return context

    def _app_name(self, standing: Standing) -> str:
        return standing.grant.app.name if standing.grant and standing.grant.app else ""


class _ForThoseWhoConnect(ObjectFormView):
    """A form of the store about its shop."""

    model = Store
    any_permission_required = ["change"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_change(request.user, self.object):
            raise PermissionDenied
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def get_object_url(self) -> str:
        return shopify_url(self.object)

    def account(self) -> str:
        rows = Connection.objects.filter(store=self.object, kind="shopify")
        return rows.values_list("account", flat=True).first() or ""

    def get_initial(self) -> dict[str, Any]:
        return {"shop": self.account()}

    def fails(self, form: Any, trouble: Exception) -> HttpResponse:
        for sentence in getattr(trouble, "messages", [str(trouble)]):
            form.add_error(None, sentence)
        response: HttpResponse = self.form_invalid(form)
        return response

    def connected(self) -> HttpResponse:
        text = _("%(store)s is connected. Its webhooks are being set up.") % {"store": self.object}
        messages.success(self.request, conditional_escape(text))
        return redirect(self.get_object_url())


class ConnectView(_ForThoseWhoConnect):
    form_class = ConnectForm
    page_title = gettext_lazy("Connect to Shopify")
    template_name = "smsflow/shopify/connect.html"
    submit_button_label = gettext_lazy("Connect to Shopify")

    def get_form_kwargs(self) -> dict[str, Any]:
        apps = offered_apps(self.request.user, self.object)
        return {**super().get_form_kwargs(), "apps": apps, "account": shop_of(self.object)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["scopes"] = self._scopes()
        context["has_apps"] = offered_apps(self.request.user, self.object).exists()
        context["may_add_app"] = self.request.user.has_perm("smsflow_shopify.add_shopifyapp")
        context["token_url"] = reverse("smsflow_stores:shopify_token", args=(self.object.pk,))
        return context

    def _scopes(self) -> list[str]:
        grant = Standing(self.object).grant
        return scopes_to_ask_for([self.object.pk], grant.scopes if grant else ())

    def form_valid(self, form: ConnectForm) -> HttpResponse:
        app, shop = form.cleaned_data["app"], form.cleaned_data["shop"]
        try:
            return go_to_shopify(self.request, self.object, app, shop, self._scopes()) or self.connected()
        except (CannotConnect, ShopifyTrouble) as trouble:
            return self.fails(form, trouble)


def go_to_shopify(
    request: HttpRequest, store: Store, app: ShopifyApp, shop: str, scopes: list[str], *, came_from_shop: bool = False
) -> HttpResponse | None:
    """Send the browser to Shopify's page; None if nobody has to agree there, and the shop is connected.

    :param came_from_shop: Shopify has just vouched for it that they are staff of the shop.
    :raises CannotConnect, ShopifyTrouble: if the shop cannot be connected.
    """
    check_free(store, shop)
    if app.kind == ShopifyApp.Kind.OAUTH:
        return redirect(oauth.begin(user=request.user, store=store, app=app, shop=shop, scopes=scopes))
    if not came_from_shop and not may_skip_the_page(request.user, store, app):
        raise CannotConnect(
            _("This app serves other stores as well. Ask somebody who manages the apps to connect this one.")
        )
    connect_without_page(store, request.user, app=app, shop=shop)
    return None


class TokenView(_ForThoseWhoConnect):
    form_class = TokenForm
    page_title = gettext_lazy("Enter a token")
    template_name = "smsflow/shopify/token.html"
    submit_button_label = gettext_lazy("Save")

    def get_form_kwargs(self) -> dict[str, Any]:
        connection = Standing(self.object).connection
        account = shop_of(self.object)
        has_secret = bool(connection and connection.secrets.get("secret"))
        return {**super().get_form_kwargs(), "account": account, "has_secret": has_secret}

    def form_valid(self, form: TokenForm) -> HttpResponse:
        cleaned = form.cleaned_data
        try:
            connect_by_hand(
                self.object, self.request.user, shop=cleaned["shop"], token=cleaned["token"], secret=cleaned["secret"]
            )
        except (CannotConnect, ShopifyTrouble) as trouble:
            return self.fails(form, trouble)
        return self.connected()


class _Button(PermissionCheckedMixin, BaseObjectMixin, View):  # type: ignore[misc]
    """Does something with the shop of a store, and leads back."""

    model = Store
    permission_required = "change"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        connection = Standing(self.object).connection
        if connection is None:
            messages.warning(request, _("This store is not connected to a shop yet."))
        else:
            self.do(request, connection)
        return redirect(shopify_url(self.object))

    def do(self, request: HttpRequest, connection: Connection) -> None:
        raise NotImplementedError


class CompareView(_Button):
    """Has the webhooks compared: that may be forty calls, so a worker makes them."""

    def do(self, request: HttpRequest, connection: Connection) -> None:
        compare_soon(connection.pk)
        messages.success(request, _("The webhooks are being compared. Look at this page again in a moment."))


class CheckView(_Button):
    """Asks the shop for its name."""

    def do(self, request: HttpRequest, connection: Connection) -> None:
        try:
            if not tokens.try_again(connection):
                messages.error(request, _("There is no token any more. Connect the shop again."))
                return
            read_scopes(AdminApi(connection, patience=PATIENCE))
        except ShopifyTrouble as trouble:
            messages.error(request, conditional_escape(str(trouble)))
            return
        SubscriptionCheck.objects.update_or_create(connection=connection, defaults={"answered_at": clock.now()})
        messages.success(request, conditional_escape(_("%(shop)s answers.") % {"shop": connection.account}))


class DisconnectView(_Button):
    def do(self, request: HttpRequest, connection: Connection) -> None:
        if not may_change(request.user, self.object):
            raise PermissionDenied
        disconnect(connection, request.user)
        text = _("%(shop)s is disconnected. Take the app away in the shop's admin, too, if it is not needed any more.")
        messages.success(request, conditional_escape(text % {"shop": connection.account}))


def store_urlpatterns(construct_view: Any) -> list[URLPattern]:
    """Return the addresses of a store about Shopify, for the stores' viewset."""

    def outside(view_class: type[View]) -> Any:
        return transaction.non_atomic_requests(construct_view(view_class))

    return [
        path("<int:pk>/shopify/", construct_view(ShopifyPage), name="shopify"),
        path("<int:pk>/shopify/connect/", outside(ConnectView), name="shopify_connect"),
        path("<int:pk>/shopify/token/", outside(TokenView), name="shopify_token"),
        path("<int:pk>/shopify/compare/", construct_view(CompareView), name="shopify_compare"),
        path("<int:pk>/shopify/check/", outside(CheckView), name="shopify_check"),
        path("<int:pk>/shopify/disconnect/", outside(DisconnectView), name="shopify_disconnect"),
    ]
