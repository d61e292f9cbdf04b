"""May this text go to this person now, later or never? Pure: no Django, no clock, no database.

``decide`` is asked by every send step and again by dispatch before the text leaves. ``explain``
asks every rule and tells what each says: "try it" and the pages that tell why call it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from smsflow_plugin.governance.policy import PolicyRules
from smsflow_plugin.governance.rules import (
    Decision,
    Intent,
    MessageClass,
    Reason,
    Recipient,
    Situation,
    Verdict,
    WhenBlocked,
)
from smsflow_plugin.governance.ruling import (
    FIRM,
    PASSING,
    Ask,
    Case,
    Objection,
    Rule,
    cart_rule,
    consent_problem,
    still_useful,
)

__all__ = ["IN_CONVERSATION", "MARGIN", "Finding", "consent_problem", "decide", "explain", "is_answer", "margin_of"]

#: For so long after a person has written, an answer finds them awake and expecting it.
ANSWER_WITHIN = timedelta(hours=1)

#: For so long a person is in a conversation with staff: they have asked, and wait for a human answer.
IN_CONVERSATION = timedelta(hours=24)

#: Quiet hours must not begin for so long after a text has left: the call and the network take their time.
MARGIN = timedelta(minutes=10)

#: What a queued text is asked again before it leaves: it has taken its place in caps and budget already.
_AT_THE_GATE = frozenset({"quiet_hours"})

_ALLOW = Decision(Verdict.ALLOW, Reason.ALLOWED)
_AT_ONCE = timedelta()
_HERE = Situation()


def _asks(rules: tuple[Rule, ...], message_class: MessageClass) -> tuple[Ask, ...]:
    return tuple(rule.ask for rule in rules if message_class in rule.classes)


_FIRM = {message_class: _asks(FIRM, message_class) for message_class in MessageClass}
_PASSING = {message_class: _asks(PASSING, message_class) for message_class in MessageClass}
_GATE = {
    message_class: _asks(tuple(rule for rule in PASSING if rule.name in _AT_THE_GATE), message_class)
    for message_class in MessageClass
}


def decide(
    intent: Intent,
    rules: PolicyRules,
    recipient: Recipient,
    now: datetime,
    situation: Situation = _HERE,
    *,
    margin: timedelta = _AT_ONCE,
) -> Decision:
    """Return what the rules say to ``intent`` at ``now``.

    A deferral's ``until`` is the earliest moment that suits every rule at once, and its
    reason is the rule that decided on it; the notes name all that objected. If nothing
    changes in the meantime, the same question at ``until`` is answered with allow.
    """
    case = Case(intent, rules, recipient, situation, now, margin)
    for ask in _FIRM[intent.message_class]:
        objection = ask(case)
        if objection is not None:
            verdict = Verdict.SKIP if objection.until is None else Verdict.DEFER
            return Decision(verdict, objection.reason, objection.until, _notes({objection.reason: objection}))
    if is_answer(intent, now):
        return _ALLOW
    return _wait(case, now)


def _wait(case: Case, now: datetime) -> Decision:
    """Move on to the first moment at which no rule objects any more, and say what that means for the text."""
    asks = (_GATE if case.intent.queued else _PASSING)[case.intent.message_class]
    binding = Reason.ALLOWED
    spoke: dict[Reason, Objection] = {}
    while True:
        latest = case.moment
        for ask in asks:
            objection = ask(case)
            if objection is None:
                continue
            spoke[objection.reason] = objection
            if objection.until is None:
                return Decision(Verdict.SKIP, objection.reason, notes=_notes(spoke))
            if objection.until > latest:
                latest, binding = objection.until, objection.reason
        if latest == case.moment:
            break
        case.moment = latest
    if case.moment == now:
        return _ALLOW
    return _blocked(case, binding, spoke)


def _blocked(case: Case, binding: Reason, spoke: Mapping[Reason, Objection]) -> Decision:
    """Return what becomes of a text that cannot go before ``case.moment``."""
    for ask in (still_useful, cart_rule):
        over = ask(case) if ask in _FIRM[case.intent.message_class] else None
        if over:
            return Decision(Verdict.SKIP, over.reason, notes=_notes({**spoke, over.reason: over}))
    if (case.intent.when_blocked or case.rules.when_blocked) == WhenBlocked.DROP and not case.intent.queued:
        return Decision(Verdict.SKIP, binding, notes=(*_notes(spoke), {"dropped": True}))
    return Decision(Verdict.DEFER, binding, case.moment, _notes(spoke))


def margin_of(message_class: MessageClass) -> timedelta:
    """Return how long it must still be open. The law says nothing about service texts: they go to the last minute.

    A decision asks for the same margin as the gate: a text that is allowed in the last minutes of the evening would
    take its place in caps then, and leave in the morning, beside whatever is allowed there.
    """
    return MARGIN if message_class is not MessageClass.SERVICE else _AT_ONCE


def is_answer(intent: Intent, now: datetime) -> bool:
    """Return whether the text answers what the person wrote a moment ago: neither the hour nor a cap holds it up."""
    within = IN_CONVERSATION if intent.by_staff else ANSWER_WITHIN
    return intent.answers is not None and now - intent.answers <= within


def _notes(spoke: Mapping[Reason, Objection]) -> tuple[Mapping[str, Any], ...]:
    """Return what the rules said as plain JSON; a rule that said nothing but its name leaves no note."""
    notes = []
    for reason, objection in spoke.items():
        until = {"until": objection.until.isoformat()} if objection.until else {}
        if until or objection.values:
            notes.append({"rule": reason.value, **until, **objection.values})
    return tuple(notes)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says: nothing, or its reason, until when, and the values that it saw.

    ``asked`` is false for a rule that does not speak about texts of this class, or of answers.
    """

    rule: str
    asked: bool
    reason: Reason | None = None
    until: datetime | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


def explain(
    intent: Intent,
    rules: PolicyRules,
    recipient: Recipient,
    now: datetime,
    situation: Situation = _HERE,
    *,
    margin: timedelta = _AT_ONCE,
) -> tuple[Finding, ...]:
    """Ask every rule on its own, in its order, what it says at ``now``."""
    case = Case(intent, rules, recipient, situation, now, margin)
    answer = is_answer(intent, now)
    return tuple(
        _finding(rule, case, asked=intent.message_class in rule.classes and not (answer and rule in PASSING))
        for rule in (*FIRM, *PASSING)
    )


def _finding(rule: Rule, case: Case, *, asked: bool) -> Finding:
    objection = rule.ask(case) if asked else None
    if objection is None:
        return Finding(rule.name, asked)
    return Finding(rule.name, asked, objection.reason, objection.until, objection.values)
