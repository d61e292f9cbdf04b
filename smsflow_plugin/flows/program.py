"""A flow as a program: what the form compiles to and the interpreter runs.

The program is a list of instructions (``instructions``), read from here as well. Plain JSON is the stored form;
equal programs have equal content hashes. No Django in here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, get_args

from smsflow_plugin.audience.filters import ALWAYS, Condition
from smsflow_plugin.flows.instructions import (
    VARIANTS,
    Agree,
    Branch,
    Choice,
    Delay,
    Discount,
    Email,
    Exit,
    Goal,
    GoTo,
    HandOver,
    Instruction,
    Jump,
    Listen,
    Notify,
    Offer,
    Send,
    SetField,
    Split,
    Tag,
    Variant,
    Wait,
    WaitBestTime,
    WaitForEvent,
    WaitUntilDate,
    WaitUntilTime,
    Webhook,
)

__all__ = [
    "FORMAT",
    "TARGETS",
    "VARIANTS",
    "Agree",
    "Branch",
    "Choice",
    "Delay",
    "Discount",
    "Email",
    "Exit",
    "GoTo",
    "Goal",
    "HandOver",
    "Instruction",
    "Jump",
    "Listen",
    "Notify",
    "Offer",
    "Program",
    "Reentry",
    "Send",
    "SetField",
    "Split",
    "Tag",
    "Throttle",
    "Trigger",
    "Variant",
    "Wait",
    "WaitBestTime",
    "WaitForEvent",
    "WaitUntilDate",
    "WaitUntilTime",
    "Webhook",
    "binding_targets",
    "targets",
]

#: Format 1 had one trigger, written as the kind of its event. It is still read.
FORMAT = 2

_TYPES: dict[str, type[Instruction]] = {cls.op: cls for cls in get_args(Instruction)}

#: What the variants of a step are, for those that can have some.
_TRIED: Mapping[type[Instruction], type[Variant | Delay | Offer]] = {Send: Variant, Wait: Delay, Discount: Offer}

#: Fields that hold the number of an instruction.
TARGETS = ("target", "otherwise", "on_timeout", "on_other", "on_failure")


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts a flow: an event of ``kind`` for which ``when`` holds.

    ``when`` is asked about the event itself (paths ``trigger.…``) and the contact. ``options``
    belong to the kind: ``words`` or ``any`` of a text from the person; ``field``, ``amount``,
    ``unit``, ``time`` and ``yearly`` of a date; ``days`` of a lapse; ``early_days`` and
    ``default_days`` of a replenishment; ``at``, ``repeat`` of a schedule; ``segment``.
    """

    kind: str
    when: Condition = field(default_factory=lambda: ALWAYS)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reentry:
    """How often one person may enter.

    ``mode``: "never" again, "after" so many days, "always", or "subject": once for
    each subject of the trigger (one run per cart, per order, per appointment).
    """

    mode: str = "never"
    days: int = 0


@dataclass(frozen=True, slots=True)
class Throttle:
    """At most ``entries`` people enter per ``unit`` ("minute", "hour", "day"); the others wait their turn."""

    entries: int
    unit: str = "hour"


