"""Registers the screens with Wagtail; the code lives elsewhere."""

from __future__ import annotations

from wagtail import hooks

from smsflow_plugin.admin_panels import flows

flows.register()


@hooks.register("register_admin_viewset")
def register_viewsets() -> list[object]:
    return [flows.GalleryViewSet()]
