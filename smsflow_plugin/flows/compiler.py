"""Compiles a flow's form to a program, or says what is wrong with which step.

It asks the database for nothing but what ``Lookups`` answers: the store's segments, flows and snippets.
"""

from __future__ import annotations

import logging
from typing import Any, Protocol

from django.utils.translation import gettext as _

from smsflow_plugin.audience.filters import Condition
from smsflow_plugin.flows.assembly import Setting
from smsflow_plugin.flows.condition_compiler import ConditionCompiler
from smsflow_plugin.flows.lookups import Lookups, Nothing, StoreLookups
from smsflow_plugin.flows.problems import CannotCompile, Path, Problem
from smsflow_plugin.flows.program import Program, Reentry, Throttle, Trigger
from smsflow_plugin.flows.settings_compiler import own_exits, settings_problems
from smsflow_plugin.flows.step_compiler import compile_steps
from smsflow_plugin.flows.trigger_compiler import compile_triggers

logger = logging.getLogger(__name__)


class FlowForm(Protocol):
    """What is read of a flow."""

    pk: Any
    store_id: int | None
    owner_id: Any
    triggers: Any
    audience: Any
    steps: Any
    leave_unmatched: bool
    exits: list[str]
    goal: str
    goal_leaves: bool
    entry_limit: int | None
    entry_unit: str
    max_people: int | None
    reentry: str
    reentry_days: int
    restart: bool
    message_class: str
    priority: str
    priority_number: int
    stage: str
    when_blocked: str
    cap_day: int | None
    cap_week: int | None
    own_gap: int | None
    holdout: int | None


def compile_flow(flow: FlowForm, *, lookups: Lookups | None = None) -> Program:
    """Return the program of ``flow``. ``lookups`` answer for its store; by default they ask the database.

    :raises CannotCompile: with everything that is wrong with it.
    """
    if lookups is None:
        lookups = StoreLookups(flow.store_id) if flow.store_id else Nothing()
    try:
        program, problems = _compile(flow, lookups)
    except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
        # content that no form makes: an import, a script, an app that changed its steps
        logger.warning("Flow %s holds what cannot be read.", flow.pk, exc_info=True)
        raise CannotCompile([Problem("", ("steps",), _("This flow holds something that cannot be read."))]) from error
    if problems:
        raise CannotCompile(problems)
    return program


def _compile(flow: FlowForm, lookups: Lookups) -> tuple[Program, list[Problem]]:
    triggers, problems = compile_triggers(flow.triggers, lookups)
    kinds = tuple(dict.fromkeys(trigger.kind for trigger in triggers))
    if triggers and not problems:
        problems += settings_problems(flow, triggers)
    audience, audience_problems = _audience(flow.audience, kinds, lookups)
    setting = Setting(kinds, lookups, flow.pk, flow.owner_id is not None)
    instructions, step_problems = compile_steps(flow.steps, setting)
    program = _program(flow, triggers, audience, instructions)
    return program, [*problems, *audience_problems, *step_problems]


def _audience(rules: Any, kinds: tuple[str, ...], lookups: Lookups) -> tuple[Condition, list[Problem]]:
    problems: list[Problem] = []

    def report(path: Path, message: str) -> None:
        problems.append(Problem("", ("audience", *path), message, _("Who may enter")))

    compiler = ConditionCompiler(kinds, report, at_entry=True, segments=lookups.segments)
    return compiler.compile(rules), problems


def _program(flow: FlowForm, triggers: tuple[Trigger, ...], audience: Condition, instructions: Any) -> Program:
    return Program(
        triggers=triggers,
        instructions=instructions,
        audience=audience,
        leave_unmatched=flow.leave_unmatched,
        exits=tuple(sorted(set(flow.exits))),
        own_exits=own_exits(flow, triggers),
        goal=flow.goal,
        goal_leaves=bool(flow.goal and flow.goal_leaves),
        reentry=Reentry(flow.reentry, flow.reentry_days if flow.reentry == "after" else 0),
        restart=flow.restart,
        throttle=Throttle(flow.entry_limit, flow.entry_unit) if flow.entry_limit else None,
        max_people=flow.max_people,
        message_class=flow.message_class,
        priority=flow.priority,
        priority_number=flow.priority_number,
        stage=flow.stage,
        when_blocked=flow.when_blocked,
        cap_day=flow.cap_day,
        cap_week=flow.cap_week,
        own_gap=flow.own_gap,
        holdout=flow.holdout or 0,
    )
