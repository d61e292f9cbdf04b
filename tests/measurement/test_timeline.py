"""The timeline answers: why was, or wasn't, this person texted?"""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin import clock
from smsflow_plugin.governance.rules import Reason
from smsflow_plugin.measurement.entry import Cursor, Entry, Kind
from smsflow_plugin.measurement.reasons import TROUBLE, WHY, decision_sentence, left_sentence, why
from smsflow_plugin.measurement.telling import CONSENT_SOURCES
from smsflow_plugin.measurement.timeline import timeline
from smsflow_plugin.messaging.settling import Trouble
from smsflow_plugin.models import Decision, Event
from tests.admin.rows import Rows, fill
from tests.factories import make_contact, said

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("still")]


@pytest.fixture
def rows(still: Any, store: Any) -> Rows:
    return fill(store)


def told(rows: Rows) -> list[Entry]:
    return timeline(rows.contact, limit=50)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words(reason: Reason) -> None:
    assert reason in WHY
    sentence = why(reason, "America/New_York")
    assert sentence != reason.value
    assert "%(" not in sentence


@pytest.mark.parametrize("trouble", list(Trouble))
def test_every_trouble_with_the_gateway_has_words(trouble: Trouble) -> None:
    assert trouble in TROUBLE


def test_everything_stands_newest_first(rows: Rows) -> None:
    entries = told(rows)
    assert [entry.kind for entry in entries] == [
        Kind.REDEEMED, Kind.EFFECT, Kind.EVENT, Kind.DECISION, Kind.MESSAGE, Kind.ENTERED, Kind.CONSENT, Kind.EVENT
    ]  # fmt: skip
    assert sorted((entry.at for entry in entries), reverse=True) == [entry.at for entry in entries]


def test_a_text_stands_with_the_decisions_that_led_to_it(rows: Rows) -> None:
    message = next(entry for entry in told(rows) if entry.kind is Kind.MESSAGE)
    assert [said.sentence for said in message.decisions] == [
        "Put off until 02:00 on Wednesday: quiet hours in America/New_York.",
        "Allowed: no rule objects.",
    ]
    assert message.detail == "Delivered at 02:00."
    assert "welcome, Grace" in message.text


def test_a_text_that_was_not_sent_says_why(rows: Rows) -> None:
    decision = next(entry for entry in told(rows) if entry.kind is Kind.DECISION)
    assert decision.title == "Not sent: the limit for 24 hours is reached."


def test_a_text_put_off_to_another_day_names_the_day_in_the_persons_zone() -> None:
    at = clock.now()  # Wednesday, 11:00 in New York
    decision = {
        "verdict": "defer", "reason": "quiet_hours", "at": at, "until": at + timedelta(hours=22), "notes": [],
        "enrollment_id": 1, "flow_id": 1,
    }  # fmt: skip
    sentence = decision_sentence(decision, "America/New_York")
    assert sentence == "Put off until 09:00 on Thursday: quiet hours in America/New_York."


def test_somebody_who_was_not_let_into_a_flow_is_told_so(rows: Rows) -> None:
    Decision.objects.create(
        store=rows.store, contact=rows.contact, flow=rows.flow, at=clock.now(), verdict="skip", reason="reentry"
    )
    titles = [entry.title for entry in told(rows)]
    assert "Did not enter the flow: the person was in this flow too short a time ago." in titles


def test_a_left_flow_names_the_event_that_ended_it(rows: Rows) -> None:
    rows.enrollment.status, rows.enrollment.exit_reason = "exited", "event:order_created"
    rows.enrollment.finished_at = clock.now()
    rows.enrollment.save()
    left = next(entry for entry in told(rows) if entry.kind is Kind.LEFT)
    assert (left.title, left.detail) == ("Left “Welcome”", "This happened: Order placed.")
    assert left_sentence("exited", "A word of the flow's own.") == "A word of the flow's own."


