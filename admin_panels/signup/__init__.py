"""Opt-in forms in the admin: list, editor, what came of them, and the chooser for pages."""

from __future__ import annotations

from django.db.models import ForeignKey
from wagtail.admin.forms.models import register_form_field_override

from smsflow_plugin.admin_panels.signup.viewset import OptInFormChooserViewSet, OptInFormViewSet
from smsflow_plugin.models import OptInForm

chooser_viewset = OptInFormChooserViewSet("smsflow_opt_in_form_chooser")


def register() -> None:
    """Register the chooser's widget early, as for segments: blocks are looked at before the first request."""
    register_form_field_override(ForeignKey, to=OptInForm, override={"widget": chooser_viewset.widget_class})


__all__ = ["OptInFormChooserViewSet", "OptInFormViewSet", "chooser_viewset", "register"]
