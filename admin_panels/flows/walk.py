"""Trying a flow on the phone of the preview: who walks, and what they let happen, is kept in the session."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import View
from wagtail.permissions import policy_registry

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.flows.telling_walk import lines
from smsflow_plugin.admin_panels.flows.viewset import FlowViewSet
from smsflow_plugin.admin_panels.scoping import number
from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.flows.program import Program
from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.models import Contact, Flow
from smsflow_plugin.simulation.people import EDGE_CASES, edge_case, known, search
from smsflow_plugin.simulation.script import MAX_INPUTS, BadInput, read_input, read_script
from smsflow_plugin.simulation.walk import Person, kinds_of, walk

SESSION_KEY = "smsflow_walks"
#: Walks that a session remembers; the oldest is forgotten.
MAX_WALKS = 10
#: The key of a flow that is not saved yet.
NEW = "new"
#: Where the phone stands open.
ANCHOR = "now"

HOUR, DAY = 60, 24 * 60
_UNITS = {"minutes": 1, "hours": HOUR, "days": DAY}


@dataclass
class Trial:
    """What the session keeps of one walk. ``who`` is "contact:<id>" or the name of an edge case."""

    who: str = "example"
    start: str = ""
    trigger: int = 0
    script: list[dict[str, Any]] = field(default_factory=list)
    search: str = ""

    @classmethod
    def of(cls, request: HttpRequest, key: str) -> Trial:
        data = request.session.get(SESSION_KEY, {}).get(key)
        if not isinstance(data, Mapping):
            return cls()
        return cls(**{name: data[name] for name in cls.__dataclass_fields__ if name in data})

    def keep(self, request: HttpRequest, key: str) -> None:
        walks = {name: data for name, data in request.session.get(SESSION_KEY, {}).items() if name != key}
        walks[key] = dict(vars(self))
        request.session[SESSION_KEY] = dict(list(walks.items())[-MAX_WALKS:])

    @property
    def starts_at(self) -> datetime:
        with suppress(ValueError):
            return datetime.fromisoformat(self.start)
        return clock.now()


def key_of(flow: Flow) -> str:
    return str(flow.pk) if flow.pk else NEW


def phone_context(flow: Flow, request: HttpRequest) -> dict[str, Any]:
    """Return what the phone shows of ``flow`` as it stands in the form; ``problems`` if it cannot run yet."""
    if flow.store_id is None:
        return {"problems": [_("Choose the store first.")]}
    try:
        program = compile_flow(flow)
    except CannotCompile as refusal:
        return {"problems": refusal.problems}
    trial = Trial.of(request, key_of(flow))
    person, note = _person(trial, flow, request.user, program)
    script, unreadable = read_script(trial.script)
    walked = walk(
        program,
        person,
        script,
        rules=rules_of([flow.store], keep=False)[flow.store_id],
        store=flow.store,
        start=trial.starts_at,
        trigger=trial.trigger,
    )
    return {
        "walk": walked,
        "lines": lines(walked, _names(flow)),
        "notes": [note] * bool(note) + _dropped(walked.dropped + unreadable),
        "trial": trial,
        "who": str(person.contact) if trial.who.startswith("contact:") else "",
        "url": reverse("smsflow_flow_tools:walk", args=[key_of(flow)]),
        "people": EDGE_CASES.items(),
        "found": _found(trial, flow, request.user),
        "may_search": _may_see_people(request.user, flow),
        "kinds": [(kind, KINDS[kind].label) for kind in kinds_of(program)],
        "triggers": _triggers(program),
        "hour": HOUR,
        "day": DAY,
    }


def _person(trial: Trial, flow: Flow, user: Any, program: Program) -> tuple[Person, str]:
    kind, _colon, pk = trial.who.partition(":")
    if kind == "contact":
        who = number(pk) if _may_see_people(user, flow) else None
        person = None if who is None else known(user, flow.store, who, program, trial.starts_at)
        if person is not None:
            return person, ""
        return edge_case("example", flow.store), _("That person is not there any more: Ada walks instead.")
    return edge_case(trial.who, flow.store), ""


def _may_see_people(user: Any, flow: Flow) -> bool:
    policy = policy_registry.get_by_type(Contact)
    contact = Contact(store_id=flow.store_id)
    return any(policy.user_has_permission_for_instance(user, action, contact) for action in ("view", "change"))


def _found(trial: Trial, flow: Flow, user: Any) -> list[Contact]:
    if not trial.search or not _may_see_people(user, flow):
        return []
    return search(user, flow.store, trial.search)


def _names(flow: Flow) -> dict[str, str]:
    rows = Flow.objects.filter(store_id=flow.store_id).values_list("pk", "name")
    return {str(pk): name for pk, name in rows}


def _triggers(program: Program) -> list[tuple[int, str]]:
    labels = [str(KINDS[t.kind].label) if t.kind in KINDS else t.kind for t in program.triggers]
    return list(enumerate(labels)) if len(labels) > 1 else []


def _dropped(count: int) -> list[str]:
    if not count:
        return []
    return [
        ngettext(
            "%(count)d thing that you had let happen no longer fits and was left out.",
            "%(count)d things that you had let happen no longer fit and were left out.",
            count,
        )
        % {"count": count}
    ]


class WalkView(View):
    """Takes what the person at the phone lets happen, and leads back to it. Writes the session only."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        self._check(request, key)
        trial = Trial.of(request, key)
        trial.start = trial.start or clock.now().isoformat()
        self._take(trial, request.POST)
        trial.keep(request, key)
        return redirect(f"{self._back(request, key)}#{ANCHOR}")

    def _check(self, request: HttpRequest, key: str) -> None:
        policy = policy_registry.get_by_type(Flow)
        if key == NEW:
            if not policy.user_has_permission(request.user, "add"):
                raise PermissionDenied
        elif not Flow.objects.visible_to(request.user).filter(pk=number(key)).exists():
            raise Http404

    def _take(self, trial: Trial, posted: Mapping[str, Any]) -> None:
        match posted.get("do"):
            case "who":
                who = str(posted.get("who") or "example")[:40]
                trial.who, trial.search = who, ""
                self._reset(trial)
            case "search":
                trial.search = str(posted.get("search") or "").strip()[:100]
            case "trigger":
                trial.trigger = number(str(posted.get("trigger", ""))) or 0
                self._reset(trial)
            case "reset":
                self._reset(trial)
            case "undo":
                trial.script = trial.script[:-1]
            case _:
                self._add(trial, posted)

    def _reset(self, trial: Trial) -> None:
        trial.script, trial.start = [], clock.now().isoformat()

    def _add(self, trial: Trial, posted: Mapping[str, Any]) -> None:
        data = {name: posted[name] for name in ("do", "minutes", "text", "kind", "works") if name in posted}
        amount, unit = number(str(posted.get("amount") or "")[:9]), _UNITS.get(str(posted.get("unit")))
        if amount is not None and unit:
            data["minutes"] = amount * unit
        # what makes no sense is not kept: there is nothing to tell that the page does not show
        with suppress(BadInput):
            if len(trial.script) < MAX_INPUTS:
                trial.script = [*trial.script, read_input(data).to_json()]

    def _back(self, request: HttpRequest, key: str) -> str:
        referer = request.META.get("HTTP_REFERER", "")
        if url_has_allowed_host_and_scheme(referer, {request.get_host()}, require_https=request.is_secure()):
            return str(referer).partition("#")[0]
        flows = FlowViewSet()
        return reverse(flows.get_url_name("list")) if key == NEW else reverse(flows.get_url_name("edit"), args=[key])
