"""Lists of steps and rules that survive threads, and step types that have gone away."""

from __future__ import annotations

import json
import threading
from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.admin.telepath import register
from wagtail.blocks.stream_block import StreamBlockAdapter

#: The type under which a step waits whose own type is not installed.
RETIRED = "retired"


class RetiredBlock(blocks.FieldBlock):
    """Keeps a step whose type is not installed, to the byte, and shows what it was.

    Without it Wagtail drops such a step when reading and loses it with the next save.
    """

    @cached_property
    def field(self) -> forms.Field:
        # a cached property, because a plain one loses the flag of deferred validation
        return forms.CharField(
            required=False, widget=forms.Textarea(attrs={"readonly": True, "rows": 2}), help_text=self.meta.help_text
        )

    def get_form_state(self, value: Any) -> Any:
        return value or ""

    class Meta:
        icon = "warning"
        label = _("Step that is not installed")
        help_text = _("This step comes from an app that is not installed. It is kept, but the flow cannot run with it.")
        default = ""


class StepListBlock(blocks.StreamBlock):
    """A list of steps, safe to validate from several threads.

    While Wagtail cleans a draft it sets ``required = False`` on the block
    definitions, which every thread shares. A publish beside it would then accept an
    empty text, and go on doing so until the process ends. One lock for all lists, as
    they share their children.
    """

    _cleaning = threading.RLock()

    def __init__(self, local_blocks: Any = None, **kwargs: Any) -> None:
        super().__init__([*(local_blocks or []), (RETIRED, RetiredBlock())], **kwargs)

    def clean(self, value: Any) -> Any:
        with self._cleaning:
            return super().clean(value)

    def clean_deferred(self, value: Any) -> Any:
        with self._cleaning:
            return super().clean_deferred(value)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value:
            try:
                value = json.loads(value)
            except ValueError:
                return self.empty_value(raw_text=value)
        return super().to_python(self._retire(value))

    def bulk_to_python(self, values: Any) -> Any:
        return super().bulk_to_python([self._retire(value) for value in values])

    def get_prep_value(self, value: Any) -> Any:
        return [_revive(item) for item in super().get_prep_value(value)]

    def _retire(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return [
            {"type": RETIRED, "value": json.dumps({"type": item["type"], "value": item["value"]}), "id": item.get("id")}
            if isinstance(item, dict) and item.get("type") not in self.child_blocks
            else item
            for item in value
        ]


def _revive(item: dict[str, Any]) -> dict[str, Any]:
    """Give a kept step its own type back, so that it works again once its app does."""
    if item["type"] != RETIRED:
        return item
    try:
        kept = json.loads(item["value"])
        return {"type": kept["type"], "value": kept["value"], "id": item["id"]}
    except (ValueError, KeyError, TypeError):
        return item


class StepListAdapter(StreamBlockAdapter):  # type: ignore[misc]
    """Keeps "Step that is not installed" out of the picker, and nowhere else."""

    js_constructor = "smsflow.StepList"

    def js_args(self, block: StepListBlock) -> list[Any]:
        name, groups, states, meta = super().js_args(block)
        return [name, groups, states, {**meta, "keptType": RETIRED}]

    @cached_property
    def media(self) -> forms.Media:
        return super().media + forms.Media(js=["smsflow/step-list.js"])


register(StepListAdapter(), StepListBlock)
