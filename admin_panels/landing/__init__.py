"""Landing pages in the admin: their forms, and a list of them in the menu. The rest is Wagtail's."""

from __future__ import annotations


def register() -> None:
    """Give the page types their forms; as soon as all models are there, for Wagtail's checks build and keep them."""
    from smsflow_plugin.admin_panels.landing.panels import folder_handler, page_handler
    from smsflow_plugin.models import LandingFolder, LandingPage

    LandingFolder.edit_handler = folder_handler()
    LandingPage.edit_handler = page_handler()


def register_hooks() -> None:
    from wagtail import hooks

    from smsflow_plugin.admin_panels.landing import wall

    hooks.register("before_delete_page", wall.keep_from_deleting)
    hooks.register("before_move_page", wall.keep_from_moving)
    hooks.register("before_copy_page", wall.keep_from_copying)
    hooks.register("before_bulk_action", wall.keep_from_bulk_actions)
    hooks.register("construct_page_chooser_queryset", wall.keep_from_choosing)
