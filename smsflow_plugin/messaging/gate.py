"""The last gate: may a queued text still go? Consent, quiet hours and expiry are asked again.

Hours may lie between a decision and the call. Caps are not asked again: the text took
its slot when it was queued, and the slot moves with it (``messaging.places_taken``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from smsflow_plugin.audience import cases
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.places import Place, candidate_places
from smsflow_plugin.audience.preferences import preferences_of
from smsflow_plugin.audience.suppression import suppressed_numbers
from smsflow_plugin.conversations.models import Thread
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.governance import ledger
from smsflow_plugin.governance.decide import decide, margin_of
from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.governance.rules import Decision, Intent, MessageClass, Priority, Reason, Recipient, Verdict
from smsflow_plugin.stores.models import Store

TEST = "test"

#: The purpose of a text that answers what the person has just written.
ANSWER = "answer"

#: The purpose of a text that a person wrote into a conversation.
STAFF = "staff"

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

_PERSON = (
    "marketing_consent", "service_consent", "timezone", "timezone_source", "country", "province", "postcode",
    "handed_over_at", "doubtful_at", "preferences", "last_order_at", "open_case_at", "opt_in_level",
)  # fmt: skip


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
    #: Why it waits, if it was put off before.
    reason: str = ""
    enrollment_id: int | None = None
    step: str = ""
    visit: int = 0
    media_url: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """What the gate asks of a contact."""

    marketing_consent: str = Contact.Consent.UNKNOWN.value
    service_consent: str = Contact.Consent.UNKNOWN.value
    timezone: str = ""
    timezone_source: str = ""
    country: str = ""
    province: str = ""
    postcode: str = ""
    handed_over_at: datetime | None = None
    doubtful_at: datetime | None = None
    preferences: Any = None
    last_order_at: datetime | None = None
    open_case_at: datetime | None = None
    opt_in_level: str = ""


@dataclass(frozen=True, slots=True)
class FlowFacts:
    """What the gate asks of the flow that a message is from."""

    live: bool
    paused_at: datetime | None
    priority: str
    stage: str


NO_FLOW = FlowFacts(True, None, Priority.LIFECYCLE, "")


class Gate:
    """Answers for a batch of messages, from what a few queries have read."""

    def __init__(self, messages: Sequence[Queued], now: datetime) -> None:
        self.now = now
        store_ids = {message.store_id for message in messages}
        self._stores = {store.pk: store for store in Store.objects.filter(pk__in=store_ids)}
        self._rules = rules_of(self._stores.values())
        self._people, self._by_number = _people(messages)
        self._heard = _heard(messages)
        self._suppressed = suppressed_numbers({(message.store_id, message.to) for message in messages})
        self._flows = {
            pk: FlowFacts(*own)
            for pk, *own in Flow.objects.filter(pk__in={message.flow_id for message in messages}).values_list(
                "pk", "live", "paused_at", "priority", "stage"
            )
        }

    def ask(self, message: Queued) -> Decision:
        """Return whether the message may go now, must wait, or must not go any more."""
        flow = self._flows.get(message.flow_id or 0, NO_FLOW)
        if not flow.live and message.purpose not in OF_TESTS:
            return Decision(Verdict.SKIP, Reason.FLOW_OFF)
        if flow.live and flow.paused_at is not None:
            return Decision(Verdict.DEFER, Reason.FLOW_PAUSED, self.now + PAUSED_RETRY)
        person = self._person(message)
        rules = self._rules[message.store_id]
        if message.purpose == TEST and Contact.Consent.REVOKED in (person.marketing_consent, person.service_consent):
            return Decision(Verdict.SKIP, Reason.OPTED_OUT)
        if message.purpose == TEST and (message.store_id, message.to) in self._suppressed:
            return Decision(Verdict.SKIP, Reason.SUPPRESSED)
        if message.purpose == TEST and rules.situation.panic:
            return Decision(Verdict.SKIP, Reason.PANIC)
        intent = self._intent(message, flow)
        return decide(
            intent,
            rules.rules,
            self._recipient(message, person),
            self.now,
            rules.situation,
            margin=margin_of(intent.message_class),
        )

    @property
    def zones(self) -> dict[int, str]:
        """The time zones of the stores whose messages were claimed."""
        return {pk: store.timezone for pk, store in self._stores.items()}

    def ledger_row(self, message: Queued, decision: Decision) -> tuple[Any, ...]:
        """Return what the ledger keeps of an answer."""
        return ledger.row(
            decision,
            self.now,
            store_id=message.store_id,
            contact_id=message.contact_id,
            flow_id=message.flow_id,
            enrollment_id=message.enrollment_id,
            message_id=message.pk,
            step=message.step,
            visit=message.visit,
            message_class=message.message_class,
            policy_id=self._rules[message.store_id].rules.version,
            places=self._places(message, self._person(message)),
        )

    def _intent(self, message: Queued, flow: FlowFacts) -> Intent:
        # somebody asked for a test text just now, to see it at once
        message_class = MessageClass.REPLY if message.purpose == TEST else MessageClass(message.message_class)
        expires_at = message.queued_at + LONGEST_IN_QUEUE[message_class]
        if message.expires_at:
            expires_at = min(expires_at, message.expires_at)
        return Intent(
            message_class,
            expires_at,
            self._answers(message),
            flow=message.flow_id or 0,
            priority=flow.priority,
            stage=flow.stage,
            queued=True,
            by_staff=message.purpose == STAFF,
        )

    def _recipient(self, message: Queued, person: Person) -> Recipient:
        refused, per_week = preferences_of(person.preferences)
        return Recipient(
            has_phone=bool(message.to),
            marketing_consent=person.marketing_consent,
            service_consent=person.service_consent,
            places=self._places(message, person),
            handed_over=_taken_over(message, person, self._flows.get(message.flow_id or 0, NO_FLOW)),
            doubtful=person.doubtful_at is not None,
            suppressed=self._suppressed.get((message.store_id, message.to), ""),
            refused=refused,
            per_week=per_week,
            last_order_at=person.last_order_at,
            open_case=cases.is_open(person.open_case_at, self.now),
            confirmed=person.opt_in_level == "confirmed",
        )

    def _places(self, message: Queued, person: Person) -> tuple[Place, ...]:
        store = self._stores[message.store_id]
        return candidate_places(
            message.to,
            timezone=person.timezone,
            timezone_source=person.timezone_source,
            country=person.country,
            province=person.province,
            postcode=person.postcode,
            store_timezone=store.timezone,
            store_country=store.country,
        )

    def _answers(self, message: Queued) -> datetime | None:
        if message.purpose == STAFF:
            return self._heard.get(message.contact_id)
        fresh = message.purpose in (ANSWER, TEST_ANSWER) and self.now - message.queued_at <= ANSWER_IN_QUEUE
        return message.queued_at if fresh else None

    def _person(self, message: Queued) -> Person:
        if message.contact_id is not None:
            return self._people[message.contact_id]
        return self._by_number.get((message.store_id, message.to), Person())


def _taken_over(message: Queued, person: Person, flow: FlowFacts) -> bool:
    """Return whether staff took the person over after a flow queued the text: what hands them over may still say so.

    News about the person's own order goes on meanwhile.
    """
    if not message.flow_id or person.handed_over_at is None or flow.priority == Priority.SERVICE:
        return False
    return message.queued_at < person.handed_over_at


def _heard(messages: Iterable[Queued]) -> dict[int | None, datetime | None]:
    """Return when the people whom staff writes to wrote last. No statement where staff writes to nobody."""
    ids = {message.contact_id for message in messages if message.purpose == STAFF}
    return dict(Thread.objects.filter(contact_id__in=ids).values_list("contact_id", "heard_at")) if ids else {}


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
