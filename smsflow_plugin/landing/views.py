"""Answers at the lasting addresses of landing pages. A text that is out cannot be changed, so they lead somewhere."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch
from django.views.decorators.http import require_safe
from wagtail import hooks
from wagtail.views import serve_chain

from smsflow_plugin import clock
from smsflow_plugin.landing import answers
from smsflow_plugin.landing.models import LandingPage
from smsflow_plugin.stores.models import Store

#: What tokens look like. PostgreSQL refuses to look for some of what an address can hold.
_TOKEN = re.compile("[0-9A-Za-z]{1,16}")


@require_safe
def landing_page(request: HttpRequest, store: int, token: str) -> HttpResponse:
    """Show a page; one that is not published, has expired or is gone leads to the shop's home.

    :param store: whose page it is; another store's is not found here.
    """
    owner = Store.objects.exclude(status=Store.Status.UNINSTALLED).filter(pk=store).first() if store < 2**63 else None
    if owner is None:
        return answers.unknown(request)
    page = _find(token) if _TOKEN.fullmatch(token) else None
    if page is None or page.store != owner or not page.is_open(clock.now()):
        return answers.lead_home(request, owner)
    return _served(page, owner, request)


def _find(token: str) -> LandingPage | None:
    found: LandingPage | None = LandingPage.objects.select_related("form__store", "image").filter(token=token).first()
    return found


def _served(page: LandingPage, owner: Store, request: HttpRequest) -> HttpResponse:
    """Serve a page as Wagtail's own view does: it may stand in a part of the tree that is kept for some people."""
    serve = serve_chain
    for wrap in reversed(hooks.get_hooks("on_serve_page")):
        serve = wrap(serve)
    try:
        for check in hooks.get_hooks("before_serve_page"):
            answer = check(page, request, [], {})
            if isinstance(answer, HttpResponse):
                return answer
        response: HttpResponse = serve(page, request, [], {})
    except NoReverseMatch:
        if all(kept.accept_request(request) for kept in page.get_view_restrictions()):
            raise
        # without wagtail.urls the site has no page on which somebody could log in or give the password
        return answers.lead_home(request, owner)
    return response
