"""The inbox: conversations between a store's people and its staff."""

from smsflow_plugin.admin_panels.inbox.registration import register
from smsflow_plugin.admin_panels.inbox.viewset import InboxViewSet

__all__ = ["InboxViewSet", "register"]
