"""The sealed slip in every form: which form it is, what stood on it, and when it was handed out.

It stands in for a CSRF token, which a page in somebody else's frame cannot have: cookies do not
reach it. Its time is ours, not the signature's, so that it goes by the one clock.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core import signing

from smsflow_plugin.signup.models import DisclosureVersion, OptInForm

_SALT = "smsflow.opt-in-form"

#: Nobody reads and fills in a form faster than this, and nobody's page stays open for longer.
LEAST, MOST = timedelta(seconds=2), timedelta(hours=4)


class BadSlip(ValueError):
    """The form must be shown again. The message is the key of a sentence in ``page_words``."""


@dataclass(frozen=True, slots=True)
class Slip:
    nonce: str
    version: str
    handed_out: datetime


def hand_out(form: OptInForm, version: DisclosureVersion, now: datetime) -> str:
    """Return a slip for one form as it is shown now."""
    return signing.dumps([form.token, secrets.token_urlsafe(9), version.sha256, now.timestamp()], salt=_SALT)


def take_back(form: OptInForm, text: str, now: datetime) -> Slip:
    """Read a slip that comes back.

    :raises BadSlip: if it is not ours, not of this form, too old or too new.
    """
    try:
        token, nonce, version, moment = signing.loads(text, salt=_SALT)
        slip = Slip(str(nonce), str(version), datetime.fromtimestamp(float(moment), UTC))
    except (signing.BadSignature, ValueError, TypeError, OverflowError):
        raise BadSlip("expired") from None
    if token != form.token or now - slip.handed_out > MOST:
        raise BadSlip("expired")
    if now - slip.handed_out < LEAST:
        raise BadSlip("too_fast")
    return slip
