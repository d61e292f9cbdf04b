"""Is a call from the store's help desk? HMAC over time and raw body, as in our own webhooks. Pure.

Whoever replays a call must replay it to the byte, and the inbox knows its event again; the window ends replays of
those that are not kept any more.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

HEADER = "smsflow-signature"
#: For help desks that can send a header and cannot sign; counts only where the store says so.
SECRET_HEADER = "smsflow-secret"  # noqa: S105
#: How far the caller's time of signing may be from ours, in both directions.
WINDOW = timedelta(minutes=5)

_SHAPE = re.compile(r"t=(\d{1,12}),\s*v1=([0-9a-fA-F]{64})", re.ASCII)


class BadSignature(Exception):
    """The call is not proven to be the help desk's; the message says what is wrong, for the log."""


def signature(secret: str, body: bytes, moment: int) -> str:
    """Return the value of the header for ``body``, signed at the Unix time ``moment``."""
    digest = hmac.new(secret.encode(), b"%d.%s" % (moment, body), hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def verify(
    secrets: Iterable[str], headers: Mapping[str, str], body: bytes, *, now: datetime, plain: bool = False
) -> None:
    """Check a call. ``headers`` is case-insensitive or has lower-case names; ``body`` is as it came.

    :param secrets: those that count now. Without any, nothing is proven.
    :param plain: whether the secret itself in a header is proof enough.
    :raises BadSignature: if the call does not stand the check.
    """
    known = [secret for secret in secrets if secret]
    given = headers.get(SECRET_HEADER, "")
    if plain and given and HEADER not in headers:
        if not _any(hmac.compare_digest(given.strip().encode(), secret.encode()) for secret in known):
            raise BadSignature("its secret is wrong")
        return
    shape = _SHAPE.fullmatch(headers.get(HEADER, "").strip())
    if shape is None:
        raise BadSignature("it is not signed")
    moment = int(shape[1])
    stated = f"t={moment},v1={shape[2].lower()}".encode()
    if not _any(hmac.compare_digest(stated, signature(secret, body, moment).encode()) for secret in known):
        raise BadSignature("its signature is wrong")
    if abs(now.timestamp() - moment) > WINDOW.total_seconds():
        raise BadSignature(f"it was signed {now.timestamp() - moment:.0f} seconds ago")


def _any(checks: Iterable[bool]) -> bool:
    # every secret is compared, so that the time taken tells nothing
    return any(list(checks))
