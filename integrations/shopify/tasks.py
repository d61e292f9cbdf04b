"""Huey finds the tasks of an app here."""

from smsflow_plugin.integrations.shopify.sync import tasks as sync

__all__ = ["sync"]
