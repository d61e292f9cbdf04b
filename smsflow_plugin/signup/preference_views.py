"""A person's own page: fewer texts, which ones, or none. Looking at it changes nothing: scanners open every link."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.preference_links import contact_of
from smsflow_plugin.callers import client_ip
from smsflow_plugin.signup.numbers import masked
from smsflow_plugin.signup.page_words import LANGUAGES, NAMES, base, choose, words
from smsflow_plugin.signup.preferences import PER_WEEK, STAGES, ask_again, chosen, stop
from smsflow_plugin.signup.preferences import choose as choose_texts


# the signed link says who it is; people come to it from a text, without a cookie
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the person gets, and do what they post."""
    contact = contact_of(token)
    if contact is None or not contact.phone:
        raise Http404
    language = _language(request, contact)
    if request.method == "POST":
        _do(request, contact, language)
        return _private(redirect(f"{request.path}?lang={language}&saved=1"))
    return _private(render(request, "smsflow/join/preferences.html", _context(request, contact, language)))


def _do(request: HttpRequest, contact: Contact, language: str) -> None:
    evidence = {
        "page": request.build_absolute_uri(request.path)[:200],
        "ip": client_ip(request)[:64],
        "user_agent": request.headers.get("User-Agent", "")[:500],
    }
    match request.POST.get("do"):
        case "save":
            wanted = set(request.POST.getlist("stage"))
            choose_texts(contact, _per_week(request), [stage for stage in STAGES if stage not in wanted])
        case "stop_marketing":
            stop(contact, "marketing", evidence)
        case "stop_all":
            stop(contact, "all", evidence)
        case "ask_again":
            ask_again(contact, language, evidence)


def _per_week(request: HttpRequest) -> int | None:
    return next((number for number in PER_WEEK if str(number) == request.POST.get("per_week")), None)


def _language(request: HttpRequest, contact: Contact) -> str:
    own = base(contact.language or contact.store.language)
    asked = str(request.POST.get("lang") or request.GET.get("lang") or "")
    return choose((own, *(code for code in LANGUAGES if code != own)), asked=asked, accepted="")


def _context(request: HttpRequest, contact: Contact, language: str) -> dict[str, Any]:
    said, store = words(language), contact.store
    per_week, refused = chosen(contact)
    nothing = contact.service_consent == Contact.Consent.REVOKED
    waits = contact.marketing_consent == Contact.Consent.PENDING
    state = "state_nothing" if nothing and not waits else f"state_{contact.marketing_consent}"
    return {
        "words": said,
        "language": language,
        "languages": list(NAMES.items()),
        "store": store,
        "heading": said["preferences_title"].replace("{brand}", store.brand),
        "number": said["preferences_for"].replace("{number}", masked(str(contact.phone))),
        "state": said[state],
        "gets": contact.marketing_consent == Contact.Consent.GRANTED,
        "may_ask": contact.marketing_consent in (Contact.Consent.REVOKED, Contact.Consent.UNKNOWN),
        "gets_service": not nothing,
        "saved": request.GET.get("saved") == "1",
        "per_week": [(str(n), said[f"per_week_{n or 'any'}"], n == per_week) for n in PER_WEEK],
        "stages": [(stage, said[f"stage_{stage}"], stage not in refused) for stage in STAGES],
    }


def _private(response: HttpResponse) -> HttpResponse:
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    response["Content-Security-Policy"] = "base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
    return response
