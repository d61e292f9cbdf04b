"""Whether somebody may be written to now, in words: what forbids it, and what makes people think twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from smsflow_plugin.engine import facts, staff_texts
from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.governance.quiet_hours import is_open
from smsflow_plugin.governance.rules import Decision, Reason, Verdict
from smsflow_plugin.models import Contact


@dataclass(frozen=True, slots=True)
class Standing:
    """``forbidden`` is a sentence, empty for people who may be written to. ``warnings`` do not keep anybody from it."""

    forbidden: str = ""
    warnings: tuple[str, ...] = ()


def standing_of(contact: Contact, heard_at: datetime | None, now: datetime) -> Standing:
    """Return how things stand for a text of staff to ``contact``, who last wrote at ``heard_at``."""
    if contact.erased_at:
        return Standing(_("This person was erased: nobody can write to them."))
    decision = staff_texts.may_write(contact, heard_at)
    if not decision.allowed and not _waits(decision):
        return Standing(staff_texts.refusal(decision.reason))
    return Standing(warnings=_warnings(contact, decision, now))


def _waits(decision: Decision) -> bool:
    return decision.verdict is Verdict.DEFER and decision.reason is Reason.QUIET_HOURS and decision.until is not None


def _warnings(contact: Contact, decision: Decision, now: datetime) -> tuple[str, ...]:
    found = []
    if contact.marketing_consent == Contact.Consent.REVOKED:
        found.append(_("They want no marketing: answer what they asked, and advertise nothing."))
    if contact.doubtful_at:
        found.append(_("They may have asked for no more texts. Read what they wrote before you answer."))
    night = {"time": time_of(contact, now), "contact": contact.first_name or str(contact)}
    if decision.until is not None and _waits(decision):
        values = {**night, "morning": time_of(contact, decision.until)}
        found.append(_("It is %(time)s for %(contact)s: quiet hours. A text goes at %(morning)s.") % values)
    elif not _is_open(contact, now):
        found.append(_("It is %(time)s for %(contact)s: quiet hours. They wrote, so an answer goes at once.") % night)
    return tuple(found)


def _is_open(contact: Contact, now: datetime) -> bool:
    store = contact.store
    return is_open(now, facts.places(contact, store), rules_of([store], keep=False)[store.pk].rules.hours)


def time_of(contact: Contact, at: datetime) -> str:
    """Return what the person's clock shows at a moment, as far as anybody knows where they are."""
    local = at.astimezone(ZoneInfo(facts.zone(contact, contact.store)))
    return date_format(local.replace(tzinfo=None), "H:i")
