"""The weekly report: who wants it, in the account's settings, and a look at it now."""

from smsflow_plugin.admin_panels.weekly_report.panel import register

__all__ = ["register"]
