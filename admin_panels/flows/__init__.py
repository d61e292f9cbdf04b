"""The flows in the admin: list, editor, previews and the gallery of templates."""

from smsflow_plugin.admin_panels.flows.gallery import GalleryViewSet
from smsflow_plugin.admin_panels.flows.registration import register
from smsflow_plugin.admin_panels.flows.test_run import FlowToolsViewSet
from smsflow_plugin.admin_panels.flows.viewset import FlowViewSet

__all__ = ["FlowToolsViewSet", "FlowViewSet", "GalleryViewSet", "register"]
