"""What the templates of the screens need."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.measurement.telling import CONSENT_SOURCES
from smsflow_plugin.models import ConsentRecord, Store

register = template.Library()

ICONS = {
    "event": "calendar-alt",
    "click": "link",
    "robot": "link",
    "review": "help",
    "consent": "clipboard-list",
    "entered": "login",
    "decision": "sliders",
    "message": "mail",
    "effect": "cogs",
    "tried": "rotate",
    "redeemed": "check",
    "left": "logout",
    "note": "comment",
    "thread": "comment",
}


@register.inclusion_tag("smsflow/time.html")
def zone_time(at: datetime, zone: str, store: Store) -> dict[str, Any]:
    """Show ``at`` on a clock in ``zone``, with the store's own time in a tooltip."""
    return {
        "at": at,
        "local": _on_clock(at, zone),
        "tooltip": _("%(moment)s in %(zone)s, the store's time")
        % {
            "moment": _on_clock(at, store.timezone),
            "zone": store.timezone,
        },
    }


@register.inclusion_tag("smsflow/time.html")
def iso_time(text: str, store: Store) -> dict[str, Any]:
    """Show a time that is kept as ISO 8601 on the store's clock."""
    return zone_time(datetime.fromisoformat(text), store.timezone, store)


@register.simple_tag
def plain_time(at: datetime, zone: str) -> str:
    """Show ``at`` on a clock in ``zone``, for pages without the admin's scripts."""
    return _on_clock(at, zone)


@register.filter
def entry_icon(kind: str) -> str:
    return ICONS[kind]


@register.filter
def consent_source(source: str) -> str:
    return str(CONSENT_SOURCES.get(source, source))


#: What stands in the evidence of a consent, in the order in which somebody asks for it.
_EVIDENCE = {
    "form_name": gettext_lazy("Form"),
    "programme": gettext_lazy("Programme"),
    "version": gettext_lazy("Version of the words"),
    "language": gettext_lazy("Language"),
    "checkbox": gettext_lazy("Box"),
    "page": gettext_lazy("Page"),
    "referrer": gettext_lazy("Came from"),
    "ip": gettext_lazy("Address"),
    "user_agent": gettext_lazy("Browser"),
    "question": gettext_lazy("Our question (text no.)"),
    "inbound": gettext_lazy("Answer (id of the text)"),
    "to": gettext_lazy("Sent to"),
    "opt_in_level": gettext_lazy("Opt-in"),
}


@register.filter
def evidence(record: ConsentRecord) -> list[tuple[str, Any]]:
    """Return what proves a consent, as facts: what this page knows by name, and then the rest."""
    held = record.evidence if isinstance(record.evidence, dict) else {}
    names = [*(name for name in _EVIDENCE if name in held), *(name for name in held if name not in _EVIDENCE)]
    return [(str(_EVIDENCE.get(name, name)), held[name]) for name in names if held[name] not in ("", None)]


def _on_clock(at: datetime, zone: str) -> str:
    # only the formats of the locale: the zone is chosen here and not by the active one
    local = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return _("%(day)s, %(time)s") % {"day": date_format(local, "j M Y"), "time": date_format(local, "H:i")}
