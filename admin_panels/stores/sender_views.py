"""The pages of a store's senders: its numbers and names, what they are for, and how they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic.base import BaseObjectMixin, WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.widgets.button import HeaderButton

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.objects import ObjectFormView
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.admin_panels.stores.sender_forms import GATEWAY_NAMES, SenderForm
from smsflow_plugin.admin_panels.stores.sender_words import misfit_words
from smsflow_plugin.messaging.sender_actions import DeleteSender, SaveSender
from smsflow_plugin.messaging.sender_state import Standing, standings
from smsflow_plugin.models import Message, Sender, Store


@dataclass(frozen=True, slots=True)
class Line:
    """One sender on the page. ``row`` is None for the store's own sender where it has no row."""

    row: Sender | None
    standing: Standing
    gateway: str
    warnings: tuple[str, ...]


def lines_of(store: Store) -> list[Line]:
    """Return the senders of a store in the order in which they are asked, its own last."""
    standing = standings(store, clock.now())
    rows = list(Sender.objects.filter(store=store))
    found = [_line(store, row.address, row, standing) for row in rows]
    if store.sender not in {row.address for row in rows}:
        found.append(_line(store, store.sender, None, standing))
    return found


def _line(store: Store, address: str, row: Sender | None, standing: dict[str, Standing]) -> Line:
    own = standing.get(address, Standing(address))
    countries = (row.countries if row else []) or [store.country]
    told = dict.fromkeys(words for country in countries if (words := misfit_words(address, country)))
    return Line(row, own, GATEWAY_NAMES.get(own.kind, own.kind), tuple(told))


#: What the views of the store's viewset ask before any of ours do.
_SEES_STORE = ["add", "change", "view"]


class SendersView(PermissionCheckedMixin, BaseObjectMixin, WagtailAdminTemplateMixin, TemplateView):  # type: ignore[misc]
    """All senders of one store."""

    model = Store
    any_permission_required = _SEES_STORE
    page_title = gettext_lazy("Senders")
    template_name = "smsflow/stores/senders.html"
    index_url_name = ""
    object_url_name = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may(request.user, "view", Sender(store=self.object)):
            raise PermissionDenied
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def get_page_subtitle(self) -> str:
        return str(self.object)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse(self.index_url_name), "label": _("Stores")},
            {"url": reverse(self.object_url_name, args=(self.object.pk,)), "label": str(self.object)},
            {"url": "", "label": self.get_page_title(), "sublabel": str(self.object)},
        ]

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        if not may(self.request.user, "add", Sender(store=self.object)):
            return []
        url = reverse("smsflow_stores:sender_add", args=(self.object.pk,))
        return [HeaderButton(_("Add sender"), url=url, icon_name="plus")]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["lines"] = lines_of(self.object)
        context["object"] = self.object
        context["may_change"] = may(self.request.user, "change", Sender(store=self.object))
        context["may_test"] = may(self.request.user, "add", Message(store=self.object))
        return context


class SenderFormView(ObjectFormView):
    """A sender is added, or changed if the address names one."""

    model = Store
    any_permission_required = _SEES_STORE
    form_class = SenderForm
    #: The right that it takes in the store, once there is a sender.
    right = "change"
    template_name = "smsflow/stores/sender_form.html"
    submit_button_label = gettext_lazy("Save")

    @cached_property
    def sender(self) -> Sender | None:
        if "sender" not in self.kwargs:
            return None
        sender = Sender.objects.filter(store=self.object, pk=self.kwargs["sender"]).first()
        if sender is None:
            raise Http404
        return sender

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may(request.user, self.right if self.sender else "add", Sender(store=self.object)):
            raise PermissionDenied
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def get_page_title(self) -> str:
        return self.sender.address if self.sender else _("Add sender")

    def get_object_url(self) -> str:
        return reverse("smsflow_stores:senders", args=(self.object.pk,))

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "store": self.object, "instance": self.sender}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        if self.sender and may(self.request.user, "delete", self.sender):
            context["delete_url"] = reverse("smsflow_stores:sender_delete", args=(self.object.pk, self.sender.pk))
        return context

    def form_valid(self, form: SenderForm) -> HttpResponse:
        try:
            sender = SaveSender(form.instance, self.request.user).execute()
        except ValidationError as error:
            form.add_error(None, error)
            return self.form_invalid(form)
        messages.success(self.request, _("The sender %(sender)s is saved.") % {"sender": sender})
        for country in sender.countries or [self.object.country]:
            if words := misfit_words(sender.address, country):
                messages.warning(self.request, words)
        response: HttpResponse = super().form_valid(form)
        return response


class SenderDeleteView(SenderFormView):
    """Asks once more."""

    form_class = Form
    right = "delete"
    template_name = "smsflow/stores/sender_delete.html"
    submit_button_label = gettext_lazy("Delete")
    submit_classname = "serious"

    def get_form_kwargs(self) -> dict[str, Any]:
        return super(SenderFormView, self).get_form_kwargs()

    def get_page_title(self) -> str:
        return _("Delete sender")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "sender": self.sender, "delete_url": ""}

    def form_valid(self, form: Any) -> HttpResponse:
        assert self.sender is not None
        DeleteSender(self.sender, self.request.user).execute()
        messages.success(self.request, _("The sender %(sender)s is deleted.") % {"sender": self.sender})
        return redirect(self.get_object_url())
