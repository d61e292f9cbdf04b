"""Who calls a public page: from which address, and from which website."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from django.http import HttpRequest

from smsflow_plugin.conf import smsflow_settings


def client_ip(request: HttpRequest) -> str:
    """Return the address of the caller.

    Behind proxies it is in X-Forwarded-For, to whose end each of them adds whom it was called by. What
    stands before the ones that we trust was written by the caller. ``SMSFLOW["TRUSTED_PROXIES"]`` says how
    many they are; none means that nothing of the header is believed.
    """
    direct: str = request.META.get("REMOTE_ADDR", "")
    proxies = smsflow_settings.TRUSTED_PROXIES
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    if not proxies or not hops:
        return direct
    return _without_port(hops[-proxies] if len(hops) >= proxies else hops[0])


def connection_of(ip: str) -> str:
    """Return what stands for one connection: of IPv6 everybody has a whole network of 2⁶⁴ addresses."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip[:64]
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped) if address.ipv4_mapped else address.exploded[:19]
    return str(address)


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def origin_of(url: str) -> str:
    """Return scheme and host of an address ("https://shop.example"); empty if it has none."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    host = f"[{host}]" if ":" in host else host
    standard = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != standard else "")


def comes_from(request: HttpRequest, allowed: Iterable[str]) -> bool:
    """Return whether a post was made by a page of ours or of ``allowed`` origins. Browsers always say."""
    said = request.headers.get("Origin") or request.headers.get("Referer", "")
    own = (origin_of(f"{request.scheme}://{request.get_host()}"), origin_of(smsflow_settings.PUBLIC_URL))
    return bool(origin := origin_of(said)) and origin in {*own, *allowed}
