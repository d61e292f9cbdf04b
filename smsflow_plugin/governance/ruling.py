"""The rules, one function each, in the order in which they speak. Pure.

A rule looks at a case and objects or does not. An objection names its reason, the first
moment at which the rule no longer objects (None: it always will), and the values that it saw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from smsflow_plugin.governance.caps import free_at, rested_at
from smsflow_plugin.governance.law.table import law_blocks, law_caps
from smsflow_plugin.governance.policy import Cap, PolicyRules, Scope
from smsflow_plugin.governance.quiet_hours import is_open, next_open
from smsflow_plugin.governance.rules import (
    Intent,
    MessageClass,
    Planned,
    Priority,
    Reason,
    Recipient,
    Sent,
    Situation,
    Stage,
    WhenBlocked,
)

PENDING = "pending"
GRANTED = "granted"
REVOKED = "revoked"

#: US carriers: one reminder for each cart, and none later than this.
CART_WINDOW = timedelta(hours=48)

#: How late a text may come that names no limit itself, where it shall be dropped when it would come too late.
STALE_AFTER = timedelta(hours=24)

#: When a text that the panic switch holds up is looked at again.
PANIC_RETRY = timedelta(minutes=15)

_CAPS = {"hour": Reason.CAP_HOUR, "day": Reason.CAP_DAY, "week": Reason.CAP_WEEK, "month": Reason.CAP_MONTH}
_WEEK = timedelta(days=7)


class Objection(NamedTuple):
    reason: Reason
    until: datetime | None = None
    values: Mapping[str, Any] = {}


@dataclass(slots=True)
class Case:
    """One question: may ``intent`` go to ``recipient`` at ``moment``? ``margin``: and still a moment later."""

    intent: Intent
    rules: PolicyRules
    recipient: Recipient
    situation: Situation
    moment: datetime
    margin: timedelta = timedelta()


Ask = Callable[[Case], Objection | None]


class Rule(NamedTuple):
    """``name`` stands in the panel and in "try it"; ``classes`` are the kinds of text that it speaks about."""

    name: str
    ask: Ask
    classes: frozenset[MessageClass]


# What no waiting can heal ------------------------------------------------------------------------


def store_is_active(case: Case) -> Objection | None:
    return None if case.situation.active else Objection(Reason.STORE_OFF)


def panic_switch(case: Case) -> Objection | None:
    """Even a text that was queued before somebody pressed the switch does not leave. It waits for the release."""
    return Objection(Reason.PANIC, case.moment + PANIC_RETRY) if case.situation.panic else None


def has_number(case: Case) -> Objection | None:
    return None if case.recipient.has_phone else Objection(Reason.NO_PHONE)


def consent(case: Case) -> Objection | None:
    problem = consent_problem(case.intent.message_class, case.recipient)
    return Objection(problem) if problem else None


def consent_problem(message_class: MessageClass, recipient: Recipient) -> Reason | None:
    """Return why consent forbids a text of this class, or None.

    Marketing needs a yes. Service needs no yes, but a no ends it. The question of a double
    opt-in needs that they asked for texts. A reply to what the person just wrote needs
    nothing: STOP itself is confirmed.
    """
    if message_class is MessageClass.MARKETING:
        allowed = recipient.marketing_consent == GRANTED
    elif message_class is MessageClass.OPTIN:
        allowed = recipient.marketing_consent in (PENDING, GRANTED)
    elif message_class is MessageClass.SERVICE:
        return Reason.OPTED_OUT if recipient.service_consent == REVOKED else None
    else:
        return None
    if allowed:
        return None
    return Reason.OPTED_OUT if recipient.marketing_consent == REVOKED else Reason.NO_CONSENT


def suppression_list(case: Case) -> Objection | None:
    listed = case.recipient.suppressed
    return Objection(Reason.SUPPRESSED, None, {"listed": listed}) if listed else None


def unclear_reply(case: Case) -> Objection | None:
    return Objection(Reason.UNCLEAR_REPLY) if case.recipient.doubtful else None


def handed_over(case: Case) -> Objection | None:
    """While staff talks with the person, flows are silent but for news about the person's own order."""
    if not case.recipient.handed_over or case.intent.priority == Priority.SERVICE:
        return None
    return Objection(Reason.HANDED_OVER)


def country(case: Case) -> Objection | None:
    """Some countries refuse texts in the store's own words, and a store may leave out others."""
    blocked = _blocked_country(case.recipient.places, case.rules.blocked_countries)
    return Objection(Reason.COUNTRY, None, {"country": blocked}) if blocked else None


@lru_cache(maxsize=4096)
def _blocked_country(places: tuple[Any, ...], own: frozenset[str]) -> str:
    countries = {place.country for place in places if place.country}
    return next((code for code in sorted(countries) if code in own or law_blocks(code)), "")


