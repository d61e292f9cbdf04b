"""Where a click leads: the address of the link, with campaign tags if it is the shop's own. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from smsflow_plugin.messaging.addresses import bare, host_of

#: The domain below which every shop has one: no store's link leads to another one's.
_SHOPS = ".myshopify.com"


def is_safe(target: str) -> bool:
    """Return whether a browser may be sent there."""
    return host_of(target) is not None


def home(website: str, target: str) -> str:
    """Return the front page of the shop, else that of the site the link led to; empty if neither is known."""
    if is_safe(website):
        return website
    if not is_safe(target):
        return ""
    parts = urlsplit(target)
    return urlunsplit((parts.scheme, parts.netloc, "/", "", ""))


def is_shops_own(target: str, website: str) -> bool:
    """Return whether an address is the shop's: campaign tags tell nobody else anything."""
    host, own = host_of(target), host_of(website)
    if host is None:
        return False
    return host[0].endswith(_SHOPS) or (own is not None and bare(host[0]) == bare(own[0]))


def tagged(target: str, tags: Mapping[str, str]) -> str:
    """Return ``target`` with those of ``tags`` that it does not have. What it has stays as it is, to the letter."""
    parts = urlsplit(target)
    there = {name.lower() for name, _value in parse_qsl(parts.query, keep_blank_values=True)}
    added = [f"{name}={quote(value, safe='')}" for name, value in tags.items() if value and name not in there]
    query = "&".join([*([parts.query] if parts.query else []), *added])
    return urlunsplit(parts._replace(query=query))
