"""The form of a flow's steps and of its audience."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from smsflow_plugin.flows.condition_blocks import ConditionBlock
from smsflow_plugin.flows.step_blocks import leaf_steps
from smsflow_plugin.flows.step_lists import StepListBlock
from smsflow_plugin.flows.trigger_blocks import trigger_blocks

#: How many if/else steps can stand inside each other.
MAX_DEPTH = 4


class FlowStepsBlock(StepListBlock):
    """The steps of a whole flow."""


def steps_block(max_depth: int = MAX_DEPTH) -> FlowStepsBlock:
    """Nest if/else to ``max_depth`` levels.

    All levels share the same leaves: with blocks of their own the editor's
    definitions would double with every level. A block that holds itself cannot be
    packed by Wagtail at all.
    """
    leaves = leaf_steps()
    condition = ConditionBlock(
        label=_("If all of these hold"),
        help_text=_("For “one of them is enough”, add the group “Any of these”."),
    )
    children = leaves
    for _level in range(max_depth):
        if_else = blocks.StructBlock(
            [
                ("condition", condition),
                ("yes", StepListBlock(children, required=False, label=_("If yes"))),
                ("no", StepListBlock(children, required=False, label=_("If no"))),
            ],
            icon="list-ul",
            label=_("If / else"),
            label_format="{condition}",
            description=_("Goes one of two ways."),
        )
        children = [*leaves, ("if_else", if_else)]
    return FlowStepsBlock(children, required=False)


def triggers_block() -> StepListBlock:
    """What starts a flow: any one of these."""
    return StepListBlock(trigger_blocks(), required=False)


def audience_block() -> ConditionBlock:
    """The rules about who may enter. Empty means everybody."""
    return ConditionBlock(required=False)
