"""The entry "SMS flows" of the admin's menu. Each line is shown to those who may see something there."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail.admin.menu import Menu
from wagtail.admin.viewsets.base import ViewSet, ViewSetGroup

from smsflow_plugin.admin_panels.breakers import BreakerViewSet
from smsflow_plugin.admin_panels.consent.suppression import SuppressionViewSet
from smsflow_plugin.admin_panels.contacts import ContactViewSet
from smsflow_plugin.admin_panels.dashboards import FiguresViewSet
from smsflow_plugin.admin_panels.deliveries import DeliveryViewSet
from smsflow_plugin.admin_panels.discounts import DiscountViewSet
from smsflow_plugin.admin_panels.experiments import ExperimentsViewSet
from smsflow_plugin.admin_panels.inbox import InboxViewSet
from smsflow_plugin.admin_panels.inbox.menu_item import GroupMenuItem
from smsflow_plugin.admin_panels.keywords import CannedReplyViewSet, KeywordViewSet
from smsflow_plugin.admin_panels.landing.viewset import LandingPageViewSet
from smsflow_plugin.admin_panels.messages import MessageViewSet
from smsflow_plugin.admin_panels.not_sent import NotSentViewSet
from smsflow_plugin.admin_panels.parked_calls import ParkedCallViewSet
from smsflow_plugin.admin_panels.replies import ReplyViewSet
from smsflow_plugin.admin_panels.segments import SegmentViewSet
from smsflow_plugin.admin_panels.shopify.apps import ShopifyAppViewSet
from smsflow_plugin.admin_panels.shopify_outbox import installed
from smsflow_plugin.admin_panels.signup import OptInFormViewSet
from smsflow_plugin.admin_panels.stores.viewset import StoreViewSet


def _of_shopify() -> tuple[type[ViewSet], ...]:
    if not installed():
        return ()
    from smsflow_plugin.admin_panels.shopify_outbox.viewset import WriteViewSet

    return (WriteViewSet,)


class SMSFlowGroup(ViewSetGroup):  # type: ignore[misc]
    """Other apps join through the hook ``register_smsflow_menu_item``, as flows and the simulator do."""

    menu_label = _("SMS flows")
    menu_name = "smsflow"
    menu_icon = "smsflow"
    menu_order = 150
    submenu_hook = "register_smsflow_menu_item"
    items = (
        FiguresViewSet,
        InboxViewSet,
        SegmentViewSet,
        OptInFormViewSet,
        LandingPageViewSet,
        ContactViewSet,
        KeywordViewSet,
        CannedReplyViewSet,
        ReplyViewSet,
        SuppressionViewSet,
        MessageViewSet,
        NotSentViewSet,
        ExperimentsViewSet,
        DiscountViewSet,
        BreakerViewSet,
        ParkedCallViewSet,
        DeliveryViewSet,
        *_of_shopify(),
        StoreViewSet,
        ShopifyAppViewSet,
    )

    def get_menu_item(self, order: int | None = None) -> GroupMenuItem:
        return GroupMenuItem(
            label=self.menu_label,
            menu=Menu(register_hook_name=self.submenu_hook, items=self.get_submenu_items()),
            name=self.menu_name,
            icon_name=self.menu_icon,
            order=self.get_menu_item_order(order),
        )
