"""What the guard asks of the database: everything that a limit counts, in one statement."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, Q

from smsflow_plugin.signup.guard import UNANSWERED, WINDOWS, Attempt, Outcome, Window, longest_window
from smsflow_plugin.signup.models import OptInAttempt, OptInPause


def held(store_id: int, attempt: Attempt) -> dict[Outcome, int]:
    """Return how many attempts each window of the guard holds, as ``guard.counts`` does."""
    asked = {window.outcome: _query(window, attempt) for window in (*WINDOWS, UNANSWERED)}
    rows = OptInAttempt.objects.filter(
        reduce(or_, asked.values()), store_id=store_id, at__gt=attempt.at - longest_window(), at__lte=attempt.at
    )
    found: dict[str, Any] = rows.aggregate(
        **{f"n_{outcome}": Count("pk", filter=query) for outcome, query in asked.items()}
    )
    return {outcome: found[f"n_{outcome}"] for outcome in asked}


def _query(window: Window, attempt: Attempt) -> Q:
    query = Q(**{window.column: getattr(attempt, window.column)}, at__gt=attempt.at - window.span, at__lte=attempt.at)
    if window.outcomes:
        query &= Q(outcome__in=sorted(outcome.value for outcome in window.outcomes))
    return query & Q(confirmed_at=None) if window is UNANSWERED else query


def is_paused(store_id: int, attempt: Attempt) -> bool:
    """Return whether numbers like this one are stopped."""
    return OptInPause.objects.filter(
        Q(kind=OptInPause.Kind.PREFIX, value=attempt.prefix) | Q(kind=OptInPause.Kind.COUNTRY, value=attempt.country),
        store_id=store_id,
        resumed_at=None,
    ).exists()
