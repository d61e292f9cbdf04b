"""Where Shopify sends a merchant's browser: to install, and back from the page on which they agreed.

Neither does anything for somebody who is not signed in here and may not change the store's connection; the shop alone
proves only that it is the shop. Both call Shopify, so neither runs in a transaction.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_GET

from smsflow_plugin.integrations.shopify import oauth
from smsflow_plugin.integrations.shopify.admin import grants
from smsflow_plugin.integrations.shopify.admin.errors import ShopifyTrouble
from smsflow_plugin.integrations.shopify.connecting import CannotConnect, ConnectShop, may_connect
from smsflow_plugin.integrations.shopify.models import Grant, PendingInstall, ShopifyApp

logger = logging.getLogger(__name__)


@transaction.non_atomic_requests
@require_GET
@never_cache
@xframe_options_exempt
def install(request: HttpRequest) -> HttpResponse:
    """Somebody opens the app in Shopify's admin, or installs it from there."""
    try:
        parameters = oauth.signed_parameters(request.GET)
        app, shop = oauth.app_that_signed(parameters)
    except oauth.NotGenuine as why:
        return _refused(request, str(why))
    if parameters.get("id_token"):
        _renew_by_id_token(app, shop, parameters["id_token"])
    url = f"{reverse('smsflow_shopify:arrive')}?{urlencode({'arrival': oauth.sign_arrival(app, shop)})}"
    if parameters.get("embedded") != "1":
        return redirect(url)
    # inside Shopify's admin nobody is signed in here: browsers keep the cookies of frames apart
    response = render(request, "smsflow/shopify/embedded.html", {"url": url, "shop": shop})
    response["Content-Security-Policy"] = f"frame-ancestors https://{shop} https://admin.shopify.com"
    return response


@transaction.non_atomic_requests
@require_GET
@never_cache
def callback(request: HttpRequest) -> HttpResponse:
    """Somebody has agreed in Shopify and comes back."""
    try:
        parameters = oauth.signed_parameters(request.GET)
        pending = oauth.come_back(parameters, request.user)
    except oauth.NotGenuine as why:
        return _refused(request, str(why))
    if not may_connect(request.user, pending.store):
        raise PermissionDenied
    try:
        _connect(pending, parameters.get("code", ""))
    except (CannotConnect, ShopifyTrouble) as trouble:
        messages.error(request, " ".join(getattr(trouble, "messages", [str(trouble)])))
    else:
        text = _("%(store)s is connected to %(shop)s. Its webhooks are being set up.")
        messages.success(request, text % {"store": pending.store, "shop": pending.shop})
    return redirect("smsflow_stores:shopify", pending.store_id)


def _connect(pending: PendingInstall, code: str) -> None:
    granted = grants.by_code(pending.app, pending.shop, code)
    kind = Grant.Kind.EXPIRING if granted.expires_in else Grant.Kind.STATIC
    action = ConnectShop(pending.store, pending.user, shop=pending.shop, app=pending.app, kind=kind, granted=granted)
    action.execute()


def _renew_by_id_token(app: ShopifyApp, shop: str, id_token: str) -> None:
    """Let a shop in again whose token was lost, because its staff has just opened the app there.

    Only where somebody who may has connected this very shop through this app before: the domain of a store is written
    down by hand, and proves nothing.
    """
    rows = Grant.objects.select_related("connection__store").filter(connection__kind="shopify", app=app)
    grant = rows.filter(connection__account=shop, broken_at__isnull=False).first()
    if grant is None:
        return
    try:
        if oauth.shop_of_id_token(app, id_token) != shop:
            return
        granted = grants.by_id_token(app, shop, id_token)
        kind = Grant.Kind.EXPIRING if granted.expires_in else Grant.Kind.STATIC
        action = ConnectShop(grant.connection.store, None, shop=shop, app=app, kind=kind, granted=granted)
        action.execute(skip_permission_checks=True)
    except (oauth.NotGenuine, CannotConnect, ShopifyTrouble) as trouble:
        # the page that follows offers to agree again
        logger.warning("%s was opened in Shopify, but gives no token: %s", shop, trouble)


def _refused(request: HttpRequest, why: str) -> HttpResponse:
    context: dict[str, Any] = {"why": why}
    return render(request, "smsflow/shopify/refused.html", context, status=400)
