"""Says whether Shopify signed a body, and what a shop is called. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac

from shopify.utils.shop_url import sanitize_shop_domain  # type: ignore[import-untyped]

#: The demo's secret stands in the documentation: anybody can sign with it.
DEMO_SECRET = "demo-shopify-secret"  # noqa: S105 - known to all, and accepted in demos only

#: Computed with where there is no secret, so that a refusal takes as long as a yes.
_NOBODY = "nobody signs with this"


def sign(body: bytes, secret: str) -> str:
    """Return Shopify's signature of ``body``: base64 of its HMAC-SHA256."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def is_genuine(
    body: bytes,
    signature: str,
    *,
    secret: str,
    previous_secret: str = "",
    app_secret: str = "",
    previous_app_secret: str = "",
    demo: bool = False,
) -> bool:
    """Return whether ``signature`` was made over ``body`` with one of the secrets.

    While a secret is being replaced, Shopify signs with the old one for up to an hour.
    An empty secret never matches, and the demo's secret only if ``demo`` is on. Takes
    the same time whatever the answer.
    """
    given = signature.encode("utf-8", "replace")
    genuine = False
    for candidate in (secret, previous_secret, app_secret, previous_app_secret):
        usable = candidate != "" and (demo or candidate != DEMO_SECRET)
        matches = hmac.compare_digest(sign(body, candidate if usable else _NOBODY).encode(), given)
        genuine |= usable and matches
    return genuine


def shop_domain(name: str) -> str:
    """Return ``name`` as connections hold it ("sierra-gear.myshopify.com"), or "" if it is no shop's domain."""
    try:
        return sanitize_shop_domain(name) or ""
    except ValueError:  # "[" makes it look like an IPv6 address
        return ""
