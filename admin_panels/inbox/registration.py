"""Registers the inbox with Wagtail. Called once, from ``wagtail_hooks``."""

from __future__ import annotations

from wagtail import hooks

from smsflow_plugin.admin_panels.inbox.menu_item import badge_script, badge_style


def register() -> None:
    """Put the number of waiting conversations onto every page of the admin."""
    hooks.register("insert_global_admin_js", badge_script)
    hooks.register("insert_global_admin_css", badge_style)
