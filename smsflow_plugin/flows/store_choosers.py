"""Blocks that choose something of a store: a segment, a flow."""

from __future__ import annotations

from typing import Any

from asgiref.local import Local
from django.apps import apps
from django.utils.functional import cached_property
from wagtail.admin.forms.models import formfield_for_dbfield
from wagtail.blocks import ChooserBlock
from wagtail.log_actions import get_active_log_context
from wagtail.snippets.blocks import SnippetChooserBlock

#: What the form at work was refused, by model and id.
_refused = Local()


class OwnStoresMixin:
    """Takes from a form only what the person who sends it may see.

    A block has no user, but the admin knows who is at work. Without this, a number typed in by
    hand would show the name of something in another store.
    """

    target_model: Any

    def value_from_form(self, value: Any) -> Any:
        if isinstance(value, str) and not (value.isdecimal() and len(value) < 19):
            value = None  # no id at all: the database would fail on it
        chosen = super().value_from_form(value)  # type: ignore[misc]
        if chosen is None:
            return None
        if not hasattr(_refused, "keys"):
            _refused.keys = set()
        return None if self._is_refused(chosen, _refused.keys) else chosen

    def visible_to(self, user: Any) -> Any:
        """Return what somebody may choose from."""
        return self.target_model.objects.visible_to(user)

    def _is_refused(self, chosen: Any, refused: set[tuple[str, int]]) -> bool:
        user, key = get_active_log_context().user, (chosen._meta.label, chosen.pk)
        if user is None:
            # the page is rendered after the view has ended, and reads the form once more
            return key in refused
        if self.visible_to(user).filter(pk=chosen.pk).exists():
            refused.discard(key)
            return False
        refused.add(key)
        return True


class FlowChooserBlock(OwnStoresMixin, SnippetChooserBlock):  # type: ignore[misc]
    """Chooses a flow."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("smsflow.Flow", **kwargs)


class SegmentChooserBlock(OwnStoresMixin, ChooserBlock):  # type: ignore[misc]
    """Chooses a segment, with the chooser that the admin has registered for it: this room knows no screens."""

    @cached_property
    def target_model(self) -> Any:
        return apps.get_model("smsflow", "Segment")

    @cached_property
    def widget(self) -> Any:
        to_segment = apps.get_model("smsflow", "SegmentMember")._meta.get_field("segment")
        return formfield_for_dbfield(to_segment).widget

    class Meta:
        icon = "group"
