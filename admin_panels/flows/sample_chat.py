"""A template as a conversation: a made-up person goes through it, by its own story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import time_format
from django.utils.translation import gettext as _

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.flows.telling_walk import Line, lines
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.library import FlowTemplate
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.flows.program import Program
from smsflow_plugin.governance.effective import StoreRules
from smsflow_plugin.models import Contact, Flow
from smsflow_plugin.simulation.people import edge_case
from smsflow_plugin.simulation.script import Input
from smsflow_plugin.simulation.walk import Person, Walk, trigger_data, walk

#: Turns after which a story is over, whatever happens.
MAX_TURNS = 40
#: How long the sample person thinks before writing, in minutes, and what happens elsewhere takes.
THINKS, ELSEWHERE = 3, 3 * 24 * 60
_SHOWN = frozenset({"tag", "agreed", "asked", "handed_over", "event", "goal"})
_MORNING = time(10)


@dataclass(frozen=True, slots=True)
class Turn:
    """``side``: "out" is a text of the store, "in" one of the person, "note" what happens beside."""

    side: str
    text: str
    when: str = ""


def sample_chat(template: FlowTemplate, flow: Flow) -> list[Turn]:
    """Return what the sample person of ``template`` and the store write to each other; nothing if it cannot run."""
    try:
        program = compile_flow(flow)
    except CannotCompile:
        return []
    return _turns(tell(template, flow, program))


def tell(template: FlowTemplate, flow: Flow, program: Program) -> Walk:
    """Walk the sample person through ``program`` to its end."""
    zone = ZoneInfo(flow.store.timezone)
    start = datetime.combine(clock.now().astimezone(zone).date() + timedelta(days=1), _MORNING, zone)
    person = _person(template, flow)
    data = _laid_over(trigger_data(program.triggers[0], start), template.story.data)
    acts = list(template.story.acts)
    script: list[Input] = []
    for _turn in range(MAX_TURNS):
        walked = walk(program, person, script, rules=StoreRules(), store=flow.store, start=start, data=data)
        if walked.over or walked.handed_over:
            break
        script += _next(walked, acts)
    return walked


def _person(template: FlowTemplate, flow: Flow) -> Person:
    contact = edge_case("example", flow.store).contact
    if flow.message_class == "optin":
        contact.marketing_consent = Contact.Consent.PENDING
    for name, value in template.story.contact.items():
        setattr(contact, name, value)
    return Person(contact)


def _next(walked: Walk, acts: list[str]) -> list[Input]:
    """Return what happens next: at a wait that listens it is the story's turn."""
    waits = walked.listening or any(
        one.kind == "waiting" and one.step == walked.here and one.name == "wait_for_event"
        for one in walked.moments[-1:]
    )
    act = acts.pop(0) if waits and acts else ""
    if not act:
        return [Input("next")]
    kind = act.removeprefix("event:")
    if kind != act:
        return [Input("wait", minutes=ELSEWHERE), Input("event", kind=kind)]
    return [Input("wait", minutes=THINKS), Input("reply", text=act)]


def _turns(walked: Walk) -> list[Turn]:
    turns: list[Turn] = []
    told = ""
    first = walked.moments[0].at.astimezone(ZoneInfo(walked.zone)).date() if walked.moments else None
    for line in lines(walked, {}):
        if line.side == "note" and not _worth_telling(line):
            continue
        local = line.moment.at.astimezone(ZoneInfo(walked.zone))
        when = _("Day %(day)d, %(time)s") % {
            "day": (local.date() - first).days + 1 if first else 1,
            "time": time_format(local.time(), "H:i"),
        }
        turns.append(Turn(line.side, line.text, "" if when == told else when))
        told = when
    return turns


def _worth_telling(line: Line) -> bool:
    """Return whether a note says something to who does not know the product yet."""
    return line.moment.kind in _SHOWN and (line.moment.works or line.moment.kind != "tag")


def _laid_over(data: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(data)
    for name, value in more.items():
        inner = merged.get(name)
        both = isinstance(value, Mapping) and isinstance(inner, Mapping)
        merged[name] = _laid_over(inner, value) if both else value  # type: ignore[arg-type]
    return merged
