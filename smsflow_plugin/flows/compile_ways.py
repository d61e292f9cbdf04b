"""Compiles the steps that part people: by rules, and by chance."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.audience.filters import Condition
from smsflow_plugin.flows.assembly import Branching, Step, whole
from smsflow_plugin.flows.condition_compiler import ConditionCompiler
from smsflow_plugin.flows.problems import Path
from smsflow_plugin.flows.program import Branch, Jump, Split
from smsflow_plugin.flows.ways import items


def if_else(step: Step) -> bool:
    condition = _condition(step, step.value.get("condition"), ("condition",))
    yes, no = step.branch("yes"), step.branch("no")
    if yes.empty and no.empty:
        step.report((), _("Add a step to at least one of the two ways."))
    end = step.assembly.label()
    step.add(Branch(step.id, condition, no.label))
    return step.compile_ways([yes, no], end, lambda part: Jump(step.id, end, part), through=True)


def switch(step: Step) -> bool:
    ways = items(step.value.get("ways"))
    if not ways:
        step.report(("ways",), _("Add at least one way."))
    otherwise = step.branch("otherwise")
    branches = [step.branch("ways", way.index, "steps", key=way.id) for way in ways]
    for way, branch, following in zip(ways, branches, [*branches[1:], otherwise], strict=False):
        condition = _condition(step, way.value.get("condition"), ("ways", way.index, "condition"))
        branch.opening = _asks(step, condition, branch, following)
    if otherwise.empty and not any(len(branch.way.steps) for branch in branches):
        step.report((), _("Add a step to at least one of the ways."))
    end = step.assembly.label()
    return step.compile_ways([*branches, otherwise], end, lambda part: Jump(step.id, end, part))


def _asks(step: Step, condition: Condition, branch: Branching, following: Branching) -> Any:
    return lambda: step.add(Branch(step.id, condition, following.label, f"way:{branch.key}"))


def split(step: Step) -> bool:
    ways = items(step.value.get("ways"))
    if len(ways) < 2:
        step.report(("ways",), _("Add at least two ways."))
    weights: list[int] = []
    for way in ways:
        weight = whole(way.value.get("weight")) or 0
        if not 1 <= weight <= 100:
            step.report(("ways", way.index, "weight"), _("Give a number from 1 to 100."))
        weights.append(weight)
    branches = [step.branch("ways", way.index, "steps", key=way.id) for way in ways]
    if not any(len(branch.way.steps) for branch in branches):
        step.report((), _("Add a step to at least one of the ways."))
    end = step.assembly.label()
    step.add(Split(step.id, tuple(weights), tuple(branch.label for branch in branches)))
    return step.compile_ways(branches, end, lambda part: Jump(step.id, end, part))


def _condition(step: Step, rules: Any, path: Path) -> Condition:
    setting = step.assembly.setting
    compiler = ConditionCompiler(
        setting.triggers, lambda at, message: step.report((*path, *at), message), segments=setting.lookups.segments
    )
    if not rules:
        step.report(path, _("Add at least one rule."))
    return compiler.compile(rules or ())
