"""Lists of steps and rules that survive threads, and step types that have gone away."""

from __future__ import annotations

import json
import threading
from contextvars import ContextVar
from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.admin.telepath import register
from wagtail.blocks.stream_block import StreamBlockAdapter

#: The type under which a step waits whose own type is not installed.
RETIRED = "retired"


#: The lists that the system check under way has seen.
_checked: ContextVar[set[int] | None] = ContextVar("checked", default=None)


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

    def check(self, **kwargs: Any) -> Any:
        """Check each type of step once: the ways of all levels lead to the same blocks over and over."""
        seen = _checked.get()
        token = None
        if seen is None:
            seen = set()
            token = _checked.set(seen)
        try:
            if id(self) in seen:
                return []
            seen.add(id(self))
            return super().check(**kwargs)
        finally:
            if token is not None:
                _checked.reset(token)

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
            return value if isinstance(value, blocks.StreamValue) else []
        return [self._kept(item) for item in value if not isinstance(item, dict) or "value" in item]

    def _kept(self, item: Any) -> Any:
        """Return ``item``, or what keeps it if its type is not installed or its value is not of that type."""
        if not isinstance(item, dict):
            return item  # (type, value), as scripts write it
        child = self.child_blocks.get(item.get("type"))
        if isinstance(child, blocks.StructBlock) and isinstance(item["value"], dict):
            return item
        if isinstance(child, blocks.StreamBlock) and isinstance(item["value"], list):
            return item
        if child is not None and not isinstance(child, blocks.StructBlock | blocks.StreamBlock):
            return item
        kept = {"type": item.get("type"), "value": item["value"]}
        return {"type": RETIRED, "value": json.dumps(kept), "id": item.get("id")}


class WayBlock(StepListBlock):
    """A way of a step: a list of ``steps`` under a name of its own.

    The types of step are those of the shared list, not copies of them, and the editor
    gets them once for each level.
    """

    def __init__(self, steps: StepListBlock, **kwargs: Any) -> None:
        super().__init__(None, required=False, **kwargs)
        self.steps = steps
        self.child_blocks = steps.child_blocks

    def check(self, **kwargs: Any) -> Any:
        return self.steps.check(**kwargs)


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


class WayAdapter(StepListAdapter):
    """Refers to the shared list, with the name and the words of its own."""

    js_constructor = "smsflow.Way"

    def js_args(self, block: WayBlock) -> list[Any]:
        meta = {"label": block.label, "description": "", "blockDefId": block.definition_prefix}
        return [block.name, block.steps, meta]


register(StepListAdapter(), StepListBlock)
register(WayAdapter(), WayBlock)
