"""The panel of governance: one page for the rules of each store, and one for the site's."""

from smsflow_plugin.admin_panels.governance.registration import register
from smsflow_plugin.admin_panels.governance.viewset import PolicyViewSet

__all__ = ["PolicyViewSet", "register"]
