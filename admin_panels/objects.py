"""Pages about one object that are not Wagtail's edit or inspect page."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.text import capfirst
from django.views.generic import FormView
from wagtail.admin.views.generic.base import BaseObjectMixin, BaseOperationView, WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin


class ObjectFormView(PermissionCheckedMixin, BaseObjectMixin, WagtailAdminTemplateMixin, FormView):  # type: ignore[misc]
    """A form that does something with one object. Build it with the viewset's ``construct_view``."""

    template_name = "smsflow/object_form.html"
    submit_button_label = ""
    submit_classname = ""
    index_url_name = ""
    #: The page of the object, to which a success leads back.
    object_url_name = ""

    def get_page_subtitle(self) -> str:
        return str(self.object)

    def get_object_url(self) -> str:
        return reverse(self.object_url_name, args=(self.object.pk,))

    def get_success_url(self) -> str:
        return self.get_object_url()

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse(self.index_url_name), "label": capfirst(self.model._meta.verbose_name_plural)},
            {"url": self.get_object_url(), "label": str(self.object)},
            {"url": "", "label": self.get_page_title(), "sublabel": str(self.object)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context.update(
            object=self.object,
            object_url=self.get_object_url(),
            submit_button_label=self.submit_button_label,
            submit_classname=self.submit_classname,
        )
        return context


class ObjectOperationView(PermissionCheckedMixin, BaseOperationView):  # type: ignore[misc]
    """Does one thing with an object when posted to, if the user may."""

    http_method_names = ["post"]
