"""May this text go to this person now, later or never? Pure: no Django, no clock, no database.

``decide`` is asked by every send step and again by dispatch before the text leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from smsflow_plugin.governance.quiet_hours import is_open, next_open
from smsflow_plugin.governance.rules import Decision, Intent, MessageClass, PolicyRules, Reason, Recipient, Verdict

DAY = timedelta(days=1)
WEEK = timedelta(days=7)

#: For so long after a person has written, an answer finds them awake and expecting it.
ANSWER_WITHIN = timedelta(hours=1)

PENDING = "pending"
GRANTED = "granted"
REVOKED = "revoked"

_ALLOW = Decision(Verdict.ALLOW, Reason.ALLOWED)

#: A rule that objects, and the first moment at which it no longer does; None: it always will.
Objection = tuple[Reason, datetime | None]


def decide(intent: Intent, rules: PolicyRules, recipient: Recipient, now: datetime) -> Decision:
    """Return what the rules say to ``intent`` at ``now``.

    A deferral's ``until`` is the earliest moment that suits every rule at once, and its
    reason is the rule that decided on it; the notes name all that objected. If nothing
    changes in the meantime, the same question at ``until`` is answered with allow.
    """
    problem = _hard_problem(intent, recipient, now)
    if problem:
        return _skip(problem)
    if is_answer(intent, now):
        return _ALLOW
    moment = now
    binding = Reason.ALLOWED
    notes: dict[Reason, str] = {}
    while objections := list(_objections(intent.message_class, rules, recipient, moment)):
        for reason, until in objections:
            if until is None:
                return _skip(Reason.NEVER_OPEN if reason is Reason.QUIET_HOURS else reason, notes)
            notes[reason] = until.isoformat()
            if until > moment:
                moment, binding = until, reason
    if moment == now:
        return _ALLOW
    if intent.expires_at and moment >= intent.expires_at:
        return _skip(Reason.STALE, notes)
    return Decision(Verdict.DEFER, binding, moment, _as_notes(notes))


def is_answer(intent: Intent, now: datetime) -> bool:
    """Return whether the text answers what the person wrote a moment ago: neither the hour nor a cap holds it up."""
    return intent.answers is not None and now - intent.answers <= ANSWER_WITHIN


def consent_problem(message_class: MessageClass, recipient: Recipient) -> Reason | None:
    """Return why consent forbids a text of this class, or None.

    Marketing needs a yes. Service needs no yes, but a no ends it. The question of a double
    opt-in needs that they asked for texts. A reply to what the person just wrote needs
    nothing: STOP itself is confirmed.
    """
    if message_class is MessageClass.OPTIN:
        if recipient.marketing_consent in (PENDING, GRANTED):
            return None
        return Reason.OPTED_OUT if recipient.marketing_consent == REVOKED else Reason.NO_CONSENT
    if message_class is MessageClass.MARKETING:
        if recipient.marketing_consent == GRANTED:
            return None
        return Reason.OPTED_OUT if recipient.marketing_consent == REVOKED else Reason.NO_CONSENT
    if message_class is MessageClass.SERVICE and recipient.service_consent == REVOKED:
        return Reason.OPTED_OUT
    return None


def _hard_problem(intent: Intent, recipient: Recipient, now: datetime) -> Reason | None:
    """Return what no waiting can heal, or None."""
    if not recipient.store_active:
        return Reason.STORE_OFF
    if not recipient.has_phone:
        return Reason.NO_PHONE
    problem = consent_problem(intent.message_class, recipient)
    if problem:
        return problem
    if recipient.handed_over and intent.message_class is not MessageClass.REPLY:
        return Reason.HANDED_OVER
    if intent.expires_at and intent.expires_at <= now:
        return Reason.STALE
    return None


def _objections(
    message_class: MessageClass, rules: PolicyRules, recipient: Recipient, moment: datetime
) -> Iterator[Objection]:
    """Yield the rules that object to a text at ``moment``."""
    marketing = message_class is MessageClass.MARKETING
    quiet = (
        marketing
        or message_class is MessageClass.OPTIN
        or (message_class is MessageClass.SERVICE and rules.quiet_service)
    )
    if quiet and not is_open(moment, recipient.zones, rules):
        yield Reason.QUIET_HOURS, next_open(moment, recipient.zones, rules)
    if not marketing:
        return
    sends = recipient.recent_sends
    yield from _cap(Reason.CAP_DAY, rules.cap_per_day, DAY, sends, moment)
    yield from _cap(Reason.CAP_WEEK, rules.cap_per_week, WEEK, sends, moment)
    if sends:
        rested = max(sends) + timedelta(minutes=rules.minimum_gap_minutes)
        if rested > moment:
            yield Reason.MINIMUM_GAP, rested


def _cap(
    reason: Reason, cap: int, window: timedelta, sends: tuple[datetime, ...], moment: datetime
) -> Iterator[Objection]:
    """A text counts until exactly one ``window`` after it was sent, then its place is free again."""
    if cap < 1:
        yield reason, None
    elif len(sends) >= cap:
        free = sorted(sends)[-cap] + window
        if free > moment:
            yield reason, free


def _skip(reason: Reason, notes: dict[Reason, str] | None = None) -> Decision:
    return Decision(Verdict.SKIP, reason, notes=_as_notes(notes or {}))


def _as_notes(notes: dict[Reason, str]) -> tuple[dict[str, str], ...]:
    return tuple({"rule": reason.value, "until": until} for reason, until in notes.items())
