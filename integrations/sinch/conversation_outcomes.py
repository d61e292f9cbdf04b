"""What a failed call to the Conversation API means for the text in it. See ``outcomes``, which is the SMS API's.

A call needs an access token first. Whatever happens while that is fetched, nothing can have been sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import requests
from sinch.core.exceptions import SinchException
from sinch.domains.authentication.exceptions import AuthenticationException

from smsflow_plugin.integrations.sinch.outcomes import (
    FATAL,
    RETRY_UNREACHABLE,
    answer_of,
    never_connected,
    retry_after,
)
from smsflow_plugin.integrations.sinch.values import mapping, text
from smsflow_plugin.messaging.gateway import Outcome, RateLimited, Rejected, Unknown

#: With these the token endpoint says that the access key is wrong: OAuth 2 answers 400 for some of it.
KEY_REFUSED = (400, 401, 403)

_NO_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidHeader,
)
_DIGITS = re.compile(r"\+?\d{5,}")


def of_token(error: Exception) -> Outcome:
    """Return what follows for a text whose call could not be made for want of a token."""
    if isinstance(error, _NO_ADDRESS):
        return Rejected("The address or the access key of Sinch is not valid.", fatal=True)
    if isinstance(error, SinchException):
        status, _body, headers = answer_of(error)
        if status in KEY_REFUSED:
            return Rejected(f"Sinch does not accept the access key ({status}).", fatal=True)
        if status == 429:
            return RateLimited(retry_after(headers))
    return RateLimited(RETRY_UNREACHABLE, too_fast=False)


def of_call(error: Exception) -> Outcome:
    """Turn what the SDK raised while it sent into what is known of the text."""
    if isinstance(error, AuthenticationException):
        return of_token(error)  # the token had run out, and the call was refused before this
    if isinstance(error, SinchException):
        return _of_answer(error)
    if isinstance(error, _NO_ADDRESS):
        return Rejected("The address or the access key of Sinch is not valid.", fatal=True)
    if never_connected(error):
        return RateLimited(RETRY_UNREACHABLE, too_fast=False)
    # the exception's own words may hold the request: its kind is enough
    return Unknown(f"The call was cut off ({type(error).__name__}).")


def is_token_refused(error: Exception) -> bool:
    """Whether Sinch did not take the token that the call carried, so that another one may help."""
    return (
        isinstance(error, SinchException)
        and not isinstance(error, AuthenticationException)
        and answer_of(error)[0] == 401
    )


def _of_answer(error: SinchException) -> Outcome:
    status, body, headers = answer_of(error)
    if status == 429:
        return RateLimited(retry_after(headers))
    if not 400 <= status < 500 or status == 408:
        return Unknown(f"Sinch answered {status}.")
    return Rejected(_detail(status, body), fatal=status in FATAL)


def _detail(status: int, body: Mapping[str, Any]) -> str:
    """Say what Sinch said, without the numbers in it."""
    said = mapping(body.get("error"))
    words = ": ".join(filter(None, (text(said.get("status")), text(said.get("message")))))
    return f"Sinch answered {status}, {_DIGITS.sub('…', words) or 'no reason given'}"[:500]
