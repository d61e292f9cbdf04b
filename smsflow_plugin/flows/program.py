"""A flow as a program: what the form compiles to and the interpreter runs.

The program is a list of instructions. Each carries the id of the StreamField block
that it came from, so that a person always finds the step that spoke. Plain JSON is
the stored form; equal programs have equal content hashes. No Django in here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from smsflow_plugin.audience.filters import ALWAYS, Condition

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Send:
    """Send a text, if governance allows it.

    ``texts`` maps languages to Liquid copy; "" is the language to fall back to.
    ``fallback`` is used instead, in the same way, when a value is missing; when it is
    empty the text is skipped. ``expires_minutes``: how long the text may be put off.
    """

    op: ClassVar[str] = "send"
    step: str
    texts: Mapping[str, str]
    fallback: Mapping[str, str] = field(default_factory=dict)
    expires_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for a time. Minutes and hours are absolute; "1 day" is the same wall time tomorrow."""

    op: ClassVar[str] = "wait"
    step: str
    amount: int
    unit: str  # minutes, hours, days, weeks


@dataclass(frozen=True, slots=True)
class WaitUntilTime:
    """Wait until a wall time in the recipient's zone. ``weekdays``: 0 is Monday; empty means any day."""

    op: ClassVar[str] = "wait_until_time"
    step: str
    time: str  # HH:MM
    weekdays: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class WaitForEvent:
    """Wait until one of ``kinds`` has happened since entry, or the timeout has passed."""

    op: ClassVar[str] = "wait_for_event"
    step: str
    kinds: tuple[str, ...]
    amount: int
    unit: str


@dataclass(frozen=True, slots=True)
class Branch:
    """Go on with the next instruction if the condition holds, else at ``otherwise``."""

    op: ClassVar[str] = "branch"
    step: str
    condition: Condition
    otherwise: int


@dataclass(frozen=True, slots=True)
class Jump:
    """Go on at ``target``. Targets always lie ahead: a program has no loops."""

    op: ClassVar[str] = "jump"
    step: str
    target: int


@dataclass(frozen=True, slots=True)
class Exit:
    """Leave the flow."""

    op: ClassVar[str] = "exit"
    step: str
    reason: str = ""


Instruction = Send | Wait | WaitUntilTime | WaitForEvent | Branch | Jump | Exit
_TYPES: dict[str, type[Instruction]] = {
    cls.op: cls for cls in (Send, Wait, WaitUntilTime, WaitForEvent, Branch, Jump, Exit)
}


@dataclass(frozen=True, slots=True)
class Reentry:
    """How often one person may enter.

    ``mode``: "never" again, "after" so many days, "always", or "subject": once for
    each subject of the trigger (one run per cart, per order).
    """

    mode: str = "never"
    days: int = 0


@dataclass(frozen=True, slots=True)
class Program:
    """A published flow.

    ``restart``: a newer trigger event for the same subject starts the run afresh as
    long as it has not sent anything (the timer of an abandoned cart).
    ``audience`` is asked at entry and before every send; ``exits`` are kinds of event
    after entry that end the run.
    """

    trigger: str
    instructions: tuple[Instruction, ...]
    audience: Condition = field(default_factory=lambda: ALWAYS)
    exits: tuple[str, ...] = ()
    reentry: Reentry = Reentry()
    restart: bool = False
    message_class: str = "marketing"
    priority: str = "lifecycle"
    priority_number: int = 100

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON that ``from_json`` reads back to an equal program."""
        data = asdict(self)
        data["instructions"] = [{"op": i.op, **asdict(i)} for i in self.instructions]
        data["format"] = FORMAT
        plain: dict[str, Any] = json.loads(json.dumps(data))
        return plain

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Program:
        """Read a stored program.

        :raises ValueError: if it was written by a newer version than this one.
        """
        if data.get("format") != FORMAT:
            raise ValueError(f"Cannot read programs of format {data.get('format')!r}.")
        fields = {key: value for key, value in data.items() if key != "format"}
        fields["instructions"] = tuple(_instruction(item) for item in data["instructions"])
        fields["exits"] = tuple(data["exits"])
        fields["reentry"] = Reentry(**data["reentry"])
        return cls(**fields)

    @property
    def content_hash(self) -> str:
        """64 hexadecimal digits; equal for programs that do the same."""
        canonical = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def _instruction(item: Mapping[str, Any]) -> Instruction:
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in item.items() if key != "op"
    }
    return _TYPES[item["op"]](**values)
