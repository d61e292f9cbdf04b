"""Web addresses in texts, and the names of their hosts. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_ADDRESS = re.compile(r"(?<![a-z0-9])https?://[^\s<>\"“”«»]+", re.IGNORECASE)
#: What stands behind an address and is none of it.
_BEHIND = ".,;:!?'’…"
_CLOSING = {")": "(", "]": "[", "}": "{"}
_NAME = re.compile(r"(?=.{4,100}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")
_STANDARD = {"http": 80, "https": 443}

#: A host and its port; None is the standard one.
Host = tuple[str, int | None]


def find(text: str) -> list[tuple[int, int]]:
    """Return where the web addresses in ``text`` stand, as [start, end)."""
    found = []
    for match in _ADDRESS.finditer(text):
        address = _without_ending(match[0])
        if host_of(address) is not None:
            found.append((match.start(), match.start() + len(address)))
    return found


def parts_of(text: str) -> list[tuple[str, bool]]:
    """Return ``text`` in pieces, each with whether it is a web address."""
    parts = []
    end = 0
    for start, stop in find(text):
        parts += [(text[end:start], False), (text[start:stop], True)]
        end = stop
    return [(part, is_address) for part, is_address in [*parts, (text[end:], False)] if part]


def _without_ending(address: str) -> str:
    """Return ``address`` without the marks of the sentence around it."""
    while address:
        last = address[-1]
        opening = _CLOSING.get(last)
        if last not in _BEHIND and (opening is None or address.count(opening) >= address.count(last)):
            break
        address = address[:-1]
    return address


def host_of(address: str) -> Host | None:
    """Return the host of an http(s) address, in small ASCII letters; None if it has none that can be trusted.

    An address that names a user, or holds a backslash, is there to mislead: browsers and we would read it differently.
    """
    try:
        parts = urlsplit(address)
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in _STANDARD or not name or "@" in parts.netloc or "\\" in address:
        return None
    try:
        name = name.rstrip(".").encode("idna").decode()
    except UnicodeError:
        return None
    return name.lower(), None if port == _STANDARD[scheme] else port


def is_host_name(text: str) -> bool:
    """Return whether ``text`` is the name of a host and nothing else: no scheme, port, path or number."""
    return bool(_NAME.fullmatch(text))


def bare(name: str) -> str:
    """Return a host's name without "www.": shops are found under both."""
    return name.removeprefix("www.")


def is_or_under(name: str, domains: frozenset[str]) -> bool:
    """Return whether a host is one of ``domains``, or stands below one."""
    labels = name.split(".")
    return any(".".join(labels[i:]) in domains for i in range(len(labels)))
