"""Reads Shopify's headers, whichever way it spells them."""

from __future__ import annotations

from collections.abc import Mapping

HMAC = "hmac-sha256"
SHOP = "shop-domain"
TOPIC = "topic"
WEBHOOK_ID = "webhook-id"
TRIGGERED_AT = "triggered-at"

#: Webhooks say "X-Shopify-Topic"; the newer "Events" say "Shopify-Topic".
PREFIXES = ("x-shopify-", "shopify-")


def shopify_header(headers: Mapping[str, str], name: str) -> str:
    """Return a header without its prefix, for example ``TOPIC``, or "" if it is missing.

    ``headers`` are Django's (any case will do) or a stored delivery's (lower-case).
    """
    for prefix in PREFIXES:
        value = headers.get(prefix + name)
        if value:
            return value.strip()
    return ""