def preference(case: Case) -> Objection | None:
    stage = case.intent.stage
    return Objection(Reason.PREFERENCE, None, {"stage": stage}) if stage in case.recipient.refused else None


def open_case(case: Case) -> Objection | None:
    if not (case.recipient.open_case and case.rules.skip_open_cases and case.intent.priority == Priority.PROMO):
        return None
    return Objection(Reason.OPEN_CASE)


def recent_buyer(case: Case) -> Objection | None:
    hours, bought = case.rules.recent_buyer_hours, case.recipient.last_order_at
    if not hours or bought is None or case.intent.priority != Priority.PROMO:
        return None
    over = bought + timedelta(hours=hours)
    return Objection(Reason.RECENT_BUYER, None, {"until": over.isoformat()}) if over > case.moment else None


def in_other_flow(case: Case) -> Objection | None:
    if case.intent.priority != Priority.PROMO or not case.rules.exclusive_flows:
        return None
    others = case.rules.exclusive_flows & case.recipient.in_flows - {case.intent.flow}
    return Objection(Reason.IN_OTHER_FLOW, None, {"flow": min(others)}) if others else None


def cart_rule(case: Case) -> Objection | None:
    intent, rules = case.intent, case.rules
    if intent.stage != Stage.CART or not _lives_in(case.recipient.places, rules.cart_countries):
        return None
    # also where nobody knows which cart: the opt-in is about reminders, not about one cart
    if rules.cart_confirmed and not case.recipient.confirmed:
        return Objection(Reason.CART_OPT_IN)
    if intent.queued or not intent.cart:
        return None
    if any(sent.subject == intent.cart and sent.stage == Stage.CART for sent in case.recipient.sends):
        return Objection(Reason.CART_RULE, None, {"which": "one text"})
    if intent.cart_at and case.moment >= intent.cart_at + CART_WINDOW:
        return Objection(Reason.CART_RULE, None, {"which": "48 hours"})
    return None


@lru_cache(maxsize=4096)
def _lives_in(places: tuple[Any, ...], countries: frozenset[str]) -> bool:
    return any(place.country in countries for place in places)


def still_useful(case: Case) -> Objection | None:
    expires = case.intent.expires_at or _stale_at(case)
    return Objection(Reason.STALE) if expires and expires <= case.moment else None


def _stale_at(case: Case) -> datetime | None:
    """Return when a text comes too late that says nothing about it, where the rules ask for that."""
    intent = case.intent
    if intent.reached_at is None or (intent.when_blocked or case.rules.when_blocked) != WhenBlocked.STALE:
        return None
    return intent.reached_at + STALE_AFTER


# What waiting can heal ---------------------------------------------------------------------------


def quiet_hours(case: Case) -> Objection | None:
    # service texts may go at any hour because their moment is the order's; staff chooses its moments
    service = case.intent.message_class is MessageClass.SERVICE and not case.intent.by_staff
    if service and not case.rules.quiet_service:
        return None
    hours = case.rules.service_hours if service else case.rules.hours
    places = case.recipient.places
    if is_open(case.moment, places, hours, margin=case.margin):
        return None
    until = next_open(case.moment, places, hours, margin=case.margin)
    return Objection(Reason.NEVER_OPEN) if until is None else Objection(Reason.QUIET_HOURS, until)


def caps(case: Case) -> Objection | None:
    """The cap that keeps the text longest, of all that count it."""
    intent, recipient = case.intent, case.recipient
    worst: Objection | None = None
    for cap in case.rules.caps:
        if not cap.counts(intent.flow, intent.priority, intent.stage):
            continue
        objection = _cap(case, cap, _counted(recipient.sends, cap))
        if objection is None:
            continue
        if objection.until is None:
            return objection
        if worst is None or worst.until is None or objection.until > worst.until:
            worst = objection
    return worst


def _counted(texts: Sequence[Sent | Planned], cap: Cap) -> list[datetime]:
    if cap.scope == Scope.ALL:
        return sorted([text.at for text in texts])
    return sorted([text.at for text in texts if cap.counts(text.flow, text.priority, text.stage)])


def _cap(case: Case, cap: Cap, sent: list[datetime]) -> Objection | None:
    free = free_at(sent, cap.limit, cap.length, case.moment)
    if free == case.moment:
        return None
    values = {"limit": cap.limit, "per": cap.window, **({"of": cap.of, "scope": cap.scope} if cap.of else {})}
    return Objection(_CAPS[cap.window], free, values)


def cap_of_preference(case: Case) -> Objection | None:
    limit = case.recipient.per_week
    if limit is None:
        return None
    free = free_at([sent.at for sent in case.recipient.sends], limit, _WEEK, case.moment)
    return None if free == case.moment else Objection(Reason.PREFERENCE_WEEK, free, {"limit": limit, "per": "week"})


