"""What a draft of the rules would have changed about the texts of the last week.

The texts are replayed twice, by the rules that count now and by the draft, and the two are compared: so
that whatever the replay cannot know (a consent that was withdrawn since, say) is the same on both sides.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from smsflow_plugin import clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine.facts import Programs, places
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.engine.people_facts import recipient_of
from smsflow_plugin.events.models import Event
from smsflow_plugin.flows.program import Program, Send
from smsflow_plugin.flows.stages import stage_of
from smsflow_plugin.governance.effective import StoreRules, own_rules, rules_of
from smsflow_plugin.governance.ledger import Decision
from smsflow_plugin.governance.models import Policy
from smsflow_plugin.governance.policy import LONGEST, PolicyRules
from smsflow_plugin.governance.rules import Intent, MessageClass, Reason, Recipient, Sent, Stage
from smsflow_plugin.messaging.gate import ANSWER
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.simulation.replay import Key, Outcome, Past, Text, replay
from smsflow_plugin.stores.models import Store

PERIOD = timedelta(days=7)

#: So many texts are looked at, the newest first; and so many rows of what came before them.
MOST_TEXTS = 5_000
MOST_ROWS = 4 * MOST_TEXTS

#: Why a text was not sent that no setting of a policy changes: such texts are left out.
NOT_BY_POLICY = frozenset(
    {
        Reason.NO_PHONE, Reason.NO_CONSENT, Reason.OPTED_OUT, Reason.AUDIENCE, Reason.MISSING_DATA, Reason.STORE_OFF,
        Reason.FLOW_OFF, Reason.HANDED_OVER, Reason.PANIC, Reason.SUPPRESSED, Reason.UNCLEAR_REPLY,
        Reason.PREFERENCE, Reason.PREFERENCE_WEEK, Reason.INCENTIVE, Reason.BUDGET, Reason.PRICE, Reason.CONVERTED,
        Reason.HOLDOUT,
    }
)  # fmt: skip

#: Two moments closer than this are one: a pump takes its time.
SAME = timedelta(minutes=1)


@dataclass
class Effect:
    """How many of ``texts``, which the rules in force let go, the draft changes, and by which of its rules.

    ``after_all``: those that the rules in force drop and the draft sends. ``cut``: there were more than were looked at.
    """

    since: datetime
    cut: bool = False
    texts: int = 0
    waited: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    earlier: int = 0
    after_all: int = 0
    #: By flow: how many would have waited, and how many been dropped.
    flows: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    @property
    def changes_nothing(self) -> bool:
        return not (self.waited or self.dropped or self.earlier or self.after_all)


def effect_of(draft: Policy, stores: Sequence[Store], now: datetime | None = None) -> Effect:
    """Return what ``draft``, which is of one store or of the site, would have changed in ``stores``.

    The number of queries depends neither on the stores nor on the texts.
    """
    now = now or clock.now()
    effect = Effect(now - PERIOD)
    texts, effect.cut = _texts([store.pk for store in stores], effect.since)
    people = _people(texts, {store.pk: store for store in stores})
    texts = [text for text in texts if text.contact in people]
    before = _outcomes(texts, people, rules_of(stores, keep=False))
    after = _outcomes(texts, people, rules_of(stores, draft=draft))
    _compare(effect, texts, before, after)
    return effect


def _outcomes(texts: Iterable[Text], people: Mapping[int, Past], rules: Mapping[int, StoreRules]) -> dict[Key, Outcome]:
    def rules_for(text: Text) -> PolicyRules:
        return own_rules(rules[text.store].rules, text.intent.flow, *text.limits)

    def rank_of(text: Text) -> int:
        return rules[text.store].rank(text.intent.flow, text.intent.priority, text.number)

    return replay(texts, people, rules_for, rank_of)


def _compare(
    effect: Effect, texts: Iterable[Text], before: Mapping[Key, Outcome], after: Mapping[Key, Outcome]
) -> None:
    for text in texts:
        was, is_now = before[text.key], after[text.key]
        effect.texts += was.sent
        effect.after_all += is_now.sent and not was.sent
        if not was.sent:
            continue
        if not is_now.sent:
            effect.dropped[is_now.reason] += 1
            effect.flows[text.intent.flow]["dropped"] += 1
        elif is_now.at - was.at > SAME:
            effect.waited[is_now.reason] += 1
            effect.flows[text.intent.flow]["waited"] += 1
        elif was.at - is_now.at > SAME:
            effect.earlier += 1


# What happened ------------------------------------------------------------------------------------


def _texts(stores: list[int], since: datetime) -> tuple[list[Text], bool]:
    """Return the newest texts that flows wanted to send, and whether there are more: two queries, and one for programs.

    A text that was put off is one text, wanted when it was first asked for.
    """
    rows = list(
        Decision.objects.filter(store_id__in=stores, at__gte=since)
        .filter(enrollment__isnull=False, enrollment__test_pace=None)
        .exclude(step="")
        .order_by("-at", "-pk")
        .values_list(
            "enrollment_id", "step", "visit", "at", "verdict", "reason", "store_id", "contact_id", "flow_id",
            "message_class", "enrollment__version_id", "enrollment__entered_at",
            "enrollment__trigger_event__subject", "enrollment__trigger_event__occurred_at",
        )[: MOST_ROWS + 1]
    )  # fmt: skip
    first: dict[Key, tuple[Any, ...]] = {}
    skipped: set[Key] = set()
    for row in rows[:MOST_ROWS]:
        key = row[:3]
        if key not in first and row[4] == Decision.Verdict.SKIP and row[5] in NOT_BY_POLICY:
            skipped.add(key)
        # the rows run back in time: the last one of a text is its first
        first[key] = row
    keys = [key for key in first if key not in skipped]
    answers = _answers(stores, since)
    programs = Programs.load(first[key][10] for key in keys)
    texts = [
        _text(first[key], programs[first[key][10]]) for key in keys if key not in answers and first[key][10] in programs
    ]
    return texts[:MOST_TEXTS], len(rows) > MOST_ROWS or len(texts) > MOST_TEXTS


def _answers(stores: list[int], since: datetime) -> set[Key]:
    """Return the texts that answered what somebody had just written: no rule of a policy holds them up."""
    rows = Message.objects.filter(
        store_id__in=stores, queued_at__gte=since, purpose=ANSWER, enrollment_id__isnull=False
    )
    return set(rows.order_by("-pk").values_list("enrollment_id", "step", "visit")[:MOST_ROWS])


def _text(row: tuple[Any, ...], program: Program) -> Text:
    run, step, visit, at, _verdict, _reason, store, contact, flow, message_class, _version, entered, subject, left = row
    send = next((each for each in program.instructions if isinstance(each, Send) and each.step == step), None)
    stage = stage_of(program)
    cart = (subject or "") if stage == Stage.CART else ""
    hold = send.expires_minutes if send else None
    intent = Intent(
        MessageClass(message_class),
        expires_at=at + timedelta(minutes=hold) if hold else None,
        flow=flow or 0,
        priority=program.priority,
        stage=stage,
        when_blocked=(send.when_blocked if send else "") or program.when_blocked,
        reached_at=at,
        cart=cart,
        cart_at=left or entered if cart else None,
    )
    limits = (program.cap_day, program.cap_week, program.own_gap)
    return Text((run, step, visit), contact, at, entered, intent, store, program.priority_number, limits)


def _people(texts: Sequence[Text], stores: Mapping[int, Store]) -> dict[int, Past]:
    """Return what is known of everybody whom the texts are for, in four queries."""
    if not texts:
        return {}
    ids = {text.contact for text in texts}
    start = min(text.wanted for text in texts)
    sends, orders, runs = _sends(ids, start, {text.key for text in texts}), _orders(ids), _runs(ids, start)
    people = {}
    for contact in Contact.objects.filter(pk__in=ids):
        try:
            recipient = recipient_of(contact, places(contact, stores[contact.store_id]), now=clock.now())
        except (TypeError, ValueError):
            continue  # a row that nobody can read
        people[contact.pk] = Past(
            _as_then(recipient), tuple(sends[contact.pk]), tuple(orders[contact.pk]), tuple(runs[contact.pk])
        )
    return people


def _as_then(recipient: Recipient) -> Recipient:
    """Return the person without what may have come later: that they could be texted is known, as they were."""
    return replace(
        recipient,
        has_phone=True,
        marketing_consent=Contact.Consent.GRANTED.value,
        service_consent=Contact.Consent.GRANTED.value,
        sends=(),
        handed_over=False,
        doubtful=False,
        per_week=None,
        refused=frozenset(),
    )


def _sends(ids: set[int], start: datetime, replayed: set[Key]) -> dict[int, list[Sent]]:
    """Return the texts that counted towards caps before those that are replayed, and beside them."""
    rows = (
        Message.objects.filter(contact_id__in=ids, queued_at__gte=start - LONGEST, message_class="marketing")
        .exclude(purpose=ANSWER)
        .exclude(state=Message.State.CANCELLED)
        .filter(flow__isnull=False)
        .order_by("-queued_at", "-pk")
        .values_list(
            "contact_id", "enrollment_id", "step", "visit", "queued_at", "flow_id", "flow__priority", "flow__stage"
        )[:MOST_ROWS]
    )
    found: dict[int, list[Sent]] = defaultdict(list)
    for contact_id, run, step, visit, at, flow_id, priority, stage in reversed(list(rows)):
        if (run, step, visit) not in replayed:
            found[contact_id].append(Sent(at, flow_id, priority, stage))
    return found


def _orders(ids: set[int]) -> dict[int, list[datetime]]:
    rows = Event.objects.filter(contact_id__in=ids, kind="order_created").order_by("-occurred_at", "-pk")
    found: dict[int, list[datetime]] = defaultdict(list)
    for contact_id, at in rows.values_list("contact_id", "occurred_at")[:MOST_ROWS]:
        found[contact_id].append(at)
    return found


def _runs(ids: set[int], start: datetime) -> dict[int, list[tuple[int, datetime, datetime | None]]]:
    rows = Enrollment.objects.filter(contact_id__in=ids).exclude(finished_at__lt=start).order_by("-pk")
    found: dict[int, list[tuple[int, datetime, datetime | None]]] = defaultdict(list)
    for contact_id, flow_id, entered, finished in rows.values_list(
        "contact_id", "flow_id", "entered_at", "finished_at"
    )[:MOST_ROWS]:
        found[contact_id].append((flow_id, entered, finished))
    return found
