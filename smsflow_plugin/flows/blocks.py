"""The form of a flow's steps, of what starts it and of its audience."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smsflow_plugin.flows.condition_blocks import ConditionBlock
from smsflow_plugin.flows.step_blocks import leaf_steps
from smsflow_plugin.flows.step_lists import StepListBlock
from smsflow_plugin.flows.trigger_blocks import trigger_blocks
from smsflow_plugin.flows.way_blocks import WaySteps

#: How many steps with ways can stand inside each other.
MAX_DEPTH = 4
#: Where a type of step stands in the picker; the picker groups neighbours.
_ORDER = (
    "send",
    "ask_choice",
    "ask_yes_no",
    "ask_number",
    "ask_text",
    "wait",
    "wait_until_time",
    "wait_until_date",
    "wait_best_time",
    "wait_for_event",
    "wait_for_reply",
    "if_else",
    "switch",
    "split",
    "tag",
    "set_field",
    "agree",
    "hand_over",
    "discount",
    "email",
    "notify",
    "webhook",
    "go_to",
    "goal",
    "exit",
)


class FlowStepsBlock(StepListBlock):
    """The steps of a whole flow."""


def steps_block(max_depth: int = MAX_DEPTH) -> FlowStepsBlock:
    """Nest steps with ways to ``max_depth`` levels.

    All levels share the same leaves, and all ways of a level the same list: with blocks
    of their own the editor's definitions would multiply with every level. A block that
    holds itself cannot be packed by Wagtail at all.
    """
    leaves, ways = leaf_steps(), WaySteps()
    children = _sorted([*leaves, *ways.without_ways()])
    for _level in range(max_depth):
        below = StepListBlock(children, required=False)
        below.set_name("steps")
        children = _sorted([*leaves, *ways.around(below)])
    return FlowStepsBlock(children, required=False)


def triggers_block() -> StepListBlock:
    """What starts a flow: any one of these."""
    return StepListBlock(trigger_blocks(), required=False)


def audience_block() -> ConditionBlock:
    """The rules about who may enter. Empty means everybody."""
    return ConditionBlock(required=False, label=_("Audience"))


def _sorted(children: list) -> list:
    return sorted(children, key=lambda child: _ORDER.index(child[0]))
