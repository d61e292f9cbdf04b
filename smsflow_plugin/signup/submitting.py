"""What happens when somebody sends a form: the guard is asked, the attempt kept, and the request put into the inbox."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from smsflow_plugin import clock
from smsflow_plugin.audience.opt_in_rules import needs_confirmation
from smsflow_plugin.callers import connection_of
from smsflow_plugin.events.inbox import store_delivery
from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.signup import storage
from smsflow_plugin.signup.guard import LET_IN, Attempt, Outcome, judge
from smsflow_plugin.signup.models import DisclosureVersion, OptInAttempt, OptInForm
from smsflow_plugin.signup.numbers import Number
from smsflow_plugin.signup.translate import FORM, JOIN
from smsflow_plugin.stores.crypto import keyed_hash
from smsflow_plugin.stores.models import Store


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a post came from, for the proof of consent."""

    ip: str
    user_agent: str
    page: str
    referrer: str


@dataclass(frozen=True, slots=True)
class Submission:
    """A form that was filled in rightly, with the box ticked. ``nonce`` names the page that was handed out."""

    number: Number
    version: DisclosureVersion
    nonce: str
    caller: Caller
    first_name: str = ""
    email: str = ""
    is_bot: bool = False


def must_confirm(form: OptInForm, number: Number) -> bool:
    asked_for = rules_of([form.store], keep=False)[form.store_id].rules.double_opt_in_countries
    if asked_for & {number.region, form.store.country}:
        return True
    return needs_confirmation(form.level, number_country=number.region, store_country=form.store.country)


def submit(form: OptInForm, submission: Submission) -> Outcome:
    """Take a form, and return what came of it. Sent twice, it is the same form.

    Attempts of one store go one after the other, or several workers could each see the last free place.
    """
    now = clock.now()
    attempt = _attempt(submission, now)
    key = f"{form.token}:{submission.nonce}:{attempt.phone_hash[:16]}"
    with transaction.atomic():
        Store.objects.select_for_update(no_key=True).filter(pk=form.store_id).values_list("pk").first()
        before = OptInAttempt.objects.filter(form=form, key=key).values_list("outcome", flat=True).first()
        if before is not None:
            return Outcome(before)
        outcome = _judge(form, submission, attempt)
        OptInAttempt.objects.create(
            store_id=form.store_id, form=form, at=now, phone_hash=attempt.phone_hash, prefix=attempt.prefix,
            country=attempt.country, dial_code=attempt.dial_code, ip_hash=attempt.ip_hash, outcome=outcome.value,
            key=key,
        )  # fmt: skip
        if outcome in LET_IN:
            store_delivery(
                store_id=form.store_id,
                source=FORM,
                external_id=key,
                topic=JOIN,
                headers={},
                body=json.dumps(_body(form, submission, outcome, now)).encode(),
            )
    return outcome


def _judge(form: OptInForm, submission: Submission, attempt: Attempt) -> Outcome:
    if submission.is_bot:
        return Outcome.BOT
    return judge(
        storage.held(form.store_id, attempt),
        paused=storage.is_paused(form.store_id, attempt),
        must_confirm=must_confirm(form, submission.number),
    )


def _attempt(submission: Submission, now: datetime) -> Attempt:
    number = submission.number
    return Attempt(
        now,
        keyed_hash("phone", number.e164),
        number.prefix,
        number.region,
        number.dial_code,
        keyed_hash("ip", connection_of(submission.caller.ip)),
    )


def _body(form: OptInForm, submission: Submission, outcome: Outcome, now: datetime) -> dict[str, Any]:
    version, caller = submission.version, submission.caller
    return {
        "phone": submission.number.e164,
        "first_name": submission.first_name,
        "email": submission.email,
        "language": version.language,
        "tags": list(form.tags),
        "at": now.isoformat(),
        "must_confirm": outcome is Outcome.ASKED,
        "form_name": form.name,
        "programme": form.programme,
        "terms_url": form.terms_url,
        "disclosure": version.text,
        "evidence": {
            "form": form.token,
            "form_name": form.name,
            "programme": form.programme,
            "version": version.sha256,
            "language": version.language,
            "checkbox": "ticked by the person",
            "ip": caller.ip,
            "user_agent": caller.user_agent,
            "page": caller.page,
            "referrer": caller.referrer,
        },
    }
