"""Turns the form of a flow's steps into instructions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.flows import compile_actions, compile_texts, compile_waits, compile_ways
from smsflow_plugin.flows.assembly import Assembly, Compile, Setting
from smsflow_plugin.flows.problems import Problem
from smsflow_plugin.flows.program import Email, Instruction, Send

COMPILERS: Mapping[str, Compile] = {
    "send": compile_texts.send,
    "email": compile_texts.email,
    "ask_choice": compile_texts.ask_choice,
    "ask_yes_no": compile_texts.ask_yes_no,
    "ask_number": compile_texts.ask_number,
    "ask_text": compile_texts.ask_text,
    "wait_for_reply": compile_texts.wait_for_reply,
    "wait": compile_waits.wait,
    "wait_until_time": compile_waits.wait_until_time,
    "wait_until_date": compile_waits.wait_until_date,
    "wait_best_time": compile_waits.wait_best_time,
    "wait_for_event": compile_waits.wait_for_event,
    "if_else": compile_ways.if_else,
    "switch": compile_ways.switch,
    "split": compile_ways.split,
    "tag": compile_actions.tag,
    "set_field": compile_actions.set_field,
    "agree": compile_actions.agree,
    "hand_over": compile_actions.hand_over,
    "notify": compile_actions.notify,
    "discount": compile_actions.discount,
    "webhook": compile_actions.webhook,
    "go_to": compile_actions.go_to,
    "goal": compile_actions.goal,
    "exit": compile_actions.leave,
}
_DOES_SOMETHING = (Send, Email, *compile_actions.instruction_types())


def compile_steps(steps: Any, setting: Setting) -> tuple[tuple[Instruction, ...], list[Problem]]:
    """Return the instructions of a StreamField's steps, and what is wrong with them."""
    assembly = Assembly(setting, COMPILERS)
    assembly.compile_list(steps, ("steps",), "")
    problems = assembly.problems
    if not problems and not any(isinstance(instruction, _DOES_SOMETHING) for instruction in assembly.program):
        problems.append(Problem("", ("steps",), _("Add at least one step that does something, such as a text.")))
    return assembly.finish(), problems
