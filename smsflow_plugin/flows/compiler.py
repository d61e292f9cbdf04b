"""Compiles a flow's form to a program, or says what is wrong with which step. No queries."""

from __future__ import annotations

from typing import Any, Protocol

from django.utils.translation import gettext as _

from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.condition_compiler import ConditionCompiler
from smsflow_plugin.flows.problems import CannotCompile, Path, Problem
from smsflow_plugin.flows.program import Program, Reentry, Trigger
from smsflow_plugin.flows.step_compiler import StepCompiler

#: The kinds of event after which a service text can be about the person's own order.
SERVICE_TRIGGERS = frozenset(
    {
        "order_created",
        "order_paid",
        "order_cancelled",
        "parcel_sent",
        "parcel_moved",
        "parcel_delivered",
        "message_received",
    }
)


class FlowForm(Protocol):
    """What is read of a flow."""

    trigger: str  # the kind of the first trigger
    audience: Any
    steps: Any
    exits: list[str]
    reentry: str
    reentry_days: int
    restart: bool
    message_class: str
    priority: str
    priority_number: int


def compile_flow(flow: FlowForm) -> Program:
    """Return the program of ``flow``.

    :raises CannotCompile: with everything that is wrong with it.
    """
    problems = _settings_problems(flow)
    audience_problems: list[Problem] = []

    def report(path: Path, message: str) -> None:
        audience_problems.append(Problem("", ("audience", *path), message, _("Who may enter")))

    audience = ConditionCompiler(flow.trigger, report, at_entry=True).compile(flow.audience)
    steps = StepCompiler(flow.trigger)
    instructions = steps.compile(flow.steps)
    problems += [*audience_problems, *steps.problems]
    if problems:
        raise CannotCompile(problems)
    return Program(
        triggers=(Trigger(flow.trigger),),
        instructions=instructions,
        audience=audience,
        exits=tuple(sorted(flow.exits)),
        reentry=Reentry(flow.reentry, flow.reentry_days if flow.reentry == "after" else 0),
        restart=flow.restart,
        message_class=flow.message_class,
        priority=flow.priority,
        priority_number=flow.priority_number,
    )


def _settings_problems(flow: FlowForm) -> list[Problem]:
    kind = KINDS.get(flow.trigger)
    if kind is None or not kind.trigger:
        return [Problem("", ("trigger",), _("Choose what starts the flow."))]
    found: list[tuple[Path, str]] = []
    if flow.trigger in flow.exits:
        found.append((("exits",), _("What starts the flow cannot end it as well.")))
    if unknown := [name for name in flow.exits if name not in KINDS]:
        found.append((("exits",), _("There is no event “%(event)s”.") % {"event": unknown[0]}))
    if flow.reentry == "subject" and not kind.subject:
        found.append((("reentry",), _("What starts this flow is not about a cart or an order.")))
    if flow.reentry == "after" and not flow.reentry_days:
        found.append((("reentry_days",), _("Give a number of at least 1.")))
    if flow.restart and not kind.subject:
        found.append((("restart",), _("What starts this flow is not about a cart or an order.")))
    if flow.message_class == "service" and flow.trigger not in SERVICE_TRIGGERS:
        found.append(
            (("message_class",), _("Only news about the person's own order can do without an opt-in to marketing."))
        )
    return [Problem("", path, message) for path, message in found]
