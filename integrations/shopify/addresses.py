"""Our own addresses, as they are told to Shopify."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse

from smsflow_plugin.conf import smsflow_settings


def address_of(name: str, *args: str) -> str:
    """Return the whole address of one of ``urls``; "" while the site does not include ``smsflow_plugin.urls``."""
    try:
        path = reverse(f"smsflow:shopify:{name}", args=args)
    except NoReverseMatch:
        return ""
    return f"{smsflow_settings.PUBLIC_URL}{path}"


def webhook_address() -> str:
    return address_of("webhooks")
