"""What operators tell of people: that they want no texts. It is an opt-out like any other, and stops what is queued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import F, Q

from smsflow_plugin.audience.consent import REVOKED, Consent
from smsflow_plugin.audience.suppression import Suppression, lift_learned, suppress
from smsflow_plugin.engine.writing import Entry
from smsflow_plugin.events.facts import Happening, Inbound, Person, PersonFact, Report
from smsflow_plugin.events.reports import Cause
from smsflow_plugin.messaging.learning import SOURCE
from smsflow_plugin.messaging.models import FormerCall, Message
from smsflow_plugin.messaging.reports import calls_of

#: Where the consent ledger says that it heard of it.
OPERATOR = "operator"


def opt_outs(reports: Sequence[tuple[int, Report]], now: datetime) -> list[Entry]:
    """Return the opt-outs in these (store id, report) pairs as facts about the people.

    Only reports on texts that we sent count. Where nobody has the number any more, it goes on the suppression list.
    """
    said = [pair for pair in reports if pair[1].cause is Cause.OPTED_OUT]
    if not said:
        return []
    texts = _texts(said)
    entries, strangers = [], []
    for store_id, report in said:
        for message_id, is_theirs in texts.get((store_id, report.reference, report.to), ()) or texts.get(
            (store_id, report.provider_id, report.to), ()
        ):
            if is_theirs:
                entries.append(Entry(None, store_id, _fact(message_id, report)))
            else:
                strangers.append((store_id, report.to))
    suppress(strangers, Suppression.Reason.OPTED_OUT_ELSEWHERE, source=SOURCE, now=now)
    return entries


def _texts(said: Sequence[tuple[int, Report]]) -> Mapping[tuple[int, str, str], list[tuple[int, bool]]]:
    """Return (message, whether its contact still has the number) by store, name of the call, and number."""
    names: dict[int, tuple[int, tuple[str, ...]]] = {
        pk: (store_id, tuple(name for name in (str(reference), provider_id) if name))
        for pk, store_id, reference, provider_id in calls_of(said).values_list(
            "pk", "store_id", "reference", "provider_id"
        )
    }
    numbers = {report.to for _store_id, report in said}
    found: dict[tuple[int, str, str], list[tuple[int, bool]]] = {}
    now_in = Message.objects.filter(batch_id__in=names, to__in=numbers).values_list("batch_id", "pk", "to")
    were_in = FormerCall.objects.filter(batch_id__in=names, message__to__in=numbers).values_list(
        "batch_id", "message_id", "message__to"
    )
    rows = [*now_in, *were_in]
    theirs = set(
        Message.objects.filter(Q(contact__phone=F("to")), pk__in={pk for _batch, pk, _to in rows}).values_list(
            "pk", flat=True
        )
    )
    for batch_id, pk, to in rows:
        store_id, known_as = names[batch_id]
        for name in known_as:
            found.setdefault((store_id, name, to), []).append((pk, pk in theirs))
    return found


def _fact(message_id: int, report: Report) -> PersonFact:
    key = f"operator:{message_id}"
    evidence = {"message": message_id, "code": report.code}
    consent = Consent(REVOKED, "all", OPERATOR, report.at, key=key, evidence=evidence)
    happening = Happening("opted_out", key, report.at, data={"source": OPERATOR})
    return PersonFact(Person(phone=report.to), (consent,), (happening,))


def alive(inbounds: Sequence[tuple[int, Inbound]], now: datetime) -> None:
    """Take numbers off the suppression list that we had learnt to be dead, and from which somebody has just written."""
    lift_learned({(store_id, inbound.sender) for store_id, inbound in inbounds}, SOURCE, now)
