"""Flows as small trees, compiled to programs the way the form is: for tests of what happens when they change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from smsflow_plugin.flows.program import (
    Branch,
    Choice,
    Exit,
    Instruction,
    Jump,
    Listen,
    Program,
    Send,
    Tag,
    Trigger,
    Wait,
    WaitForEvent,
)

ALL: dict[str, Any] = {"all": []}


@dataclass(frozen=True)
class Node:
    """One step: "send", "wait", "event", "ask", "tag", "exit" or "branch" with two ways."""

    kind: str
    id: str
    value: Any = None
    ways: tuple[tuple[Node, ...], ...] = field(default=())

    def having(self, value: Any) -> Node:
        return replace(self, value=value)


def send(id: str, text: str = "Hi.") -> Node:
    return Node("send", id, text)


def wait(id: str, hours: int = 24) -> Node:
    return Node("wait", id, hours)


def tag(id: str) -> Node:
    return Node("tag", id, id)


def branch(id: str, yes: tuple[Node, ...] = (), no: tuple[Node, ...] = (), condition: Any = None) -> Node:
    return Node("branch", id, condition or ALL, (yes, no))


def ask(id: str, yes: tuple[Node, ...] = (), silence: tuple[Node, ...] = (), hours: int = 24) -> Node:
    return Node("ask", id, hours, (yes, silence))


def event(id: str, happened: tuple[Node, ...] = (), timed_out: tuple[Node, ...] = (), hours: int = 24) -> Node:
    return Node("event", id, hours, (happened, timed_out))


def program(*nodes: Node, **values: Any) -> Program:
    """Return the program of a list of steps."""
    out: list[Instruction] = []
    _list(nodes, out)
    return Program((Trigger("opted_in"),), tuple(out), **values)


def _list(nodes: tuple[Node, ...], out: list[Instruction]) -> None:
    for node in nodes:
        _step(node, out)


def _step(node: Node, out: list[Instruction]) -> None:
    match node.kind:
        case "send":
            out.append(Send(node.id, {"": node.value}))
        case "wait":
            out.append(Wait(node.id, node.value, "hours"))
        case "tag":
            out.append(Tag(node.id, node.value))
        case "exit":
            out.append(Exit(node.id))
        case "branch":
            at = len(out)
            out.append(Exit(node.id))
            _list(node.ways[0], out)
            jump = len(out)
            out.append(Exit(node.id))
            out[at] = Branch(node.id, node.value, len(out))
            _list(node.ways[1], out)
            out[jump] = Jump(node.id, len(out))
        case "event":
            at = len(out)
            out.append(Exit(node.id))
            _list(node.ways[0], out)
            jump = len(out)
            out.append(Exit(node.id))
            out[at] = WaitForEvent(node.id, ("order_created",), node.value, "hours", on_timeout=len(out))
            _list(node.ways[1], out)
            out[jump] = Jump(node.id, len(out))
        case "ask":
            out.append(Send(node.id, {"": "Yes or no?"}))
            at = len(out)
            out.append(Exit(node.id))
            out.append(Send(node.id, {"": "Fine."}, reply=True, part="reply"))
            _list(node.ways[0], out)
            jump = len(out)
            out.append(Exit(node.id))
            choice = Choice(at + 1, words=("yes",), value="yes")
            out[at] = Listen(node.id, (choice,), node.value, "hours", on_timeout=len(out))
            _list(node.ways[1], out)
            out[jump] = Jump(node.id, len(out))
