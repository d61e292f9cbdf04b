"""A block that shows an opt-in form in a page of a Wagtail site: put ``OptInFormBlock()`` into a StreamField."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms.models import formfield_for_dbfield
from wagtail.blocks import ChooserBlock

from smsflow_plugin.flows.store_choosers import OwnStoresMixin
from smsflow_plugin.signup.models import OptInForm
from smsflow_plugin.signup.page_words import base
from smsflow_plugin.signup.showing import embedded


class OptInFormBlock(OwnStoresMixin, ChooserBlock):  # type: ignore[misc]
    """Chooses one of the user's own forms, and renders it. What is posted is answered on the form's own page."""

    @cached_property
    def target_model(self) -> Any:
        return OptInForm

    @cached_property
    def widget(self) -> Any:
        # the chooser that the admin has registered: this room knows no screens
        to_form = apps.get_model("smsflow", "OptInAttempt")._meta.get_field("form")
        return formfield_for_dbfield(to_form).widget

    def get_context(self, value: OptInForm, parent_context: Any = None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(value, parent_context=parent_context)
        if value is None or not value.active:
            return {**context, "form": None}
        request = context.get("request")
        came_from = request.build_absolute_uri() if request else ""
        return {**context, **embedded(value, base(get_language() or ""), came_from)}

    class Meta:
        icon = "form"
        label = _("Opt-in form for texts")
        template = "smsflow/join/block.html"
