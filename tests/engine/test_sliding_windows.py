"""Days of several workers on PostgreSQL: whatever was sent is counted by brute force, in every window that slides."""

from __future__ import annotations

import os
import random
import threading
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest

from smsflow_plugin.audience.places import candidate_places
from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.flows.program import Reentry, Send, Wait
from smsflow_plugin.governance.policy import PolicyRules
from smsflow_plugin.governance.quiet_hours import is_open
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.gateway import Accepted, OutboundText, Outcome, RateLimited
from smsflow_plugin.models import Contact, Message, Policy, Store
from tests.conftest import TestClock
from tests.engine.helpers import happened, make_flow
from tests.engine.test_concurrency import together
from tests.factories import make_contact

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="DATABASE_URL names no PostgreSQL"
    ),
]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PEOPLE, ROUNDS, WORKERS = 16, 27, 3
GAP = 90
#: By what the windows are: (texts, length) for all flows together, for promotions, and for each flow.
OF_ALL, OF_PROMOS, OF_EACH = ((1, HOUR), (2, DAY), (5, 7 * DAY)), (2, 7 * DAY), (1, DAY)


def busiest(times: list[datetime], window: timedelta) -> int:
    """Return how many of ``times`` at most lie in any stretch that is shorter than ``window``."""
    return max((sum(1 for at in times if first <= at < first + window) for first in times), default=0)


def test_no_person_ever_gets_more_than_the_caps_in_any_window_that_slides(
    store: Store, still: TestClock, gateway: Any
) -> None:
    """Days in rounds of minutes to hours. The gateway is out for a while, the number is slow, texts wait over night."""
    dice = random.Random(4)
    Policy.objects.update(
        caps=[
            {"limit": 1, "window": "hour"},
            {"limit": 2, "window": "day"},
            {"limit": 5, "window": "week"},
            {"limit": 2, "window": "week", "scope": "priority", "of": "promo"},
        ],
        minimum_gap=GAP,
        look_ahead=600,
        texts_per_second="4",
    )
    kinds = {"opted_in": "lifecycle", "browsed": "lifecycle", "order_paid": "promo", "order_created": "promo"}
    for kind, priority in kinds.items():
        steps = (Send("a", {"": kind}), Wait("w", 5, "hours"), Send("b", {"": kind}))
        make_flow(store, *steps, name=kind, trigger=kind, priority=priority, cap_day=1, reentry=Reentry("always"))
    people = [make_contact(store, phone=f"+1202555{n:04d}") for n in range(100, 100 + PEOPLE)]
    out = threading.Event()

    def answer(text: OutboundText) -> Outcome:
        return RateLimited(900) if out.is_set() else Accepted(f"id-{text.reference}")

    gateway.answer = staticmethod(answer)

    def work() -> None:
        for _look in range(2):
            while ingest(7) + advance(5):
                pass
            dispatch(11)

    for round_ in range(ROUNDS):
        # every third stretch of time nothing is taken, and much has piled up when it is over
        out.set() if round_ % 9 in (3, 4) else out.clear()
        for contact in dice.sample(people, 7):
            happened(store, dice.choice(list(kinds)), phone=str(contact.phone))
        together(work, workers=WORKERS)
        still.move(minutes=dice.choice((1, 7, 20, 55, 61, 90, 240, 600, 840)))
    _check(people)


def _check(people: list[Contact]) -> None:
    sent: dict[int, list[tuple[datetime, int, str]]] = defaultdict(list)
    texts = Message.objects.filter(state="accepted", message_class="marketing").order_by("accepted_at", "pk")
    for contact, at, flow, name in texts.values_list("contact_id", "accepted_at", "flow_id", "flow__name"):
        sent[contact].append((at, flow, name))
    assert sum(map(len, sent.values())) > PEOPLE * 2, "there was something to count"
    late = Message.objects.filter(state="accepted").extra(where=["accepted_at - queued_at > interval '1 hour'"])
    assert late.count() > 5, "texts have waited in the queue"
    rules = PolicyRules()
    for contact in people:
        own = sent[contact.pk]
        times = [at for at, _flow, _name in own]
        for limit, window in OF_ALL:
            assert busiest(times, window) <= limit, (window, own)
        for before, after in zip(times, times[1:], strict=False):
            assert after - before >= timedelta(minutes=GAP), own
        promos = [at for at, _flow, name in own if name.startswith("order")]
        assert busiest(promos, OF_PROMOS[1]) <= OF_PROMOS[0], own
        for flow in {flow for _at, flow, _name in own}:
            assert busiest([at for at, one, _name in own if one == flow], OF_EACH[1]) <= OF_EACH[0], own
        places = candidate_places(
            str(contact.phone), timezone=contact.timezone, timezone_source=contact.timezone_source,
            country=contact.country, province="", postcode="", store_timezone=contact.store.timezone,
            store_country=contact.store.country,
        )  # fmt: skip
        assert all(is_open(at, places, rules.hours) for at in times), own
