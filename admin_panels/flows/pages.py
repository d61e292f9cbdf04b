"""What the pages about one flow, other than its editor, have in common."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from wagtail.admin.views.generic.base import BaseObjectMixin, WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.widgets.button import Button

from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.models import Contact, Flow, FlowStat


def may_see_people(user: Any, flow: Flow) -> bool:
    """Return whether ``user`` may look at the people of the flow's store."""
    return may(user, "view", Contact(store_id=flow.store_id))


def may_let_in(user: Any, flow: Flow) -> bool:
    """Return whether ``user`` may let people in by hand: whoever does that makes texts go out, as publishing does."""
    return may(user, "publish", flow) and may_see_people(user, flow)


def page_url(view: str, flow: Flow, *args: Any) -> str:
    """Return the address of one of the pages of a flow."""
    from smsflow_plugin.admin_panels.flows.viewset import FlowViewSet

    return reverse(FlowViewSet().get_url_name(view), args=[flow.pk, *args])


def tool_url(view: str, flow: Flow) -> str:
    """Return the address of a page on which a flow is seen or tried."""
    return reverse(f"smsflow_flow_tools:{view}", args=[flow.pk])


def page_buttons(user: Any, flow: Flow) -> list[Button]:
    """Return the ways from a flow's editor, or its row in the list, to its other pages."""
    buttons = []
    if flow.current_version_id:
        if may_see_people(user, flow):
            buttons.append(Button(_("People"), url=page_url("people", flow), icon_name="group", priority=40))
        buttons.append(Button(_("Versions"), url=page_url("versions", flow), icon_name="history", priority=50))
        if may(user, "view", FlowStat(store_id=flow.store_id)):
            url = reverse("smsflow_figures:flow", args=[flow.pk])
            buttons.append(Button(_("Figures"), url=url, icon_name="smsflow-figures", priority=45))
    if flow.live and may(user, "publish", flow):
        label, icon = (_("Resume"), "play") if flow.paused_at else (_("Pause"), "time")
        name = "resume" if flow.paused_at else "pause"
        buttons.append(Button(label, url=page_url(name, flow), icon_name=icon, priority=60))
    if flow.live and flow.closed_at and may(user, "publish", flow):
        buttons.append(Button(_("Let people enter"), url=page_url("open", flow), icon_name="login", priority=62))
    buttons.append(Button(_("Diagram"), url=tool_url("diagram", flow), icon_name="list-ul", priority=64))
    if may_let_in(user, flow):
        buttons.append(Button(_("Test run"), url=tool_url("test", flow), icon_name="mobile-alt", priority=66))
    buttons.append(Button(_("Export"), url=page_url("export", flow), icon_name="download", priority=70))
    return buttons


class FlowPage(PermissionCheckedMixin, BaseObjectMixin, WagtailAdminTemplateMixin):  # type: ignore[misc]
    """A page about one flow. Build it with the viewset's ``construct_view``, which confines it to the user's stores."""

    model: type[Model] = Flow
    object: Flow
    request: HttpRequest
    any_permission_required = ["add", "change", "delete", "publish", "view"]
    index_url_name = ""
    edit_url_name = ""
    header_icon = "mail"

    def allowed(self) -> bool:
        """Return whether the user may be here; those who may see the flow at all may by default."""
        return True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.allowed():
            raise PermissionDenied
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def may(self, action: str) -> bool:
        return may(self.request.user, action, self.object)

    @cached_property
    def flow_url(self) -> str:
        return reverse(self.edit_url_name, args=(self.object.pk,))

    def get_page_subtitle(self) -> str:
        return str(self.object)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse(self.index_url_name), "label": capfirst(Flow._meta.verbose_name_plural)},
            {"url": self.flow_url, "label": str(self.object)},
            {"url": "", "label": self.get_page_title(), "sublabel": str(self.object)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context.update(object=self.object, flow=self.object, flow_url=self.flow_url, store=self.object.store)
        context["media"] = context.get("media", Media()) + Media(css={"all": ["smsflow/admin.css"]})
        return context
