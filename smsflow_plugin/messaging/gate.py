"""The last gate: may a queued text still go? Consent, quiet hours and expiry are asked again.

Hours may lie between a decision and the call. Caps are not asked again: the text took
its slot when it was queued.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.zones import candidate_zones
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.governance.decide import decide
from smsflow_plugin.governance.models import Policy
from smsflow_plugin.governance.rules import Decision, Intent, MessageClass, PolicyRules, Reason, Recipient, Verdict
from smsflow_plugin.stores.models import Store

TEST = "test"

#: The purpose of a text that answers what the person has just written.
ANSWER = "answer"

#: The purposes of a test run's texts: they go out although the flow is a draft, and are counted nowhere.
TEST_RUN = "test_run"
TEST_ANSWER = "test_answer"
OF_TESTS = (TEST_RUN, TEST_ANSWER)

#: For how long such a text keeps its privilege in the queue: an answer at night goes at once or in the morning.
ANSWER_IN_QUEUE = timedelta(minutes=15)

#: When a text of a flow that was paused between claiming and asking is looked at again.
PAUSED_RETRY = timedelta(minutes=5)

#: For how long a text may wait for its gateway. After an outage nobody shall get the texts of a
#: week at once, or the answer to a question that they asked yesterday.
LONGEST_IN_QUEUE = {
    MessageClass.MARKETING: timedelta(hours=24),
    MessageClass.SERVICE: timedelta(hours=72),
    MessageClass.OPTIN: timedelta(hours=24),
    MessageClass.REPLY: timedelta(hours=1),
}

_PERSON = ("marketing_consent", "service_consent", "timezone", "country", "province", "handed_over_at")


@dataclass(frozen=True, slots=True)
class Queued:
    """A claimed message, as plain values: making model instances would be half of the work."""

    pk: int
    store_id: int
    contact_id: int | None
    flow_id: int | None
    message_class: str
    purpose: str
    sender: str
    to: str
    body: str
    slots: list[list[int]]
    expires_at: datetime | None
    queued_at: datetime
    not_before: datetime
    batch_id: int | None


@dataclass(frozen=True, slots=True)
class Person:
    """What the gate asks of a contact."""

    marketing_consent: str = Contact.Consent.UNKNOWN.value
    service_consent: str = Contact.Consent.UNKNOWN.value
    timezone: str = ""
    country: str = ""
    province: str = ""
    handed_over_at: datetime | None = None


class Gate:
    """Answers for a batch of messages, from what a few queries have read."""

    def __init__(self, messages: Sequence[Queued], now: datetime) -> None:
        self.now = now
        store_ids = {message.store_id for message in messages}
        self._stores = {store.pk: store for store in Store.objects.filter(pk__in=store_ids)}
        self._rules = {policy.store_id: policy.rules for policy in Policy.objects.filter(store_id__in=store_ids)}
        self._people, self._by_number = _people(messages)
        flows = Flow.objects.filter(pk__in={message.flow_id for message in messages})
        off = flows.filter(Q(live=False) | Q(paused_at__isnull=False)).values_list("pk", "live")
        self._flows_off = {pk for pk, live in off if not live}
        self._flows_paused = {pk for pk, live in off if live}

    def ask(self, message: Queued) -> Decision:
        """Return whether the message may go now, must wait, or must not go any more."""
        if message.flow_id in self._flows_off and message.purpose not in OF_TESTS:
            return Decision(Verdict.SKIP, Reason.FLOW_OFF)
        if message.flow_id in self._flows_paused:
            return Decision(Verdict.DEFER, Reason.FLOW_PAUSED, self.now + PAUSED_RETRY)
        store = self._stores[message.store_id]
        person = self._person(message)
        message_class = MessageClass(message.message_class)
        if message.purpose == TEST:
            if Contact.Consent.REVOKED in (person.marketing_consent, person.service_consent):
                return Decision(Verdict.SKIP, Reason.OPTED_OUT)
            # somebody asked for it just now, to see it at once
            message_class = MessageClass.REPLY
        recipient = Recipient(
            has_phone=bool(message.to),
            marketing_consent=person.marketing_consent,
            service_consent=person.service_consent,
            zones=candidate_zones(
                message.to,
                timezone=person.timezone,
                country=person.country,
                province=person.province,
                store_timezone=store.timezone,
            ).names,
            store_active=store.status == Store.Status.ACTIVE,
            handed_over=_taken_over(message, person),
        )
        rules = self._rules.get(store.pk, PolicyRules())
        expires_at = message.queued_at + LONGEST_IN_QUEUE[message_class]
        if message.expires_at:
            expires_at = min(expires_at, message.expires_at)
        return decide(Intent(message_class, expires_at, self._answers(message)), rules, recipient, self.now)

    def _answers(self, message: Queued) -> datetime | None:
        fresh = message.purpose in (ANSWER, TEST_ANSWER) and self.now - message.queued_at <= ANSWER_IN_QUEUE
        return message.queued_at if fresh else None

    def _person(self, message: Queued) -> Person:
        if message.contact_id is not None:
            return self._people[message.contact_id]
        return self._by_number.get((message.store_id, message.to), Person())


def _taken_over(message: Queued, person: Person) -> bool:
    """Return whether staff took the person over after a flow queued the text: what hands them over may still say so."""
    return bool(message.flow_id and person.handed_over_at and message.queued_at < person.handed_over_at)


def _people(messages: Iterable[Queued]) -> tuple[dict[int, Person], dict[tuple[int, str], Person]]:
    """Return the messages' contacts by id, and those who have the number of a text to nobody in particular."""
    ids, numbers, store_ids = set(), set(), set()
    for message in messages:
        if message.contact_id is not None:
            ids.add(message.contact_id)
        else:
            numbers.add(message.to)
            store_ids.add(message.store_id)
    # without their numbers: reading one takes longer than everything else here
    people = {pk: Person(*own) for pk, *own in Contact.objects.filter(pk__in=ids).values_list("pk", *_PERSON)}
    by_number: dict[tuple[int, str], Person] = {}
    if numbers:
        found = Contact.objects.filter(store_id__in=store_ids, phone__in=numbers)
        for store_id, phone, *own in found.values_list("store_id", "phone", *_PERSON):
            by_number[store_id, str(phone)] = Person(*own)
    return people, by_number
