"""What a statement about consent changes. Pure: the ledger and the columns are written by the pumps.

Statements arrive late, twice and out of order, and the outcome is the same: what is kept is
not the last one that came, but the newest of each sort. Of two of the same time the
person's own words win, and after them the revocation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

UNKNOWN, PENDING, GRANTED, REVOKED = "unknown", "pending", "granted", "revoked"
#: A question that nobody has answered in time.
EXPIRED = "expired"

#: How sure it is that the number is the person's own: they said yes once, or again from the number itself.
SINGLE, CONFIRMED = "single", "confirmed"

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that a statement was made, as far as somebody may ask for it by itself.

    All of it may be missing; what only one vendor knows is in ``Consent.evidence``.
    ``disclosure`` is the text that stood beside the box, to the letter; ``form_version`` is
    the hash of the form as it was shown.
    """

    channel: str = ""
    programme: str = ""
    opt_in_level: str = ""
    form: str = ""
    form_version: str = ""
    disclosure: str = ""
    disclosure_locale: str = ""
    box_ticked: bool | None = None
    ip: str = ""
    user_agent: str = ""
    source_url: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """The person agreed to texts or took it back.

    ``action`` and ``scope`` are values of ``ConsentRecord``. ``key`` makes the
    record unique in its store. A person's own STOP or START has ``own_words``:
    of two statements of the same time it wins. One that is not ``dated`` by whoever
    recorded it may be older than it looks, and never undoes a refusal.
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
    proof: Proof = Proof()


@dataclass(frozen=True, slots=True, order=True)
class Said:
    """When something was last said, and whether by the person: the greater one holds."""

    at: datetime
    own: bool = False


@dataclass(frozen=True, slots=True)
class ConsentState:
    """The consent columns of a contact; ``changed_at`` is the time of the newest statement that counts.

    Behind them stands the newest of each sort of statement, whatever the order in which
    they came. ``unsure`` is a yes that nobody has dated, ``unanswered`` the end of a question that nobody answered.
    """

    marketing: str = UNKNOWN
    service: str = UNKNOWN
    changed_at: datetime | None = None
    granted: Said | None = field(default=None, kw_only=True)
    refused: Said | None = field(default=None, kw_only=True)
    refused_all: Said | None = field(default=None, kw_only=True)
    asked: Said | None = field(default=None, kw_only=True)
    unanswered: Said | None = field(default=None, kw_only=True)
    unsure: Said | None = field(default=None, kw_only=True)
    confirmed: Said | None = field(default=None, kw_only=True)

    @classmethod
    def of(
        cls, marketing: str, service: str, changed_at: datetime | None, marks: Mapping[str, Any] | None = None
    ) -> ConsentState:
        """Read the columns. Marks that say something else than they do were overtaken, and count no more."""
        columns = cls(marketing, service, changed_at)
        said: dict[str, Any] = {name: _read((marks or {}).get(name)) for name in MARKS}
        kept = _settled(replace(cls(), **said))
        return kept if kept.columns == columns.columns else _from_columns(columns)

    @property
    def columns(self) -> tuple[str, str, datetime | None]:
        return self.marketing, self.service, self.changed_at

    @property
    def marks(self) -> dict[str, Any]:
        """Return what stands behind the columns as JSON."""
        said = ((name, getattr(self, name)) for name in MARKS)
        return {name: [one.at.astimezone(UTC).isoformat(), one.own] for name, one in said if one is not None}

    @property
    def opted_out(self) -> bool:
        """Whether the person wants no text at all."""
        return self.service == REVOKED

    @property
    def level(self) -> str:
        """Return how sure the consent that holds is; empty without one."""
        if self.marketing != GRANTED:
            return ""
        return CONFIRMED if self.confirmed and not _outdone(self.confirmed, self.refused) else SINGLE


MARKS = ("granted", "refused", "refused_all", "asked", "unanswered", "unsure", "confirmed")


def apply(state: ConsentState, consent: Consent, now: datetime) -> ConsentState:
    """Return the state after ``consent``.

    A statement dated in the future counts from ``now``, so that a vendor's wrong
    clock cannot overrule what the person says tomorrow.
    """
    if consent.scope == "email":
        return state
    state = _from_columns(state) if not state.marks else state
    said = Said(min(consent.effective_at, now), consent.own_words)
    match consent.action:
        case "revoked" if consent.scope == "all":
            new = replace(state, refused=_later(state.refused, said), refused_all=_later(state.refused_all, said))
        case "revoked":
            new = replace(state, refused=_later(state.refused, said))
        case "granted":
            new = _granted(state, consent, said)
        case "pending":
            new = replace(state, asked=_later(state.asked, said))
        case "expired":
            new = replace(state, unanswered=_later(state.unanswered, said))
        case _:
            return state
    return _settled(new)


def _granted(state: ConsentState, consent: Consent, said: Said) -> ConsentState:
    if not consent.dated:
        return replace(state, unsure=_later(state.unsure, said))
    confirmed = _later(state.confirmed, said) if consent.proof.opt_in_level == CONFIRMED else state.confirmed
    return replace(state, granted=_later(state.granted, said), confirmed=confirmed)


def _settled(state: ConsentState) -> ConsentState:
    """Say what holds, given the newest of each sort."""
    granted = state.granted
    if state.unsure and state.refused is None:
        granted = _later(granted, state.unsure)
    if granted and not _outdone(granted, state.refused):
        return replace(state, marketing=GRANTED, service=UNKNOWN, changed_at=granted.at)
    asked = None if _outdone(state.asked, state.unanswered) else state.asked
    # who asks for it by a link that only they have is asked, whatever they said before
    if asked and asked.own and not _outdone(asked, state.refused):
        service = REVOKED if state.refused_all is not None else UNKNOWN
        return replace(state, marketing=PENDING, service=service, changed_at=asked.at)
    if state.refused:
        out = state.refused_all is not None and _outdone(granted, state.refused_all)
        return replace(state, marketing=REVOKED, service=REVOKED if out else UNKNOWN, changed_at=state.refused.at)
    if asked:
        # somebody typed the number into a form: who has refused is not asked again because of that
        return replace(state, marketing=PENDING, service=UNKNOWN, changed_at=asked.at)
    return replace(state, marketing=UNKNOWN, service=UNKNOWN, changed_at=None)


def _outdone(said: Said | None, by: Said | None) -> bool:
    """Return whether a refusal holds against a yes: of two of the same time and the same mouth, the refusal does."""
    return by is not None and (said is None or said <= by)


def _later(one: Said | None, other: Said) -> Said:
    return other if one is None else max(one, other)


def _from_columns(state: ConsentState) -> ConsentState:
    """Take the columns for the statements that they came from. Nobody knows any more who said them."""
    said = Said(state.changed_at or _LONG_AGO)
    return replace(
        state,
        granted=said if state.marketing == GRANTED else None,
        refused=said if REVOKED in (state.marketing, state.service) else None,
        refused_all=said if state.service == REVOKED else None,
        asked=said if state.marketing == PENDING else None,
        unanswered=None,
        unsure=None,
        confirmed=None,
    )


def _read(mark: Any) -> Said | None:
    match mark:
        case [str(at), bool(own)]:
            return Said(datetime.fromisoformat(at), own)
    return None
