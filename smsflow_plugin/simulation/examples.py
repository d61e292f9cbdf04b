"""Makes up what a walk needs and nobody has said: what started the run, what other systems answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from smsflow_plugin.audience.filters import Condition, event_kinds
from smsflow_plugin.engine.interpreter import REPLY
from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.context import example_context
from smsflow_plugin.flows.program import Discount, Instruction, Program, Trigger, WaitForEvent

#: What somebody gets who has an appointment: one that lies ahead.
DAYS_AHEAD = 3


def kinds_of(program: Program) -> list[str]:
    """Return the kinds of event that make a difference to a run, in the order of the catalogue."""
    kinds = {*program.exits, program.goal}
    for condition in program.conditions():
        kinds.update(event_kinds(condition))
    for instruction in program.instructions:
        if isinstance(instruction, WaitForEvent):
            kinds.update(instruction.kinds)
    for trigger in program.triggers:
        if program.restart or KINDS[trigger.kind].moves if trigger.kind in KINDS else False:
            kinds.add(trigger.kind)
    return [kind for kind in KINDS if kind in kinds and kind != REPLY]


def trigger_data(trigger: Trigger, start: datetime) -> dict[str, Any]:
    """Return an example of what the event holds that starts the run; ``start`` in the zone of the store."""
    data = {
        name: value for name, value in example_context(trigger.kind, {}).items() if name not in ("contact", "store")
    }
    if isinstance(data.get("appointment"), Mapping):
        data["appointment"] = {
            **data["appointment"],
            "starts_at": (start.replace(minute=0) + timedelta(days=DAYS_AHEAD)).isoformat(timespec="minutes"),
        }
    if trigger.kind == "scheduled":
        data = {"at": start.isoformat()}
    if trigger.kind == REPLY:
        words = trigger.options.get("words") or ["Hello"]
        data = {"body": str(words[0]), "keyword": None}
    for path, value in _wanted(trigger.when):
        _put(data, path, value)
    return data


def made_up(instruction: Instruction) -> Any:
    """Return what another system might have answered."""
    if isinstance(instruction, Discount):
        return f"{instruction.prefix or 'TEST'}1234".upper()
    return {}


def object_of(instruction: Any) -> str:
    for name in ("url", "subject", "name"):
        value = getattr(instruction, name, "")
        if value:
            return str(value if isinstance(value, str) else next(iter(value.values()), ""))
    return ""


def _wanted(condition: Condition) -> Iterator[tuple[str, Any]]:
    """Yield (path, value) for what the event that starts the run must hold."""
    for part in condition.get("all") or ():
        yield from _wanted(part)
    path = str(condition.get("field") or "")
    if path.startswith("trigger.") and condition.get("op") in ("eq", "contains"):
        yield path.removeprefix("trigger."), condition.get("value")


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for name in parents:
        inner = data.get(name)
        data[name] = dict(inner) if isinstance(inner, Mapping) else {}
        data = data[name]
    data[last] = value
