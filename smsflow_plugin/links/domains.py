"""Short links on the brand's own domain: they stand at its top, https://go.sierra-gear.example/aB3dE6gH."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from django.core.cache import cache
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.links.views import domain_home, open_link
from smsflow_plugin.messaging.shortening import LENGTH
from smsflow_plugin.stores.models import Store

_CODE = re.compile(rf"/([0-9A-Za-z]{{{LENGTH}}})/?")
_KEY = "smsflow:link_domains"
#: Seconds for which other processes may not know of a new domain yet.
KEPT_FOR = 60


class LinkDomainMiddleware:
    """Answers for the domains of short links, and for no other host. Place it behind ``LocaleMiddleware``."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        found = _CODE.fullmatch(request.path)
        if found or request.path == "/":
            host = request.get_host().lower()
            domain = host.partition(":")[0]
            if host != _own_host() and domain in (domains := link_domains()):
                return open_link(request, found[1], domain=domain) if found else domain_home(request, domains[domain])
        return self.get_response(request)


def link_domains() -> dict[str, str]:
    """Return the domains of short links, each with the website of its store. Read once a minute."""
    found: dict[str, str] | None = cache.get(_KEY)
    if found is None:
        rows = Store.objects.exclude(link_domain="").exclude(status=Store.Status.UNINSTALLED)
        found = {domain.lower(): website for domain, website in rows.values_list("link_domain", "website")}
        cache.set(_KEY, found, KEPT_FOR)
    return found


def forget() -> None:
    """Read the domains anew: one has changed."""
    cache.delete(_KEY)


def _own_host() -> str:
    return str(urlsplit(smsflow_settings.PUBLIC_URL).netloc).lower()
