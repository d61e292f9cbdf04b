"""Registers the flows with Wagtail. Called once, from ``wagtail_hooks``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail import hooks
from wagtail.admin import messages
from wagtail.permissions import policy_registry
from wagtail.snippets.action_menu import ActionMenuItem, PublishMenuItem, UnpublishMenuItem
from wagtail.snippets.bulk_actions.delete import DeleteBulkAction
from wagtail.snippets.models import register_snippet

from smsflow_plugin.admin_panels.flows import word_tools
from smsflow_plugin.admin_panels.flows.publish import ask_before_publishing
from smsflow_plugin.admin_panels.flows.viewset import FlowViewSet
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.flows.publishing import PublishFlowAction
from smsflow_plugin.models import Enrollment, Flow, StoreLogEntry

LOG_ACTIONS = {
    "smsflow.pause": (gettext_lazy("Pause a flow"), gettext_lazy("Flow paused")),
    "smsflow.resume": (gettext_lazy("Resume a flow"), gettext_lazy("Flow resumed")),
    "smsflow.open": (gettext_lazy("Open a flow"), gettext_lazy("Flow opened to newcomers")),
    "smsflow.new_version": (gettext_lazy("Start a version"), gettext_lazy("New version")),
    "smsflow.move_people": (gettext_lazy("Move people"), gettext_lazy("People of older versions moved or let go")),
    "smsflow.take_out": (gettext_lazy("Take a person out"), gettext_lazy("Person taken out of the flow")),
    "smsflow.let_in": (gettext_lazy("Let people in"), gettext_lazy("People let in by hand")),
    "smsflow.import": (gettext_lazy("Import a flow"), gettext_lazy("Imported from a file")),
    "smsflow.export": (gettext_lazy("Export a flow"), gettext_lazy("Exported to a file")),
}


def register() -> None:
    """Register the snippet and the hooks that confine and guard it."""
    register_snippet(FlowViewSet)
    word_tools.register()
    hooks.register("register_actions", register_actions)
    hooks.register("register_log_actions", register_log_actions)
    hooks.register("construct_snippet_action_menu", match_buttons_to_policy)
    hooks.register("before_publish", refuse_what_cannot_compile)
    hooks.register("before_publish", ask_before_publishing)
    hooks.register("before_delete_snippet", keep_flows_with_history)
    hooks.register("register_bulk_action", ScopedDeleteBulkAction, order=100)


def register_actions(registry: Any) -> None:
    registry.register(Flow, PublishFlowAction)


def register_log_actions(actions: Any) -> None:
    # by type only: Wagtail's site history would show every store's names to everybody
    actions.log_entry_models_by_type.register(Flow, value=StoreLogEntry)
    actions.register_action("smsflow.enable", _("Enable a template"), _("Template enabled"))
    for action, (label, message) in LOG_ACTIONS.items():
        actions.register_action(action, label, message)


def match_buttons_to_policy(menu_items: list[ActionMenuItem], request: HttpRequest, context: dict[str, Any]) -> None:
    """Offer to publish where the user's role allows it: Wagtail asks ``user.has_perm``, which knows no stores."""
    if context["model"] is not Flow:
        return
    policy, flow = policy_registry.get_by_type(Flow), context.get("instance")
    if flow is None:
        may_publish = policy.user_has_permission(request.user, "publish")
    else:
        may_publish = policy.user_has_permission_for_instance(request.user, "publish", flow)
    menu_items[:] = [item for item in menu_items if item.name not in ("action-publish", "action-unpublish")]
    if may_publish and not context.get("locked_for_user"):
        menu_items.append(_Publish(order=30))
        if flow is not None and flow.live:
            menu_items.append(_Unpublish(order=20))
    menu_items.sort(key=lambda item: item.order)


class _Publish(PublishMenuItem):  # type: ignore[misc]
    def is_shown(self, context: dict[str, Any]) -> bool:
        return True


class _Unpublish(UnpublishMenuItem):  # type: ignore[misc]
    def is_shown(self, context: dict[str, Any]) -> bool:
        return True


def refuse_what_cannot_compile(request: HttpRequest, instance: Any) -> HttpResponse | None:
    """Send people back to the editor, whichever way they came to publish what cannot run.

    The editor's own form has said so before; this is for everything that does not go through it.
    """
    if not isinstance(instance, Flow):
        return None
    try:
        compile_flow(instance)
    except CannotCompile as refusal:
        messages.error(
            request, _("“%(flow)s” was not published. %(problems)s") % {"flow": instance, "problems": refusal}
        )
        return redirect(reverse(FlowViewSet().get_url_name("edit"), args=[instance.pk]))
    return None


def keep_flows_with_history(request: HttpRequest, instances: Iterable[Any]) -> HttpResponse | None:
    """Refuse to delete flows that people have been in: why they were texted must stay answerable."""
    flows = [instance for instance in instances if isinstance(instance, Flow)]
    used = Enrollment.objects.filter(flow__in=flows).values("flow")
    kept = Flow.objects.visible_to(request.user).filter(pk__in=used).first()
    if kept is None:
        return None
    messages.error(
        request,
        _("“%(flow)s” has a history and cannot be deleted. Unpublish it instead: nobody enters it then.")
        % {"flow": kept},
    )
    return redirect(reverse(FlowViewSet().get_url_name("list")))


class ScopedDeleteBulkAction(DeleteBulkAction):  # type: ignore[misc]
    """Deletes what the user may delete, and does not name what belongs to others."""

    models = [Flow]

    def get_actionable_objects(self) -> tuple[list[Any], dict[str, list[Any]]]:
        objects, _without_access = super().get_actionable_objects()
        if not objects:
            raise Http404
        return objects, {"items_with_no_access": []}
