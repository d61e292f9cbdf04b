"""What the counters of a page have in common: the tables, the texts, the names, and whom to ask."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.translation import gettext as _

from smsflow_plugin.admin_panels.flows.copy_situation import ANSWER, Situation, of_flow
from smsflow_plugin.admin_panels.flows.copy_views import CopyToolsViewSet, names
from smsflow_plugin.messaging.copy import OPT_OUT_WORDS
from smsflow_plugin.messaging.parts import tables
from smsflow_plugin.models import Flow, Store


def tools_for_flow(request: HttpRequest, flow: Flow) -> dict[str, Any]:
    """Return the settings for a page about ``flow``, which need not be saved."""
    return copy_tools(request, of_flow(flow), flow)


def copy_tools(request: HttpRequest, situation: Situation, flow: Flow | None = None) -> dict[str, Any]:
    """Return what the page's ``#smsflow-copy-tools`` holds, as JSON can keep it. See ``counter.js``."""
    viewset = CopyToolsViewSet()
    store: Store | None = situation.store
    offered = names(situation)
    return {
        "lookUrl": reverse(viewset.get_url_name("look")),
        "namesUrl": reverse(viewset.get_url_name("names")),
        "token": get_token(request),
        "flow": str(flow.pk) if flow is not None and flow.pk else "",
        "store": str(store.pk) if store else "",
        "brand": store.brand if store else "",
        "language": store.language if store else "en",
        "messageClass": ANSWER if situation.answer else "marketing" if situation.marketing else "service",
        "optOut": OPT_OUT_WORDS,
        "tables": tables(),
        "names": offered,
        "examples": {name["path"]: name["example"] for name in offered if "insert" not in name},
        "texts": _texts(),
    }


def _texts() -> dict[str, str]:
    # the placeholders are filled in by the browser
    return {
        "typical": _("Typically:"),
        "longest": _("With long values:"),
        "one": _("%(label)s %(characters)s characters · 1 part · %(encoding)s"),
        "many": _("%(label)s %(characters)s characters · %(parts)s parts · %(encoding)s"),
        "cost": _("%(cost)s for 1,000 people"),
        "forces": _("“%(character)s” makes parts shorter: 70 characters instead of 160."),
        "becomesPlain": _("“%(character)s” is sent as a plain character."),
        "replaceWith": _("Replace with “%(words)s”"),
        "leaveOut": _("Take out"),
        "replaceAll": _("Replace all"),
        "insertName": _("Insert a name"),
        "searchNames": _("Search the names"),
        "noNames": _("No name fits."),
        "mayBeMissing": _("may be missing"),
        "instead": _("words for when it is missing"),
        "wrong": _("Wrong:"),
        "hint": _("Hint:"),
        "show": _("Show"),
    }
