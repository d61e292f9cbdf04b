"""What visitors get when there is no page to show: the shop, or the plain page of what nobody knows."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.encoding import iri_to_uri

from smsflow_plugin.landing import offers
from smsflow_plugin.links import targets
from smsflow_plugin.messaging.short_links import shop_home
from smsflow_plugin.stores.models import Store


def lead_home(request: HttpRequest, store: Store) -> HttpResponse:
    home = shop_home(store)
    if not home:
        return unknown(request)
    if store.link_utm:
        home = targets.tagged(home, offers.handed_on(request.GET.dict()))
    return _private(HttpResponseRedirect(iri_to_uri(home)))


def unknown(request: HttpRequest) -> HttpResponse:
    return _private(render(request, "smsflow/links/unknown.html", {"often": False}, status=404))


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response
