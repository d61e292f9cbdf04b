"""Steps, triggers and settings as the form holds them, for tests of the compiler."""

from __future__ import annotations

from typing import Any

import pytest

from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.flows.problems import CannotCompile, Problem
from smsflow_plugin.flows.program import Instruction, Program
from smsflow_plugin.flows.trigger_blocks import event_trigger

OTHER_FLOW = 901


class Lookups:
    """A store with one other flow, one segment and some snippets."""

    def __init__(self, **snippets: dict[str, str]) -> None:
        self.snippets = snippets

    def segments(self, pk: int) -> Any:
        return [] if pk == 77 else None

    def flow_exists(self, pk: int) -> bool:
        return pk == OTHER_FLOW

    def snippet(self, name: str) -> Any:
        return self.snippets.get(name)


def step(kind: str, /, **values: Any) -> dict[str, Any]:
    return {"type": kind, "value": values}


def items(*values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "item", "value": value, "id": f"i{place}"} for place, value in enumerate(values)]


def flow(*steps: dict[str, Any], triggers: Any = None, **values: Any) -> Flow:
    """A flow whose steps are called s1, s2, …"""
    numbered = [{"id": f"s{number}", **each} for number, each in enumerate(steps, start=1)]
    return Flow(triggers=[event_trigger("opted_in")] if triggers is None else triggers, steps=numbered, **values)


def program(*steps: dict[str, Any], lookups: Any = None, **values: Any) -> Program:
    return compile_flow(flow(*steps, **values), lookups=lookups or Lookups())


def instructions(*steps: dict[str, Any], **values: Any) -> tuple[Instruction, ...]:
    return program(*steps, **values).instructions


def refused(*steps: dict[str, Any], lookups: Any = None, **values: Any) -> tuple[Problem, ...]:
    with pytest.raises(CannotCompile) as refusal:
        compile_flow(flow(*steps, **values), lookups=lookups or Lookups())
    return refusal.value.problems


def said(problems: tuple[Problem, ...]) -> list[tuple[tuple[str | int, ...], str]]:
    """Where each problem is, and what it says."""
    return [(problem.path, problem.message) for problem in problems]
