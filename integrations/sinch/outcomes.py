"""What a failed call to Sinch means for the texts in it.

The one question is whether Sinch may have taken the call. "Not taken" is said only
where it is certain; all else is ``Unknown``, and ``reconcile`` asks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from ssl import SSLCertVerificationError
from typing import Any

import requests
from sinch.core.exceptions import SinchException
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProxyError, SSLError

from smsflow_plugin import clock
from smsflow_plugin.events.reports import Cause
from smsflow_plugin.messaging.gateway import Outcome, RateLimited, Rejected, Unknown

#: Seconds to wait after a 429 that does not say how long, and the longest wait that we believe.
RETRY_AFTER, LONGEST_RETRY_AFTER = 5.0, 300.0
#: Seconds until Sinch is called again after no connection came about.
RETRY_UNREACHABLE = 15.0
#: Nothing of this service plan can work: wrong token, no access, nothing paid, no such plan.
FATAL = (401, 402, 403, 404)
#: The code with which Sinch says that the account is blocked or out of credit.
ACCOUNT_BLOCKED = "413"

_RECIPIENT = re.compile(r"\bto\[(\d+)\]")
_INVALID = re.compile(r"\bto\[\d+\]\W+(?:is|are) (?:invalid|not a valid)\b", re.IGNORECASE)
_DIGITS = re.compile(r"\+?\d{5,}")


def outcome_of(error: Exception, recipients: Sequence[str]) -> Outcome:
    """Turn what the SDK raised into what is known of the call."""
    if isinstance(error, SinchException):
        return _of_answer(error, recipients)
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema):
        return Rejected("The address of Sinch is not valid.", fatal=True)
    if isinstance(error, requests.exceptions.InvalidSchema | requests.exceptions.InvalidHeader):
        return Rejected("The address or the API token of Sinch is not valid.", fatal=True)
    if never_connected(error):
        return RateLimited(RETRY_UNREACHABLE, too_fast=False)
    # the exception's own words may hold the request: its kind is enough
    return Unknown(f"The call was cut off ({type(error).__name__}).")


def never_connected(error: Exception) -> bool:
    """Whether no connection came about, so that nothing can have been sent."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    cause = error.args[0] if isinstance(error, requests.exceptions.ConnectionError) and error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else None
    if isinstance(reason, ProxyError):
        reason = reason.original_error
    if isinstance(reason, SSLError):
        # a certificate is looked at before the first byte of the request
        return bool(reason.args) and isinstance(reason.args[0], SSLCertVerificationError)
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _of_answer(error: SinchException, recipients: Sequence[str]) -> Outcome:
    status, body, headers = answer_of(error)
    if status == 429:
        return RateLimited(retry_after(headers))
    if not 400 <= status < 500 or status == 408:
        return Unknown(f"Sinch answered {status}.")
    code, text = str(body.get("code", "")), str(body.get("text", ""))
    named = tuple(recipients[int(index)] for index in _RECIPIENT.findall(text) if int(index) < len(recipients))
    fatal = status in FATAL or code == ACCOUNT_BLOCKED
    # only a number of which Sinch says that it is none: a value of its that is too long says nothing about it
    invalid = bool(named) and status == 400 and bool(_INVALID.search(text))
    return Rejected(
        _detail(status, code, text),
        recipients=tuple(dict.fromkeys(named)),
        fatal=fatal,
        cause=Cause.INVALID if invalid else Cause.UNKNOWN,
    )


def answer_of(error: SinchException) -> tuple[int, Mapping[str, Any], Mapping[str, str]]:
    """Return status, JSON body and headers of an answer; the body is empty where it is no JSON object."""
    response = error.http_response
    if response is None:
        return 0, {}, {}
    # an answer that is no JSON comes as a bare requests.Response, which is false from 400 on
    body = getattr(response, "body", None)
    return response.status_code, body if isinstance(body, dict) else {}, response.headers or {}


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that an answer asks us to wait: given as seconds or as a date, never negative."""
    given = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    try:
        seconds = float(given)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(given) - clock.now()).total_seconds()
        except (TypeError, ValueError):
            return RETRY_AFTER
    if seconds != seconds:  # "nan" is a float, too
        return RETRY_AFTER
    return min(max(seconds, 1.0), LONGEST_RETRY_AFTER)


def _detail(status: int, code: str, text: str) -> str:
    """Say what Sinch said, without the numbers in it."""
    said = _DIGITS.sub("…", f"{code}: {text}" if code or text else "no reason given")
    return f"Sinch answered {status}, {said}"[:500]
