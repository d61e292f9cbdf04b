"""The public pages of opt-in forms: a page of its own, and one for the frame of a shop's website.

They need no session and no JavaScript. Posts carry a sealed slip instead of a CSRF token, as cookies do
not reach a frame in somebody else's page; and they are taken from our own pages and the store's only.
"""

from __future__ import annotations

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from smsflow_plugin import clock
from smsflow_plugin.callers import client_ip, comes_from, origin_of
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.messaging.short_links import is_landing_page
from smsflow_plugin.signup.guard import TOLD
from smsflow_plugin.signup.models import OptInForm
from smsflow_plugin.signup.numbers import Number, masked
from smsflow_plugin.signup.page_words import NAMES, base, choose
from smsflow_plugin.signup.reading import Filled, read
from smsflow_plugin.signup.showing import fields
from smsflow_plugin.signup.submitting import Caller, Submission, must_confirm, submit
from smsflow_plugin.signup.tokens import BadSlip, take_back
from smsflow_plugin.signup.versions import current_version, offered_languages, wording
from smsflow_plugin.stores.models import Store


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    """The form on a page of its own."""
    return _with_policy(_answer(request, _form(token), framed=False), ["'none'"])


@csrf_exempt
@never_cache
@xframe_options_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def frame(request: HttpRequest, token: str) -> HttpResponse:
    """The same for a frame: only the store's own websites may show it."""
    form = _form(token)
    return _with_policy(_answer(request, form, framed=True), ["'self'", *website_origins(form)])


@require_GET
def embed_script(request: HttpRequest, token: str) -> HttpResponse:
    """The script that a shop puts into its page: it sets up the frame and fits its height."""
    form = _form(token)
    url = f"{smsflow_settings.PUBLIC_URL}{reverse('smsflow:join_frame', args=[form.token])}"
    values = {"url": url, "origin": origin_of(url), "title": wording(form, offered_languages(form)[0])["heading"]}
    script = render(
        request,
        "smsflow/join/embed.js",
        {"values": json.dumps(values).replace("<", "\\u003c")},
        content_type="text/javascript; charset=utf-8",
    )
    script["Cache-Control"] = "public, max-age=3600"
    return script


def website_origins(form: OptInForm) -> list[str]:
    """Return the origins on which the form may stand."""
    origins = (origin_of(form.store.website), *(origin_of(str(url)) for url in form.origins))
    return list(dict.fromkeys(origin for origin in origins if origin))


def _form(token: str) -> OptInForm:
    form = OptInForm.objects.select_related("store").filter(token=token).first()
    if form is None:
        raise Http404
    return form


def _answer(request: HttpRequest, form: OptInForm, *, framed: bool) -> HttpResponse:
    offered = offered_languages(form)
    asked = str(request.POST.get("lang") or request.GET.get("lang") or "")
    language = choose(offered, asked=asked, accepted=request.headers.get("Accept-Language", ""))
    context = {
        **wording(form, language),
        "form": form,
        "store": form.store,
        "framed": framed,
        "languages": [(code, NAMES[code]) for code in offered] if len(offered) > 1 else [],
        # who signed up on a landing page has not yet used the code that stands there
        "came_from": _landing_page(request, form),
    }
    if not form.active or form.store.status != Store.Status.ACTIVE:
        return render(request, "smsflow/join/closed.html", context, status=410)
    if request.method != "POST":
        return _shown(request, form, Filled(), context)
    if not comes_from(request, website_origins(form)):
        own_page = reverse("smsflow:join", args=[form.token])
        return render(request, "smsflow/join/elsewhere.html", {**context, "own_page": own_page}, status=403)
    return _taken(request, form, context)


def _landing_page(request: HttpRequest, form: OptInForm) -> str:
    """Return the address of the store's landing page that shows the form; empty if it was filled in elsewhere."""
    address = str(request.POST.get("from") or "")[:500]
    return address if is_landing_page(form.store_id, address) else ""


def _taken(request: HttpRequest, form: OptInForm, context: dict[str, Any]) -> HttpResponse:
    filled = read(form, request.POST)
    version = current_version(form, context["language"])
    # whatever is wrong with the rest: a slip that is no good any more is replaced
    try:
        slip = take_back(form, request.POST.get("slip", ""), clock.now())
        if slip.version != version.sha256:
            raise BadSlip("changed")
    except BadSlip as problem:
        filled.errors.setdefault("form", str(problem))
        return _shown(request, form, filled, context, status=422)
    if filled.errors or filled.number is None:
        return _shown(request, form, filled, context, status=422)
    outcome = submit(
        form,
        Submission(
            filled.number, version, slip.nonce, _caller(request), filled.first_name, filled.email, filled.is_bot
        ),
    )
    if outcome in TOLD:
        filled.errors["form"] = "too_often"
        return _shown(request, form, filled, context, status=429)
    return _thanks(request, form, filled.number, context)


def _shown(
    request: HttpRequest, form: OptInForm, filled: Filled, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    context = {**context, **fields(form, context, filled), "action": request.path, "prefix": "join"}
    return render(request, "smsflow/join/page.html", context, status=status)


def _thanks(request: HttpRequest, form: OptInForm, number: Number, context: dict[str, Any]) -> HttpResponse:
    """Say the same whatever the guard has said: an attacker learns nothing, and who is honest reads what to do."""
    words, store = context["words"], form.store
    state = "asked" if must_confirm(form, number) else "joined"
    no_text = "no_text" if store.sender.startswith("+") else "no_text_here"
    context = {
        **context,
        "title": words[f"{state}_title"],
        "message": words[state].replace("{number}", masked(number.e164)),
        "thanks": form.success if context["language"] == base(store.language) else "",
        "no_text": words[no_text].replace("{sender}", store.sender),
    }
    return render(request, "smsflow/join/thanks.html", context)


def _caller(request: HttpRequest) -> Caller:
    # what no framework checks is cut: it goes into the proof, and nobody may fill that up
    return Caller(
        ip=client_ip(request)[:64],
        user_agent=request.headers.get("User-Agent", "")[:500],
        page=request.build_absolute_uri()[:500],
        referrer=str(request.POST.get("from") or request.headers.get("Referer", ""))[:500],
    )


def _with_policy(response: HttpResponse, ancestors: list[str]) -> HttpResponse:
    response["Content-Security-Policy"] = f"base-uri 'none'; object-src 'none'; frame-ancestors {' '.join(ancestors)}"
    response["Referrer-Policy"] = "strict-origin-when-cross-origin"
    response["X-Robots-Tag"] = "noindex"
    return response
