"""Huey looks for tasks here; they stand in the rooms that they belong to."""

from smsflow_plugin.integrations.shopify.writes.tasks import fill_pools, write_to_shops

__all__ = ["fill_pools", "write_to_shops"]
