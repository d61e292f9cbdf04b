"""Registers the screens with Wagtail; the code lives elsewhere."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth.models import Permission
from django.utils.translation import gettext_lazy as _
from wagtail import hooks

from smsflow_plugin.admin_panels import (
    flows,
    governance,
    inbox,
    keywords,
    landing,
    segments,
    shopify_sync,
    signup,
    weekly_report,
)
from smsflow_plugin.admin_panels.deliveries import ReplayBulkAction
from smsflow_plugin.admin_panels.menu import SMSFlowGroup
from smsflow_plugin.admin_panels.shopify.arrive import ShopifyViewSet
from smsflow_plugin.admin_panels.weekly_report.viewset import WeeklyReportViewSet
from smsflow_plugin.models import (
    Autoresponder,
    CannedReply,
    Connection,
    Contact,
    Delivery,
    Keyword,
    Message,
    OptInForm,
    Policy,
    Segment,
    Store,
    StoreLogEntry,
    Suppression,
)

ICONS = ("smsflow", "smsflow-figures", "smsflow-inbox", "smsflow-store")

LOG_ACTIONS = {
    "smsflow.answer_for_call": (_("Answer for a call"), _("Said what became of a call to the gateway")),
    "smsflow.apply_winner": (_("Take over a variant"), _("Variant of an experiment taken over into the draft")),
    "smsflow.add_note": (_("Add note"), _("Note added to the conversation")),
    "smsflow.assign_thread": (_("Assign conversation"), _("Conversation assigned")),
    "smsflow.breaker": (_("Trip a breaker"), _("Stopped by a circuit breaker")),
    "smsflow.resolve_breaker": (_("Decide on a breaker"), _("Decided on a circuit breaker")),
    "smsflow.close_thread": (_("Close conversation"), _("Conversation closed")),
    "smsflow.connect_shop": (_("Connect shop"), _("Shop connected")),
    "smsflow.disconnect_shop": (_("Disconnect shop"), _("Shop disconnected")),
    "smsflow.decide_reply": (_("Decide about an unclear reply"), _("Unclear reply decided")),
    "smsflow.erase": (_("Erase person"), _("Person erased")),
    "smsflow.export_person": (_("Export person"), _("Everything about the person exported")),
    "smsflow.hand_over": (_("Hand over"), _("Handed over to staff")),
    "smsflow.keep_winner": (_("Keep the winner"), _("Winner of an experiment kept by the flow's rule")),
    "smsflow.let_in": (_("Let people in"), _("People let into the flow")),
    "smsflow.open_ledger": (_("Open ledger of consent"), _("Ledger of consent opened")),
    "smsflow.record_opt_out": (_("Record opt-out"), _("Opt-out recorded")),
    "smsflow.reopen_thread": (_("Reopen conversation"), _("Conversation opened again")),
    "smsflow.replay": (_("Replay delivery"), _("Delivery replayed")),
    "smsflow.reply": (_("Reply"), _("Text written in the conversation")),
    "smsflow.resume_sign_ups": (_("Resume sign-ups"), _("Numbers are asked again")),
    "smsflow.retry_write": (_("Retry entry of the Shopify outbox"), _("Entry of the Shopify outbox tried again")),
    "smsflow.resume_automation": (_("Resume automation"), _("Flows go on for this person")),
    "smsflow.save_connection": (_("Change connection"), _("Connection changed")),
    "smsflow.send_test_text": (_("Send test text"), _("Test text sent")),
    "smsflow.snooze_thread": (_("Snooze conversation"), _("Conversation snoozed")),
    "smsflow.start_conversation": (_("Start conversation"), _("Conversation started")),
    "smsflow.start_test_run": (_("Start test run"), _("Test run started")),
    "smsflow.save_sender": (_("Change sender"), _("Sender changed")),
    "smsflow.delete_sender": (_("Delete sender"), _("Sender deleted")),
    "smsflow.set_membership": (_("Change people"), _("People changed")),
    "smsflow.suppress": (_("Suppress numbers"), _("Numbers put on the suppression list")),
    "smsflow.unsuppress": (_("Lift suppression"), _("Number taken off the suppression list")),
}

flows.register()
segments.register()
governance.register()
inbox.register()
signup.register()
landing.register_hooks()
shopify_sync.register()
weekly_report.register()
hooks.register("register_bulk_action", ReplayBulkAction)
if apps.is_installed("smsflow_plugin.integrations.shopify"):
    # its rows are the adapter's: a site without it has no tables for them
    from smsflow_plugin.admin_panels import privacy

    privacy.register()


@hooks.register("register_admin_viewset")
def register_viewsets() -> list[object]:
    return [
        SMSFlowGroup(),
        flows.GalleryViewSet(),
        flows.FlowToolsViewSet(),
        segments.chooser_viewset,
        signup.chooser_viewset,
        ShopifyViewSet(),
        shopify_sync.ShopifySyncViewSet(),
        keywords.AutoresponderViewSet(),
        WeeklyReportViewSet(),
    ]


@hooks.register("register_permissions")
def register_permissions() -> Any:
    """Rights that no viewset stands for, so that a site can give them to groups of its own."""
    return Permission.objects.filter(
        content_type__app_label="smsflow", codename__in=["erase_contact", "export_contact", "view_flowstat"]
    )


@hooks.register("register_icons")
def register_icons(icons: list[str]) -> list[str]:
    return [*icons, *(f"smsflow/icons/{name}.svg" for name in ICONS)]


@hooks.register("register_log_actions")
def register_log_actions(actions: Any) -> None:
    # by type only: Wagtail's site history would show every store's names to everybody
    for model in (
        Autoresponder,
        CannedReply,
        Connection,
        Contact,
        Delivery,
        Keyword,
        Message,
        OptInForm,
        Policy,
        Segment,
        Store,
        Suppression,
    ):
        actions.log_entry_models_by_type.register(model, value=StoreLogEntry)
    for action, (label, message) in LOG_ACTIONS.items():
        actions.register_action(action, label, message)
