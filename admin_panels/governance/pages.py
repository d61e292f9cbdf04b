"""What the pages about one policy, other than its editor, have in common; and the policies themselves."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from wagtail.admin.views.generic.base import BaseObjectMixin, WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.widgets.button import HeaderButton

from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.models import PanicStop, Policy, Store


def page_url(view: str, policy: Policy, *args: Any) -> str:
    """Return the address of one of the pages of a policy."""
    return reverse(f"wagtailsnippets_smsflow_policy:{view}", args=[policy.pk, *args])


def home_url(user: Any, policy: Policy) -> str:
    """Return the page of a policy: the panel for those who may change it, what applies for the others."""
    return page_url("edit" if may(user, "change", policy) else "inspect", policy)


def make_missing(user: Any) -> None:
    """Give every store whose rules ``user`` may see its policy, and the site its own: when they are first asked for."""
    for store in Store.objects.visible_to(user).filter(policy=None):
        if any(may(user, action, Policy(store=store)) for action in ("view", "change")):
            Policy.objects.get_or_create(store=store)
    if user.has_perm("smsflow.view_policy") or user.has_perm("smsflow.change_policy"):
        Policy.objects.get_or_create(store=None)


def open_stop(policy: Policy) -> PanicStop | None:
    """Return the stop that somebody has pressed for this store or this site, None while texts go."""
    stops = PanicStop.objects.filter(store_id=policy.store_id, released_at=None).select_related("stopped_by")
    return stops.first()


def stops_over(user: Any) -> list[PanicStop]:
    """Return every open stop that ``user`` must know of: the site's, and those of their own stores."""
    own = Store.objects.visible_to(user)
    stops = PanicStop.objects.filter(Q(store=None) | Q(store__in=own), released_at=None)
    return list(stops.select_related("store__policy").order_by("stopped_at"))


def tool_buttons(user: Any, policy: Policy) -> list[HeaderButton]:
    """Return the ways from a policy to its other pages."""
    buttons = []
    if policy.store_id:
        buttons.append(HeaderButton(_("Try it"), url=page_url("try_it", policy), icon_name="help", priority=10))
    if may(user, "change", policy):
        buttons.append(HeaderButton(_("Effect"), url=page_url("effect", policy), icon_name="view", priority=20))
        label = _("Let texts go again") if open_stop(policy) else _("Stop all texts")
        buttons.append(HeaderButton(label, url=page_url("panic", policy), icon_name="warning", priority=30))
    return buttons


class PolicyPage(PermissionCheckedMixin, BaseObjectMixin, WagtailAdminTemplateMixin):  # type: ignore[misc]
    """A page about one policy. Build it with the viewset's ``construct_view``, which confines it to the user."""

    model: type[Model] = Policy
    object: Policy
    request: HttpRequest
    any_permission_required = ["change", "publish", "view"]
    index_url_name = ""
    header_icon = "sliders"

    def allowed(self) -> bool:
        """Return whether the user may be here; those who may see the policy may by default."""
        return True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.allowed():
            raise PermissionDenied
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def may(self, action: str) -> bool:
        return may(self.request.user, action, self.object)

    @cached_property
    def policy_url(self) -> str:
        return home_url(self.request.user, self.object)

    @cached_property
    def draft(self) -> Policy:
        draft: Policy = self.object.get_latest_revision_as_object()
        return draft

    def get_page_subtitle(self) -> str:
        return str(self.object)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse(self.index_url_name), "label": _("Governance")},
            {"url": self.policy_url, "label": str(self.object)},
            {"url": "", "label": self.get_page_title(), "sublabel": str(self.object)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context.update(object=self.object, policy_url=self.policy_url, store=self.object.store)
        context["media"] = context.get("media", Media()) + Media(css={"all": ["smsflow/admin.css"]})
        return context
