"""What a statement about consent changes. Pure: the ledger and the columns are written by the pumps.

Statements arrive late, twice and out of order. The newest one holds; of two of the
same time the person's own words win, and after them the revocation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

UNKNOWN, PENDING, GRANTED, REVOKED = "unknown", "pending", "granted", "revoked"
#: A question that nobody has answered in time.
EXPIRED = "expired"
#: How surely the number is of the person who agreed: a form says so, or the phone itself has answered.
SINGLE, CONFIRMED = "single", "confirmed"


@dataclass(frozen=True, slots=True)
class Consent:
    """The person agreed to texts or took it back.

    ``action`` and ``scope`` are values of ``ConsentRecord``. ``key`` makes the
    record unique in its store. A person's own STOP or START has ``own_words``:
    of two statements of the same time it wins. One that is not ``dated`` by whoever
    recorded it may be older than it looks, and never undoes a refusal. ``level`` is how
    surely somebody agreed, for a grant: ``SINGLE`` unless it is said.
    """

    action: str
    scope: str
    source: str
    effective_at: datetime
    key: str
    wording: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    own_words: bool = False
    dated: bool = True
    level: str = ""


@dataclass(frozen=True, slots=True)
class ConsentState:
    """The consent columns of a contact; ``changed_at`` is the time of the newest statement that counts."""

    marketing: str = UNKNOWN
    service: str = UNKNOWN
    changed_at: datetime | None = None
    #: ``SINGLE`` or ``CONFIRMED`` while marketing is granted.
    level: str = ""

    @property
    def opted_out(self) -> bool:
        """Whether the person wants no text at all."""
        return self.service == REVOKED


def apply(state: ConsentState, consent: Consent, now: datetime) -> ConsentState:
    """Return the state after ``consent``.

    A statement dated in the future counts from ``now``, so that a vendor's wrong
    clock cannot overrule what the person says tomorrow.
    """
    at = min(consent.effective_at, now)
    undoes_refusal = consent.action == GRANTED and REVOKED in (state.marketing, state.service)
    if not _speaks_later(state, consent, at) or (undoes_refusal and not consent.dated):
        return state
    match consent.action:
        case "revoked" if consent.scope == "all":
            new = replace(state, marketing=REVOKED, service=REVOKED, level="")
        case "revoked":
            new = replace(state, marketing=REVOKED, level="")
        case "granted":
            new = ConsentState(GRANTED, UNKNOWN, level=_level(state, consent))
        # somebody typed the number into a form: who has refused is not asked again because of that
        case "pending" if state.marketing not in (GRANTED, REVOKED):
            new = replace(state, marketing=PENDING)
        # but who asks for it by a link that only they have is
        case "pending" if state.marketing == REVOKED and consent.own_words:
            new = replace(state, marketing=PENDING)
        case "expired" if state.marketing == PENDING:
            new = replace(state, marketing=UNKNOWN)
        case _:
            return state
    # saying the same again renews the date: what was said in between must not win later
    return replace(new, changed_at=at)


def _level(state: ConsentState, consent: Consent) -> str:
    """Return how surely somebody has agreed now: who has confirmed once need not do it again for each form."""
    if consent.level == CONFIRMED or (state.marketing == GRANTED and state.level == CONFIRMED):
        return CONFIRMED
    return SINGLE


def _speaks_later(state: ConsentState, consent: Consent, at: datetime) -> bool:
    if state.changed_at is None or at > state.changed_at:
        return True
    return at == state.changed_at and (consent.own_words or consent.action == REVOKED)
