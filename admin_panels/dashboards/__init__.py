"""What the texts are worth: pages with figures. They read what ``measurement.rollups`` has counted, and no facts."""

from smsflow_plugin.admin_panels.dashboards.viewset import FiguresViewSet

__all__ = ["FiguresViewSet"]
