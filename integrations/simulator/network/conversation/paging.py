"""Pages by token, as the Conversation API has them. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from smsflow_plugin.integrations.simulator.network.conversation.send_request import invalid

T = TypeVar("T")


def page_of(rows: Sequence[T], size: int, token: str) -> tuple[Sequence[T], str]:
    """Return one page, and the token of the next or "". :raises Refused: if the token is none of ours."""
    start = _start(token) if token else 0
    end = start + size
    following = base64.urlsafe_b64encode(f"from:{end}".encode()).decode() if end < len(rows) else ""
    return rows[start:end], following


def _start(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("from:"))
    except (binascii.Error, ValueError):
        raise invalid("page_token is not valid.") from None
