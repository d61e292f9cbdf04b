"""What a person who tries a flow lets happen: a list of inputs. Pure, and plain JSON when stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from smsflow_plugin.events.kinds import KINDS

#: More than anybody clicks; keeps what a session holds small.
MAX_INPUTS = 200
MAX_REPLY = 500
#: As far as the clock goes at once: a year.
MAX_MINUTES = 366 * 24 * 60


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that happens.

    ``do``: "next" lets the next thing happen that the run waits for; "wait" moves the clock by
    ``minutes``; "reply" lets the person write ``text``; "event" lets an event of ``kind`` happen,
    about what the run is about if ``same``; "answer" lets the system that the run asked answer
    (``works``) or fail; "resume" lets the flow go on for somebody who was handed over.
    """

    do: str
    minutes: int = 0
    text: str = ""
    kind: str = ""
    same: bool = True
    works: bool = True

    def to_json(self) -> dict[str, Any]:
        match self.do:
            case "wait":
                return {"do": "wait", "minutes": self.minutes}
            case "reply":
                return {"do": "reply", "text": self.text}
            case "event":
                return {"do": "event", "kind": self.kind, "same": self.same}
            case "answer":
                return {"do": "answer", "works": self.works}
        return {"do": self.do}


class BadInput(ValueError):
    """It is none of the things that can happen."""


def read_input(data: Mapping[str, Any]) -> Input:
    """Read one input.

    :raises BadInput: if it is none.
    """
    match data.get("do"):
        case "next" | "resume" as do:
            return Input(do)
        case "wait":
            return Input("wait", minutes=_minutes(data.get("minutes")))
        case "reply":
            text = str(data.get("text") or "").strip()[:MAX_REPLY]
            if not text:
                raise BadInput("An empty reply.")
            return Input("reply", text=text)
        case "event":
            kind = str(data.get("kind") or "")
            if kind not in KINDS:
                raise BadInput(f"No such event: {kind}.")
            return Input("event", kind=kind, same=_yes(data.get("same", True)))
        case "answer":
            return Input("answer", works=_yes(data.get("works", True)))
    raise BadInput(f"Not an input: {data!r}.")


def read_script(items: Iterable[Any]) -> tuple[tuple[Input, ...], int]:
    """Return the inputs, and how many could not be read."""
    inputs, dropped = [], 0
    for item in list(items)[:MAX_INPUTS]:
        try:
            inputs.append(read_input(item if isinstance(item, Mapping) else {}))
        except BadInput:
            dropped += 1
    return tuple(inputs), dropped


def _minutes(value: Any) -> int:
    try:
        minutes = int(value)
    except (TypeError, ValueError):
        minutes = 0
    if not 0 < minutes <= MAX_MINUTES:
        raise BadInput(f"Not a length of time: {value!r}.")
    return minutes


def _yes(value: Any) -> bool:
    return value not in (False, 0, "", "0", "no", "false", None)
