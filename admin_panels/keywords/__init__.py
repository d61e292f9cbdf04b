"""What answers texts by itself: the keyword table of a store, its autoresponder, and staff's canned replies."""

from smsflow_plugin.admin_panels.keywords.autoresponder import AutoresponderViewSet
from smsflow_plugin.admin_panels.keywords.canned import CannedReplyViewSet
from smsflow_plugin.admin_panels.keywords.viewset import KeywordViewSet

__all__ = ["AutoresponderViewSet", "CannedReplyViewSet", "KeywordViewSet"]
