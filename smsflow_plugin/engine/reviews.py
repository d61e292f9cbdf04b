"""Unclear replies of one contact, closed by what somebody has decided."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from smsflow_plugin.audience.models import Contact
from smsflow_plugin.events.models import ReplyReview


def close_reviews(
    contact: Contact, state: ReplyReview.State, now: datetime, user: Any = None, *, only: int | None = None
) -> None:
    """Close the contact's open reviews, or ``only`` one of them. The contact is locked by the caller."""
    waiting = contact.reply_reviews.filter(state=ReplyReview.State.OPEN)
    closed = waiting if only is None else waiting.filter(pk=only)
    closed.update(state=state, decided_at=now, decided_by=user.get_username() if user else "")
    newest = waiting.order_by("-received_at").values_list("received_at", flat=True).first()
    if contact.doubtful_at != newest:
        contact.doubtful_at = newest
        contact.save(update_fields=["doubtful_at"])
