"""What the forms of all steps that try something have in common."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from smsflow_plugin.flows.program import VARIANTS


def share_block(help_text: Any) -> blocks.IntegerBlock:
    """Return the field for a variant's share; ``help_text`` says what everybody else gets."""
    return blocks.IntegerBlock(min_value=1, max_value=99, default=50, label=_("Share in percent"), help_text=help_text)


def variants_block(child: blocks.Block, label: Any, help_text: Any) -> blocks.ListBlock:
    """Return the list of what is tried against a step's own."""
    return blocks.ListBlock(
        child, default=[], required=False, max_num=len(VARIANTS) - 1, label=label, help_text=help_text
    )
