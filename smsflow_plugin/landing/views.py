"""Answers at the lasting addresses of landing pages. A text that is out cannot be changed, so they lead somewhere."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.encoding import iri_to_uri
from django.views.decorators.http import require_safe
from wagtail import hooks

from smsflow_plugin import clock
from smsflow_plugin.landing import offers
from smsflow_plugin.landing.models import LandingPage
from smsflow_plugin.links import targets
from smsflow_plugin.messaging.short_links import shop_home
from smsflow_plugin.stores.models import Store


@require_safe
def landing_page(request: HttpRequest, store: int, token: str) -> HttpResponse:
    """Show a page; one that is not published, has expired or is gone leads to the shop's home.

    :param store: whose page it is; another store's is not found here.
    """
    owner = Store.objects.exclude(status=Store.Status.UNINSTALLED).filter(pk=store).first() if store < 2**63 else None
    if owner is None:
        return _private(render(request, "smsflow/links/unknown.html", {"often": False}, status=404))
    page = LandingPage.objects.select_related("form__store", "image").filter(token=token).first()
    if page is None or page.store != owner or not page.is_open(clock.now()):
        return _home(request, owner)
    # as Wagtail does it: a folder may be kept for those who are logged in
    for check in hooks.get_hooks("before_serve_page"):
        answer = check(page, request, [], {})
        if isinstance(answer, HttpResponse):
            return answer
    return page.serve(request)


def _home(request: HttpRequest, store: Store) -> HttpResponse:
    home = shop_home(store)
    if not home:
        return _private(render(request, "smsflow/links/unknown.html", {"often": False}, status=404))
    if store.link_utm:
        home = targets.tagged(home, offers.handed_on(request.GET.dict()))
    return _private(HttpResponseRedirect(iri_to_uri(home)))


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response
