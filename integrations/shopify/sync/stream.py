"""Reads a file of JSON lines over HTTP from any byte on, a piece at a time: it may be of any size."""

from __future__ import annotations

from collections.abc import Iterator

import requests
from django.utils.translation import gettext as _

from smsflow_plugin.integrations.shopify.admin import transport
from smsflow_plugin.integrations.shopify.admin.errors import Unreachable

PIECE = 256 * 1024
#: No line is longer; one that is, is no line.
LONGEST = 8 * 1024 * 1024
#: Seconds to connect, and between two pieces.
TIMEOUT = (5.0, 60.0)


class Gone(Exception):
    """The address does not lead to the file any more."""


def lines(url: str, offset: int, size: int = 0) -> Iterator[tuple[bytes, int]]:
    """Yield (line, byte after it) from the byte ``offset`` on, which must be the start of a line.

    A last line without its end is not yielded: the file was cut off, and it comes again. Unless it ends at ``size``,
    which Shopify says that the file has.

    :raises Gone: if the file is not there.
    :raises Unreachable: if the connection breaks.
    """
    headers = {"Accept-Encoding": "identity"}  # bytes are counted
    if offset:
        headers["Range"] = f"bytes={offset}-"
    try:
        with transport.session().get(
            url, headers=headers, stream=True, timeout=TIMEOUT, allow_redirects=False
        ) as response:
            if response.status_code == 416:
                return  # there is nothing after the offset
            if response.status_code in (400, 403, 404, 410):
                raise Gone
            if response.status_code not in (200, 206):
                raise Unreachable(_("The file could not be read (HTTP %(status)s).") % {"status": response.status_code})
            skip = 0 if response.status_code == 206 else offset
            yield from _split(response.iter_content(PIECE), offset, skip, size)
    except requests.RequestException as error:
        raise Unreachable(_("The file could not be read (%(error)s).") % {"error": type(error).__name__}) from None


def _split(pieces: Iterator[bytes], position: int, skip: int, size: int) -> Iterator[tuple[bytes, int]]:
    rest = b""
    for piece in pieces:
        if skip:
            skipped = min(skip, len(piece))
            piece, skip = piece[skipped:], skip - skipped
        rest += piece
        *whole, rest = rest.split(b"\n")
        for line in whole:
            position += len(line) + 1
            yield line, position
        if len(rest) > LONGEST:
            raise Unreachable(_("The file holds a line that has no end."))
    if rest and position + len(rest) == size:
        yield rest, size
