"""The segments in the admin: list with live counts, editor, people, and the chooser."""

from __future__ import annotations

from django.db.models import ForeignKey
from wagtail.admin.forms.models import register_form_field_override

from smsflow_plugin.admin_panels.segments.viewset import SegmentChooserViewSet, SegmentViewSet
from smsflow_plugin.models import Segment

chooser_viewset = SegmentChooserViewSet("smsflow_segment_chooser")


def register() -> None:
    """Register the chooser's widget. Called once, from ``wagtail_hooks``.

    Wagtail does so itself, but only when the addresses are loaded: too late for a block
    that is looked at before the first request.
    """
    register_form_field_override(ForeignKey, to=Segment, override={"widget": chooser_viewset.widget_class})


__all__ = ["SegmentChooserViewSet", "SegmentViewSet", "chooser_viewset", "register"]