def cap_of_law(case: Case) -> Objection | None:
    for limit, window in _law_caps(case.recipient.places):
        free = free_at([sent.at for sent in case.recipient.sends], limit, window, case.moment)
        if free != case.moment:
            return Objection(Reason.CAP_LAW, free, {"limit": limit, "hours": window.total_seconds() / 3600})
    return None


@lru_cache(maxsize=4096)
def _law_caps(places: tuple[Any, ...]) -> tuple[tuple[int, timedelta], ...]:
    found = (law_caps(place.country, place.region) for place in places)
    return tuple(dict.fromkeys(cap for cap in found if cap is not None))


def minimum_gap(case: Case) -> Objection | None:
    sends = case.recipient.sends
    if not sends:
        return None
    rested = rested_at([sent.at for sent in sends], timedelta(minutes=case.rules.minimum_gap), case.moment)
    return None if rested == case.moment else Objection(Reason.MINIMUM_GAP, rested)


def look_ahead(case: Case) -> Objection | None:
    """Leave their places to the more important texts that are planned already: in every cap, and the gap around them.

    They are given their places first, the most important one before all others, as if this text did not exist. If it
    then keeps to all caps and gaps together with them, none of them goes a second later for it.
    """
    planned = case.recipient.planned
    if not planned:
        return None
    horizon = case.moment + timedelta(minutes=case.rules.look_ahead)
    ahead = [text for text in planned if text.rank < case.intent.rank and text.at <= horizon]
    if not ahead:
        return None
    taken: list[Sent | Planned] = list(case.recipient.sends)
    for text in sorted(ahead, key=lambda text: (text.rank, text.at, text.flow)):
        at = _room(case, text, text.at, taken, only_open=True)
        if at is not None:
            taken.append(replace(text, at=at))
    free = _room(case, case.intent, case.moment, taken)
    if free == case.moment:
        return None
    first = min(ahead, key=lambda text: (text.at, text.rank))
    return Objection(Reason.LOOK_AHEAD, free, {"flow": first.flow, "at": first.at.isoformat(), "planned": len(ahead)})


def _room(
    case: Case, text: Planned | Intent, moment: datetime, taken: Sequence[Sent | Planned], *, only_open: bool = False
) -> datetime | None:
    """Return the first moment from ``moment`` on at which ``text`` keeps to the gap and all caps beside ``taken``."""
    gap, hours, places = timedelta(minutes=case.rules.minimum_gap), case.rules.hours, case.recipient.places
    everybody = sorted(other.at for other in taken)
    own = [(cap, _counted(taken, cap)) for cap in case.rules.caps if cap.counts(text.flow, text.priority, text.stage)]
    at: datetime | None = moment
    while at is not None:
        moment = at
        at = rested_at(everybody, gap, at)
        for cap, counted in own:
            at = at and free_at(counted, cap.limit, cap.length, at)
        if at is not None and only_open and not is_open(at, places, hours, margin=case.margin):
            at = next_open(at, places, hours, margin=case.margin)
        if at == moment:
            return moment
    return None


def budget(case: Case) -> Objection | None:
    until = case.situation.broke_until
    return Objection(Reason.BUDGET, until) if until and until > case.moment else None


_ALL = frozenset(MessageClass)
_FLOWS = _ALL - {MessageClass.REPLY}
_MARKETING = frozenset({MessageClass.MARKETING})
_UNASKED = frozenset({MessageClass.MARKETING, MessageClass.OPTIN})

#: What holds for every text, also for an answer.
FIRM = (
    Rule("store", store_is_active, _ALL),
    Rule("panic", panic_switch, _FLOWS),
    Rule("number", has_number, _ALL),
    Rule("consent", consent, _FLOWS),
    Rule("suppression", suppression_list, _FLOWS),
    Rule("unclear_reply", unclear_reply, _UNASKED),
    Rule("handed_over", handed_over, _FLOWS),
    Rule("useful", still_useful, _ALL),
    Rule("country", country, _UNASKED),
    Rule("preference", preference, _MARKETING),
    Rule("open_case", open_case, _MARKETING),
    Rule("recent_buyer", recent_buyer, _MARKETING),
    Rule("in_other_flow", in_other_flow, _MARKETING),
    Rule("cart", cart_rule, _MARKETING),
)
#: What passes with time, and does not hold up an answer to what the person has just written.
PASSING = (
    Rule("quiet_hours", quiet_hours, _UNASKED | {MessageClass.SERVICE}),
    Rule("caps", caps, _MARKETING),
    Rule("preference_week", cap_of_preference, _MARKETING),
    Rule("law_cap", cap_of_law, _MARKETING),
    Rule("gap", minimum_gap, _MARKETING),
    Rule("look_ahead", look_ahead, _MARKETING),
    Rule("budget", budget, _MARKETING),
)
