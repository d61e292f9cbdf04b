"""Runs a template to its end in memory, by a script in a few words, and tells in a few words what came of it.

The run goes through the real compiler, interpreter and governance. A script is words with spaces between:

* who and where, first: ``in:DK`` (country of the store), ``by:1`` (the second trigger), ``as:nobody`` (an edge case),
  ``orders:3``, ``tags:vip``, ``past:product_viewed`` (an hour ago), ``set:percent=0`` (a setting),
  ``data:order.first_item=`` (a value of the event; empty means missing)
* what happens: ``next`` (what the run waits for), ``reply:1`` (``_`` stands for a space), ``stop``, ``order`` or
  ``event:<kind>`` (``other:<kind>``: about something else), ``fail`` (the other system), ``wait:60`` (minutes),
  ``resume`` (staff lets it go on), ``end`` (everything to the end)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from smsflow_plugin.audience.filters import PastEvent
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.library import FlowTemplate, build
from smsflow_plugin.flows.library.definitions import Copy
from smsflow_plugin.flows.program import Program
from smsflow_plugin.governance.effective import StoreRules
from smsflow_plugin.models import Contact, Flow, Store
from smsflow_plugin.simulation.people import edge_case
from smsflow_plugin.simulation.script import Input
from smsflow_plugin.simulation.walk import Moment, Person, Walk, trigger_data, walk

#: Language, time zone and currency of the store in each country.
PLACES = {
    "US": ("en", "America/New_York", "USD"),
    "DK": ("da", "Europe/Copenhagen", "DKK"),
    "DE": ("de", "Europe/Berlin", "EUR"),
    "ES": ("es", "Europe/Madrid", "EUR"),
    "FR": ("fr", "Europe/Paris", "EUR"),
}
#: Tuesday, ten o'clock, on the store's clock; no DST change for months.
DAY = datetime(2026, 4, 14, 10)
MAX_TURNS = 40


class Owner:
    """Stands for the user who owns the flow; never saved."""

    pk = 1


def a_store(country: str) -> Store:
    """A store of ``country`` that is not in the database."""
    language, zone, currency = PLACES[country]
    return Store(
        pk=1, name="Sierra Gear", brand="Sierra Gear", country=country, language=language, timezone=zone,
        currency=currency, sender="+12025550100", website="https://sierra-gear.example", shorten_links=False,
    )  # fmt: skip


def a_flow(template: FlowTemplate, country: str, settings: Mapping[str, Any] | None = None) -> Flow:
    flow = build(template, a_store(country), settings)
    flow.owner_id = Owner.pk
    return flow


def marked(template: FlowTemplate) -> FlowTemplate:
    """Return the template with the key of each text in front of it, and ``~`` behind the key of a fallback."""
    return replace(
        template,
        copy={
            key: Copy(
                {language: f"<{key}> {text}" for language, text in copy.texts.items()},
                {language: f"<{key}~> {text}" for language, text in copy.fallback.items()},
            )
            for key, copy in template.copy.items()
        },
    )


@dataclass
class Scene:
    """A script, read."""

    country: str = "US"
    trigger: int = 0
    who: str = "example"
    settings: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    contact: dict[str, Any] = field(default_factory=dict)
    past: list[str] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, script: str) -> Scene:
        scene = cls()
        for word in script.split():
            name, _colon, value = word.partition(":")
            match name:
                case "in":
                    scene.country = value
                case "by":
                    scene.trigger = int(value)
                case "as":
                    scene.who = value
                case "set":
                    key, _equals, given = value.partition("=")
                    scene.settings[key] = int(given) if given.isdigit() else given
                case "data":
                    path, _equals, given = value.partition("=")
                    scene.data[path] = given or None
                case "orders":
                    scene.contact["orders_count"] = int(value)
                case "tags":
                    scene.contact["tags"] = value.split(",")
                case "past":
                    scene.past.append(value)
                case _:
                    scene.acts.append(word)
        return scene

    def play(self, template: FlowTemplate) -> Walk:
        flow = a_flow(template, self.country, self.settings)
        program = compile_flow(flow)
        start = DAY.replace(tzinfo=ZoneInfo(flow.store.timezone))
        person = self._person(flow, start)
        data = trigger_data(program.triggers[self.trigger], start)
        for path, value in self.data.items():
            _put(data, path, value)
        script: list[Input] = []

        def so_far() -> Walk:
            return walk(
                program,
                person,
                script,
                rules=StoreRules(),
                store=flow.store,
                start=start,
                trigger=self.trigger,
                data=data,
            )

        for act in self.acts:
            if act != "end":
                script.append(_input(act))
                continue
            for _turn in range(MAX_TURNS):
                now = so_far()
                if now.over or now.handed_over:
                    break
                script.append(Input("next"))
        walked = so_far()
        assert not walked.dropped, f"{walked.dropped} acts of “{' '.join(self.acts)}” made no sense at their turn."
        return walked

    def _person(self, flow: Flow, start: datetime) -> Person:
        contact = edge_case(self.who, flow.store).contact
        contact.timezone = flow.store.timezone
        if flow.message_class == "optin" and self.who != "opted_out":
            contact.marketing_consent = Contact.Consent.PENDING
        for name, value in self.contact.items():
            setattr(contact, name, value)
        past = [PastEvent(kind, start - timedelta(hours=1), "earlier") for kind in self.past]
        return Person(contact, past)


def told(walked: Walk) -> list[str]:
    """Return what happened: ``24h offer`` is a text, the rest names itself. Waits and ways are not told."""
    start = walked.moments[0].at
    return [words for moment in walked.moments if (words := _words(moment, start))]


def outcome(program_or_template: FlowTemplate | Program, script: str) -> str:
    """Return the story of a template in one line."""
    assert isinstance(program_or_template, FlowTemplate)
    return " · ".join(told(Scene.read(script).play(marked(program_or_template))))


def _words(moment: Moment, start: datetime) -> str:
    hours = f"{(moment.at - start) / timedelta(hours=1):g}h"
    match moment.kind:
        case "text":
            return f"{hours} {moment.text.partition('<')[2].partition('>')[0]}"
        case "skipped":
            assert moment.decision is not None
            return f"{hours} skipped: {moment.decision.reason.value}"
        case "deferred":
            assert moment.decision is not None
            return f"{hours} put off: {moment.decision.reason.value}"
        case "tag":
            return f"tag {moment.text}" if moment.works else f"untag {moment.text}"
        case "field":
            return f"{moment.name}={moment.text}"
        case "asked":
            return moment.name
        case "goal":
            return f"goal {moment.text}"
        case "handed_over":
            return "to a person"
        case "left":
            return f"left at {hours}: {moment.text}"
        case "finished":
            return f"end at {hours}"
        case "refused" | "agreed" | "restarted" | "not_heard":
            return moment.kind
    return ""


def _input(act: str) -> Input:
    name, _colon, value = act.partition(":")
    match name:
        case "reply":
            return Input("reply", text=value.replace("_", " "))
        case "stop":
            return Input("reply", text="STOP")
        case "order":
            return Input("event", kind="order_created")
        case "event":
            return Input("event", kind=value)
        case "other":
            return Input("event", kind=value, same=False)
        case "fail":
            return Input("answer", works=False)
        case "wait":
            return Input("wait", minutes=int(value))
        case "next" | "resume":
            return Input(name)
    raise ValueError(f"Not an act: {act}.")


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    name, _dot, rest = path.partition(".")
    if not rest:
        data[name] = value
        return
    data[name] = dict(data.get(name) or {})
    _put(data[name], rest, value)
