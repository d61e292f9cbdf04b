"""The forms of what starts a flow. What they mean is in ``program.Trigger``."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from smsflow_plugin.events.kinds import grouped_kind_choices


def trigger_choices() -> list[tuple[object, object]]:
    return list(grouped_kind_choices(triggers_only=True))


class EventTriggerBlock(blocks.StructBlock):
    """Something that happens."""

    kind = blocks.ChoiceBlock(choices=trigger_choices, default="opted_in", label=_("Event"))

    class Meta:
        icon = "history"
        label = _("Something happens")
        label_format = "{kind}"
        description = _("Starts the flow when this happens to a person.")


def trigger_blocks() -> list[tuple[str, blocks.Block]]:
    return [("event", EventTriggerBlock())]