def test_an_opt_out_that_the_ledger_tells_is_told_once(rows: Rows) -> None:
    Event.objects.create(
        store=rows.store, contact=rows.contact, kind="opted_in", key=rows.consent.key, occurred_at=clock.now()
    )
    Event.objects.create(
        store=rows.store, contact=rows.contact, kind="opted_in", key="another", occurred_at=clock.now()
    )
    events = [entry for entry in told(rows) if entry.title == "Agreed to marketing texts"]
    assert [entry.kind for entry in events] == [Kind.EVENT, Kind.CONSENT]


def test_pages_join_without_a_gap_or_a_repetition_even_at_one_moment(rows: Rows) -> None:
    for number in range(7):
        Event.objects.create(
            store=rows.store, contact=rows.contact, kind="order_paid", key=str(number), occurred_at=clock.now()
        )
    whole = told(rows)
    pages: list[Entry] = []
    before: Cursor | None = None
    while page := timeline(rows.contact, limit=3, before=before):
        pages += page
        before = Cursor.parse(str(page[-1].cursor))
    assert pages == whole


@pytest.mark.parametrize("text", ["", "x", "2026-03-04T16:00:00~1~2", "2026-03-04T16:00:00+00:00~1"])
def test_a_cursor_that_somebody_made_up_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Cursor.parse(text)


def test_the_number_of_queries_does_not_depend_on_what_happened(rows: Rows) -> None:
    def count(contact: Any) -> int:
        contact = type(contact).objects.select_related("store").get(pk=contact.pk)
        with CaptureQueriesContext(connection) as queries:
            timeline(contact, limit=50)
        return len(queries)

    few = count(rows.contact)
    for number in range(60):
        Event.objects.create(
            store=rows.store, contact=rows.contact, kind="order_paid", key=str(number), occurred_at=clock.now()
        )
        Decision.objects.create(
            store=rows.store, contact=rows.contact, enrollment=rows.enrollment, step=str(number), at=clock.now(),
            verdict="skip", reason="stale", message_class="marketing",
        )  # fmt: skip
    rows.message.pk = None
    rows.message.step = "s9"
    rows.message.save()
    assert count(rows.contact) == few <= 15  # eleven sources, their decisions, what came of texts, and names of flows


def run(*args: str) -> str:
    out = StringIO()
    call_command("smsflow_timeline", *args, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("shop", ["Sierra Gear", "sierra gear", "sierra-gear.myshopify.com"])
def test_the_command_prints_what_the_page_shows(rows: Rows, shop: str) -> None:
    text = run("--store", shop, "--contact", str(rows.contact.phone))
    for entry in told(rows):
        assert entry.title in text
    assert "Put off until 02:00 on Wednesday: quiet hours in America/New_York." in text


def test_the_command_speaks_json(rows: Rows) -> None:
    data = json.loads(run("--store", str(rows.store.pk), "--contact", str(rows.contact.phone), "--json"))
    assert data["contact"]["phone"] == str(rows.contact.phone)
    assert [entry["title"] for entry in data["entries"]] == [entry.title for entry in told(rows)]


@pytest.mark.parametrize(
    ("shop", "contact", "problem"),
    [
        ("Nowhere", "+12025550111", "There is no store “Nowhere”. The stores are: Sierra Gear."),
        ("Sierra Gear", "+12025559999", "Sierra Gear has no contact “+12025559999”"),
        ("Sierra Gear", "grace@example.com", "Several contacts of Sierra Gear match"),
    ],
)
def test_the_command_says_what_is_wrong(rows: Rows, shop: str, contact: str, problem: str) -> None:
    make_contact(rows.store, email="grace@example.com")
    with pytest.raises(CommandError, match=problem.replace("+", r"\+")):
        run("--store", shop, "--contact", contact)


@pytest.mark.parametrize("source", ["staff", "keyword", "shopify_customer", "shopify_checkout"])
def test_where_consent_was_given_is_told_in_words(rows: Rows, source: str) -> None:
    said(rows.contact, source=source)
    told_of_it = next(entry for entry in told(rows) if entry.kind is Kind.CONSENT)
    assert told_of_it.detail.split(" · ")[0] == str(CONSENT_SOURCES[source]) != source
