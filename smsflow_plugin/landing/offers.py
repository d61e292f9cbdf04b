"""Where the button of a landing page leads, and what is a discount code. Pure."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit, urlunsplit

from smsflow_plugin.links import targets

#: What shops take as a code; no blanks, so that nobody copies half of it, and nothing that ends an address.
_CODE = re.compile(r"[^\s/?#%&<>\"\\]{1,60}")

#: Campaign tags that a page hands on from its own address to the shop's.
TAGS = ("utm_source", "utm_medium", "utm_campaign", "utm_content")
_LONGEST_TAG = 200


def is_code(text: str) -> bool:
    return _CODE.fullmatch(text) is not None


def shop_address(home: str, link: str, code: str, *, website: str) -> str:
    """Return where the button leads: to ``link``, else to ``home``, with ``code`` redeemed on the way there.

    Shopify redeems a code that stands in /discount/CODE, and in a cart's or checkout's own address as ``discount``.
    An address that is not the shop's own stays as it is, as does one that redeems a code already.
    """
    address = link or home
    if not code or not targets.is_shops_own(address, website):
        return address
    parts = urlsplit(address)
    if parts.path.startswith("/discount/"):
        return address
    if parts.path.startswith(("/cart/", "/checkouts/")):
        return targets.tagged(address, {"discount": code})
    # browsers take two slashes in front, of either kind, for the beginning of another site's address
    path = "/" + parts.path.lstrip("/\\") if parts.path else ""
    inside = urlunsplit(("", "", path, parts.query, parts.fragment))
    query = f"redirect={quote(inside, safe='/')}" if inside not in ("", "/") else ""
    return urlunsplit((parts.scheme, parts.netloc, f"/discount/{quote(code, safe='')}", query, ""))


def handed_on(query: dict[str, str]) -> dict[str, str]:
    """Return the campaign tags among the parameters of a page's own address."""
    return {name: query[name][:_LONGEST_TAG] for name in TAGS if query.get(name)}
