"""Says who took a text, and why nothing answered it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.conversations.routing import By, Why
from smsflow_plugin.flows.models import Flow

Row = Mapping[str, Any]

_BY = {
    By.STOP: gettext_lazy("Read as STOP."),
    By.HELP: gettext_lazy("Read as HELP."),
    By.START: gettext_lazy("Read as START."),
    By.STAFF: gettext_lazy("For staff, who had taken the person over."),
    By.AUTORESPONDER: gettext_lazy("Answered by the autoresponder, and put into the inbox."),
    By.INBOX: gettext_lazy("Put into the inbox."),
}
_OF_FLOWS = {
    By.QUESTION: gettext_lazy("Taken as the answer to a question of “%(flow)s”."),
    By.FLOW: gettext_lazy("A keyword of “%(flow)s”."),
    By.ANY_TEXT: gettext_lazy("Taken by “%(flow)s”, which takes any text."),
}
_WHY = {
    Why.ANSWERED: gettext_lazy("The person had an automatic answer in the last 24 hours."),
    Why.SAME_TEXT: gettext_lazy("Not answered: they had written the same just before."),
    Why.TOO_MANY: gettext_lazy("Not answered: too many texts in an hour, as if by a machine."),
    Why.MACHINE: gettext_lazy("Not answered: the number is that of a machine."),
    Why.LATE: gettext_lazy("Not answered: the text came in too late."),
    Why.OFFICE_HOURS: gettext_lazy("The autoresponder is silent in office hours."),
    Why.OPTED_OUT: gettext_lazy("Not answered: the person has opted out. Put into the inbox."),
    Why.COPY: gettext_lazy("Not answered: a value was missing in the answer. Put into the inbox."),
}


def flow_names(rows: Iterable[Row]) -> dict[int, str]:
    """Return the names of all flows that texts among these events have gone to, with one statement at most."""
    ids = {flow for row in rows for flow in _flows(route_of(row["data"]))}
    return dict(Flow.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}


def route_of(data: Any) -> Row:
    """Return what an event keeps of who took it; empty if it is no text."""
    route = data.get("route") if isinstance(data, Mapping) else None
    return route if isinstance(route, Mapping) else {}


def route_sentence(row: Row, names: Mapping[int, str]) -> str:
    """Say who took the text of an event. ``row["heard_flow"]``: whose question has taken it in the end."""
    route = route_of(row["data"])
    by, why = route.get("by"), _WHY.get(route.get("why") or "", "")
    flow = next((names[pk] for pk in _flows(route) if pk in names), "–")
    if row.get("heard_flow"):
        by, flow = By.QUESTION, row["heard_flow"]
    if by == By.KEYWORD:
        said = _("A word of the keyword table: “%(word)s”.") % {"word": route.get("word", "")}
    elif by in _OF_FLOWS:
        said = str(_OF_FLOWS[By(by)]) % {"flow": flow}
    else:
        said = str(_BY.get(by or "", ""))
    return " ".join(part for part in (said, str(why)) if part)


def _flows(route: Row) -> list[int]:
    flows = route.get("flows")
    return [flow for flow in flows if isinstance(flow, int)] if isinstance(flows, list) else []
