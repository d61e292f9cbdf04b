"""The parts of the day of a store are learned from its texts, once a night, and shown to whoever sets the rules."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from smsflow_plugin.audience.filters import Facts
from smsflow_plugin.engine.facts import best_hour
from smsflow_plugin.engine.interpreter import State, interpret
from smsflow_plugin.flows.program import Program, Send, Trigger, WaitBestTime
from smsflow_plugin.governance import rules as governance
from smsflow_plugin.governance.effective import StoreRules
from smsflow_plugin.measurement.best_time import Finding, Verdict
from smsflow_plugin.measurement.learning_times import learn, learn_stores, parts_of
from smsflow_plugin.models import Contact, Enrollment, Flow, Message, Policy, Store
from smsflow_plugin.simulation.people import edge_case
from smsflow_plugin.simulation.script import read_script
from smsflow_plugin.simulation.walk import walk
from tests.admin.people import client_of, make_user
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened, make_flow, pump
from tests.factories import make_contact, make_store

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(still: TestClock) -> None:
    """The clock stands still."""


@pytest.fixture
def offer(store: Store) -> Flow:
    flow: Flow = Flow.objects.create(store=store, name="Offer", live=True)
    return flow


def texts(contact: Contact, of: Flow, hour: int, count: int, clicks: int, **values: Any) -> None:
    """Texts that left at this hour in New York a week ago; the first ``clicks`` were clicked ten minutes later."""
    left = (NOON - timedelta(days=7)).replace(hour=hour + 5)
    defaults = {
        "store": contact.store, "contact": contact, "flow": of, "step": "s", "message_class": "marketing",
        "sender": "+12025550100", "to": str(contact.phone), "body": "Hej", "state": "delivered", "queued_at": left,
        "accepted_at": left, "finished_at": left,
    }  # fmt: skip
    started = Message.objects.count()
    Message.objects.bulk_create(
        Message(
            **{"clicked_at": left + timedelta(minutes=10) if number < clicks else None, **defaults, **values},
            enrollment_id=started + number + 1,
        )
        for number in range(count)
    )


def test_the_evening_is_learned_from_what_was_clicked(store: Store, offer: Flow) -> None:
    ada = make_contact(store, timezone="America/New_York")
    for hour, clicks in ((10, 50), (13, 50), (16, 50), (18, 120)):
        texts(ada, offer, hour, 500, clicks)
    assert learn() == 1
    store.refresh_from_db()
    finding = Finding.from_plan(store.send_times)
    assert [(part.hours, part.texts, part.clicks) for part in finding.parts] == [
        ((9, 12), 500, 50), ((12, 15), 500, 50), ((15, 17), 500, 50), ((17, 20), 500, 120),
    ]  # fmt: skip
    assert (finding.verdict, finding.running) == (Verdict.BEST, (3,))
    assert learn() == 0, "once a day"


def test_the_hour_is_that_of_the_person(store: Store, offer: Flow) -> None:
    texts(make_contact(store, timezone="America/Los_Angeles"), offer, 18, 10, 5)
    texts(make_contact(store, timezone=""), offer, 18, 10, 5)  # the store's own: New York
    texts(make_contact(store, timezone="Nowhere/Atlantis"), offer, 10, 10, 5)  # 15:00 in UTC
    learn_stores([store])
    assert [[part.texts, part.clicks] for part in Finding.from_plan(store_now(store).send_times).parts] == [
        [0, 0], [0, 0], [20, 10], [10, 5],
    ]  # fmt: skip


def store_now(store: Store) -> Store:
    return Store.objects.get(pk=store.pk)


@pytest.mark.parametrize(
    "values",
    [
        {"message_class": "service"},
        {"flow": None},
        {"purpose": "test"},
        {"state": "failed"},
        {"clicked_at": NOON - timedelta(days=2)},  # too late: no click of this text's day
    ],
)
def test_what_says_nothing_of_the_hour_is_not_counted(store: Store, offer: Flow, values: dict[str, Any]) -> None:
    ada = make_contact(store)
    texts(ada, offer, 10, 10, 2)
    texts(ada, offer, 13, 10, 2)
    learn_stores([store])
    before = store_now(store).send_times
    texts(ada, offer, 16, 40, 40, **values)
    learn_stores([store])
    clicks = [part.clicks for part in Finding.from_plan(store_now(store).send_times).parts]
    assert clicks == [part.clicks for part in Finding.from_plan(before).parts] == [2, 2, 0, 0]


def test_a_text_of_today_is_not_judged_yet(store: Store, offer: Flow) -> None:
    ada = make_contact(store)
    texts(ada, offer, 10, 10, 2, accepted_at=NOON - timedelta(hours=23))
    texts(ada, offer, 13, 10, 2, queued_at=NOON - timedelta(days=181))
    assert learn_stores([store]) == 0
    assert store_now(store).send_times == {}


def test_stores_are_learned_together_and_apart(store: Store, offer: Flow) -> None:
    ada = make_contact(store)
    texts(ada, offer, 10, 10, 2)
    texts(ada, offer, 13, 10, 2)
    with CaptureQueriesContext(connection) as few:
        learn_stores([store])
    other = make_store(name="Fjord", domain="fjord.myshopify.com", timezone="Europe/Copenhagen")
    flow = Flow.objects.create(store=other, name="Offer", live=True)
    bo = make_contact(other)
    for hour in (6, 8, 10):  # noon, two and four in Copenhagen
        texts(bo, flow, hour, 100, 30)
    texts(ada, offer, 18, 200, 50)
    with CaptureQueriesContext(connection) as many:
        assert learn_stores([store, other]) == 2
    assert len(many) == len(few)
    assert [part.texts for part in Finding.from_plan(store_now(other).send_times).parts] == [0, 200, 100, 0]
    assert [part.texts for part in Finding.from_plan(store_now(store).send_times).parts] == [10, 10, 0, 200]


@pytest.mark.parametrize(
    ("week", "hours"),
    [
        ([(time(9), time(20))] * 7, (9, 20)),
        ([(time(8, 30), time(21, 30))] * 5 + [(time(10), time(18)), None], (9, 21)),
        ([(time(10), time(0))] * 7, (10, 24)),
        ([(time(10), time.max)] * 7, (10, 24)),
    ],
)
def test_parts_lie_within_the_hours_of_most_days(week: Any, hours: tuple[int, int]) -> None:
    parts = parts_of(week)
    assert (parts[0][0], parts[-1][1]) == hours


def test_a_store_that_is_closed_has_no_parts() -> None:
    assert parts_of([None] * 7) == ()


# Who waits ---------------------------------------------------------------------------------------

EVENING = {"parts": [[9, 12], [12, 15], [15, 17], [17, 20]], "running": [3], "explore": 0, "seen": []}


def test_a_flow_waits_for_the_part_that_was_learned(store: Store, settings: Any) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": {"test": "tests.engine.helpers.translate"}}
    Store.objects.update(best_hour=13, send_times=EVENING)
    contact = make_contact(store, phone="+12025550101", active_hours=[0] * 14 + [9] + [0] * 9)
    assert best_hour(contact, store) == 14, "what was learned of the store goes before her own hour"
    make_flow(store, WaitBestTime("w", 24), Send("s", {"": "Hej"}))
    happened(store, "opted_in")
    pump()
    wake_at = Enrollment.objects.get().wake_at
    assert wake_at is not None
    assert 17 <= (wake_at - timedelta(hours=5)).hour < 20


def test_a_preview_says_what_a_live_run_would_do(store: Store) -> None:
    """The same person waits for the same moment in the preview and in the flow."""
    store.send_times = {**EVENING, "explore": 50}
    program = Program((Trigger("opted_in"),), (WaitBestTime("w", 24), Send("s", {"": "Hej"})))
    person = edge_case("example", store)
    inputs, _dropped = read_script([{"do": "next"}])
    walked = walk(program, person, inputs, rules=StoreRules(), store=store, start=NOON)
    [text] = walked.texts
    facts = Facts({}, NOON, key=str(person.contact.uuid), send_times=store.send_times)
    allow = governance.Decision(governance.Verdict.ALLOW, governance.Reason.ALLOWED)
    live = interpret(program, State(), facts, NOON, zone="America/New_York", ask=lambda ask: allow)
    assert text.at == (live.wake_at or NOON)


# What is shown -----------------------------------------------------------------------------------


def panel(store: Store) -> str:
    client = client_of(make_user("ines", "Store admin", store))
    policy = Policy.objects.get(store=store)
    response = client.get(reverse("wagtailsnippets_smsflow_policy:edit", args=[policy.pk]))
    assert response.status_code == 200
    page = BeautifulSoup(response.content, "html.parser")
    found = next(section for section in page.select("section.w-panel") if "Best time to send" in section.get_text())
    return " ".join(found.get_text(" ").split())


def test_the_page_says_that_nothing_is_known(store: Store) -> None:
    assert "Not enough data: no text that went in more than one part of the day has been clicked." in panel(store)


def test_the_page_says_what_is_too_little(store: Store, offer: Flow) -> None:
    Store.objects.update(best_hour=19)
    ada = make_contact(store)
    for hour, clicks in ((10, 50), (13, 49), (16, 60), (18, 120)):
        texts(ada, offer, hour, 500, clicks)
    learn()
    words = panel(store)
    assert "Not enough data: fewer than 50 clicks in a part of the day." in words
    assert "or for 7 p.m., when most people of the store do." in words
    assert "noon–3 p.m. 500 49 10.3% 8.0% to 12.9% Not enough data (49 of 50 clicks)" in words
    assert "5 p.m.–8 p.m. 500 120" in words


def test_the_page_says_what_is_best(store: Store, offer: Flow) -> None:
    ada = make_contact(store)
    for hour, clicks in ((10, 50), (13, 50), (16, 50), (18, 120)):
        texts(ada, offer, hour, 500, clicks)
    learn()
    words = panel(store)
    assert "5 p.m.–8 p.m. is best. Texts that wait for the best time go then" in words
    assert words.count("Not the best") == 3


def test_the_page_does_not_make_up_a_difference(store: Store, offer: Flow) -> None:
    ada = make_contact(store)
    for hour, clicks in ((10, 50), (13, 55), (16, 52), (18, 58)):
        texts(ada, offer, hour, 500, clicks)
    learn()
    words = panel(store)
    assert "No part of the day is clearly the best: what differs can be chance." in words
    assert words.count("May be the best") == 4