@dataclass(frozen=True, slots=True)
class Program:
    """A published flow.

    ``restart``: a newer trigger event for the same subject starts the run afresh as
    long as it has not sent anything (the timer of an abandoned cart).
    ``audience`` is asked at entry and before every send; ``leave_unmatched`` says that
    who no longer matches leaves, where otherwise only the text is skipped.
    ``exits`` are kinds of event after entry that end the run, ``own_exits`` those of
    them that count only for the run's own subject. ``goal`` is the kind of event that the
    flow is for; with ``goal_leaves`` it ends the run, too. ``stage`` is where in the life of a customer the flow
    speaks. ``cap_day``, ``cap_week`` and ``own_gap`` (minutes) are the flow's own limits for one person. ``holdout``:
    so many percent of the people get none of its promotional texts, to see what these do.
    """

    triggers: tuple[Trigger, ...]
    instructions: tuple[Instruction, ...]
    audience: Condition = field(default_factory=lambda: ALWAYS)
    leave_unmatched: bool = False
    exits: tuple[str, ...] = ()
    own_exits: tuple[str, ...] = ()
    goal: str = ""
    goal_leaves: bool = False
    reentry: Reentry = Reentry()
    restart: bool = False
    throttle: Throttle | None = None
    max_people: int | None = None
    message_class: str = "marketing"
    priority: str = "lifecycle"
    priority_number: int = 100
    stage: str = ""
    when_blocked: str = ""
    cap_day: int | None = None
    cap_week: int | None = None
    own_gap: int | None = None
    holdout: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON that ``from_json`` reads back to an equal program."""
        data = asdict(self)
        data["instructions"] = [_plain(i) for i in self.instructions]
        if not self.holdout:
            del data["holdout"]  # it came later: see _LATER
        data["format"] = FORMAT
        plain: dict[str, Any] = json.loads(json.dumps(data))
        return plain

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Program:
        """Read a stored program.

        :raises ValueError: if it was written by a newer version than this one.
        """
        if data.get("format") not in (1, FORMAT):
            raise ValueError(f"Cannot read programs of format {data.get('format')!r}.")
        values = {key: value for key, value in data.items() if key != "format"}
        if "trigger" in values:  # format 1
            values["triggers"] = [{"kind": values.pop("trigger")}]
        values["triggers"] = tuple(Trigger(**trigger) for trigger in values["triggers"])
        values["instructions"] = tuple(_instruction(item) for item in values["instructions"])
        values["reentry"] = Reentry(**values["reentry"])
        if values.get("throttle"):
            values["throttle"] = Throttle(**values["throttle"])
        for name in ("exits", "own_exits"):
            values[name] = tuple(values.get(name, ()))
        return cls(**values)

    @property
    def content_hash(self) -> str:
        """64 hexadecimal digits; equal for programs that do the same."""
        canonical = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def triggers_on(self, kind: str) -> Iterator[tuple[int, Trigger]]:
        """Yield the triggers of this kind, with their places."""
        return ((place, trigger) for place, trigger in enumerate(self.triggers) if trigger.kind == kind)

    def conditions(self) -> Iterator[Condition]:
        """Yield every condition that a run may ask."""
        yield self.audience
        for instruction in self.instructions:
            if isinstance(instruction, Branch):
                yield instruction.condition


def targets(instruction: Instruction) -> Iterator[int]:
    """Yield every place that ``instruction`` may lead to, other than the next one."""
    for name in TARGETS:
        target = getattr(instruction, name, None)
        if target is not None:
            yield target
    if isinstance(instruction, Split):
        yield from instruction.targets
    elif isinstance(instruction, Listen):
        yield from (choice.target for choice in instruction.choices)


#: Fields that came later, with what they mean where they are not written: a program that does not use
#: them is written, hashed and read as before.
_LATER: Mapping[str, Any] = {"score_as": "", "means": "", "points": None, "variants": ()}


def _plain(instruction: Instruction) -> dict[str, Any]:
    values = {"op": instruction.op, **_without_defaults(asdict(instruction))}
    if isinstance(instruction, Listen):
        values["choices"] = [_without_defaults(choice) for choice in values["choices"]]
    return values


def _without_defaults(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in _LATER or value != _LATER[key]}


def binding_targets(program: Program) -> frozenset[int]:
    """Return the targets of answers by which somebody agrees to texts: an ``Agree`` may follow without another one."""
    agreeing: set[int] = set()
    for place, instruction in reversed(list(enumerate(program.instructions))):
        if isinstance(instruction, Agree) or agreeing & set(_unasked(place, instruction)):
            agreeing.add(place)
    return frozenset(agreeing)


def _unasked(place: int, instruction: Instruction) -> Iterator[int]:
    """Yield where a run may go on from ``instruction`` without the person's choosing."""
    if isinstance(instruction, Listen):
        yield place + 1 if instruction.on_timeout is None else instruction.on_timeout
        if instruction.on_other is not None:
            yield instruction.on_other
        return
    yield from targets(instruction)
    if not isinstance(instruction, Exit | Jump | Split):
        yield place + 1


def _instruction(item: Mapping[str, Any]) -> Instruction:
    kind = _TYPES[item["op"]]
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in item.items() if key != "op"
    }
    if kind is Listen:
        values["choices"] = tuple(_choice(choice) for choice in values["choices"])
    if "variants" in values:
        values["variants"] = tuple(_TRIED[kind](**variant) for variant in values["variants"])
    unknown = values.keys() - {f.name for f in fields(kind)}
    if unknown:
        raise ValueError(f"Instruction {kind.op} has unknown fields: {', '.join(sorted(unknown))}.")
    return kind(**values)


def _choice(data: Mapping[str, Any]) -> Choice:
    return Choice(**{**data, "words": tuple(data.get("words", ()))})
