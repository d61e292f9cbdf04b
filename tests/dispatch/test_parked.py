"""Calls that nobody can answer for wait for a person, and their texts are never sent again by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from smsflow_plugin.engine.call_alarms import tell_of_calls
from smsflow_plugin.engine.notices import StaffNotice
from smsflow_plugin.events.facts import Report
from smsflow_plugin.events.reports import ReportStatus
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.gateway import CannotSearch, Unknown
from smsflow_plugin.messaging.parked import AnswerForCall
from smsflow_plugin.messaging.reconcile import reconcile
from smsflow_plugin.messaging.reports import apply_reports
from smsflow_plugin.models import Batch, Contact, Message, Store, StoreLogEntry
from smsflow_plugin.stores.roles import AGENCY, STORE_ADMIN, SUPPORT
from tests.admin.people import client_of, make_user
from tests.conftest import TestClock
from tests.dispatch.conftest import Queue
from tests.dispatch.scripted import ScriptedGateway

pytestmark = pytest.mark.django_db
Gateway = type[ScriptedGateway]


@pytest.fixture
def parked(gateway: Gateway, queue: Queue, still: TestClock) -> Iterator[Message]:
    """A text in a call that was cut off, whose gateway has not answered for a day."""
    message = queue(expires_at=still.at + timedelta(days=3), message_class="service")
    gateway.answer = staticmethod(lambda text: Unknown("timed out"))
    dispatch()
    gateway.answer, gateway.unavailable = None, True
    _ask_for(hours=25, still=still)
    gateway.unavailable = False
    message.refresh_from_db()
    yield message


def _ask_for(*, hours: int, still: TestClock) -> None:
    for _hour in range(hours):
        still.move(hours=1)
        reconcile()


def call_of(message: Message) -> Batch:
    message.refresh_from_db()
    assert message.batch is not None
    return message.batch


def test_a_call_is_parked_after_a_day_without_an_answer(gateway: Gateway, parked: Message, still: TestClock) -> None:
    call = call_of(parked)
    assert (call.state, call.detail) == ("parked", "The network is down.")
    assert (parked.state, parked.reason) == ("sending", "parked")
    _ask_for(hours=48, still=still)
    assert (dispatch().taken, len(gateway.calls)) == (0, 1)
    assert call_of(parked).state == "parked"


def test_all_calls_of_a_silent_gateway_are_parked(gateway: Gateway, queue: Queue, still: TestClock) -> None:
    gateway.answer = staticmethod(lambda text: Unknown("timed out"))
    for number in range(5):
        queue(f"Text {number}")
        dispatch()
        still.move(seconds=20)
    gateway.unavailable = True
    _ask_for(hours=26, still=still)
    assert set(Batch.objects.values_list("state", flat=True)) == {"parked"}


def test_a_gateway_that_cannot_be_searched_is_given_an_hour_for_its_reports(
    gateway: Gateway, queue: Queue, still: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(self: ScriptedGateway, reference: str, *, since: datetime) -> None:
        raise CannotSearch("It has no list.")

    monkeypatch.setattr(ScriptedGateway, "find", find)
    message = queue()
    gateway.answer = staticmethod(lambda text: Unknown("timed out"))
    dispatch()
    still.move(minutes=2)
    reconcile()
    assert call_of(message).state == "sending"
    _ask_for(hours=2, still=still)
    assert call_of(message).state == "parked"


def test_a_late_report_still_settles_it(parked: Message, still: TestClock) -> None:
    call = call_of(parked)
    report = Report(parked.to, ReportStatus.DELIVERED, still.at, reference=str(call.reference), provider_id="theirs")
    apply_reports([(parked.store_id, report)], still.at)
    call = call_of(parked)
    assert (parked.state, parked.reason) == ("delivered", "")
    assert (call.state, call.provider_id) == ("accepted", "theirs")


def test_a_person_says_that_it_was_sent(gateway: Gateway, parked: Message, store: Store) -> None:
    anna = make_user("anna", STORE_ADMIN, store)
    AnswerForCall(call_of(parked), anna, answer="sent", note="In their dashboard.").execute()
    assert call_of(parked).state == "accepted"
    assert (parked.state, parked.reason) == ("accepted", "")
    assert (dispatch().taken, len(gateway.calls)) == (0, 1)
    entry = StoreLogEntry.objects.get(action="smsflow.answer_for_call")
    assert (entry.user, entry.data["answer"], entry.data["note"]) == (anna, "sent", "In their dashboard.")


def test_a_person_says_that_it_was_not_sent(gateway: Gateway, parked: Message, store: Store) -> None:
    AnswerForCall(call_of(parked), make_user("anna", AGENCY, store), answer="not_sent").execute()
    assert call_of(parked).state == "returned"
    assert (parked.state, parked.reason) == ("queued", "said_not_sent")
    assert dispatch().accepted == 1
    assert len(gateway.calls) == 2


@pytest.mark.parametrize(("change", "state"), [("opted_out", "cancelled"), ("too_old", "expired")])
def test_what_goes_back_is_asked_about_anew(
    gateway: Gateway, parked: Message, still: TestClock, change: str, state: str
) -> None:
    AnswerForCall(call_of(parked), answer="not_sent").execute(skip_permission_checks=True)
    if change == "opted_out":
        Contact.objects.update(service_consent="revoked", marketing_consent="revoked")
    else:
        still.move(days=4)
    dispatch()
    parked.refresh_from_db()
    assert (parked.state, len(gateway.calls)) == (state, 1)


def test_nobody_answers_twice(parked: Message) -> None:
    call = call_of(parked)
    AnswerForCall(call, answer="sent").execute(skip_permission_checks=True)
    with pytest.raises(ValidationError, match="known already"):
        AnswerForCall(call, answer="not_sent").execute(skip_permission_checks=True)
    assert call_of(parked).state == "accepted"


def test_only_who_may_change_calls_of_this_store_answers(parked: Message, store: Store, danish_store: Store) -> None:
    for user in (make_user("sam", SUPPORT, store), make_user("bo", STORE_ADMIN, danish_store)):
        with pytest.raises(PermissionDenied):
            AnswerForCall(call_of(parked), user, answer="sent").execute()


def test_its_people_are_told_once(parked: Message, store: Store, danish_store: Store, still: TestClock) -> None:
    make_user("anna", STORE_ADMIN, store), make_user("bo", STORE_ADMIN, danish_store), make_user("sam", SUPPORT, store)
    assert (tell_of_calls(), tell_of_calls()) == (1, 0)
    still.move(days=2)
    assert tell_of_calls() == 0
    notice = StaffNotice.objects.get()
    assert (notice.store, notice.to) == (store, ["anna@example.com"])
    assert "1 call to the gateway was cut off" in notice.body
    assert "/smsflow/calls/" in notice.body


def test_a_letter_more_for_a_call_more(
    parked: Message, gateway: Gateway, queue: Queue, store: Store, still: Any
) -> None:
    make_user("anna", STORE_ADMIN, store)
    tell_of_calls()
    queue("Another")
    gateway.answer = staticmethod(lambda text: Unknown("timed out"))
    dispatch()
    gateway.unavailable = True
    _ask_for(hours=26, still=still)
    assert tell_of_calls() == 1


# The screen ------------------------------------------------------------------------------------


def test_the_list_shows_what_waits_and_the_page_says_what_is_known(parked: Message, store: Store) -> None:
    client = client_of(make_user("anna", STORE_ADMIN, store))
    page = client.get(reverse("smsflow_parked_calls:index")).content.decode()
    assert "Hi Ada" in page
    assert "The network is down." in page
    assert "Unanswered calls (1 waits)" in page
    page = client.get(reverse("smsflow_parked_calls:inspect", args=[call_of(parked).pk])).content.decode()
    assert "Say what became of it" in page
    assert str(call_of(parked).reference) in page


def test_a_person_answers_on_the_page(parked: Message, store: Store) -> None:
    client = client_of(make_user("anna", STORE_ADMIN, store))
    url = reverse("smsflow_parked_calls:answer", args=[call_of(parked).pk])
    assert "get their text twice" in client.get(url).content.decode()
    assert client.post(url, {"answer": "", "note": ""}).status_code == 200
    response = client.post(url, {"answer": "not_sent", "note": "Not in their list."}, follow=True)
    assert "back in the queue" in response.content.decode()
    assert call_of(parked).state == "returned"
    assert "known already" in client.get(url, follow=True).content.decode()


def test_who_may_not_answer_does_not_see_the_page(parked: Message, store: Store, danish_store: Store) -> None:
    url = reverse("smsflow_parked_calls:answer", args=[call_of(parked).pk])
    assert client_of(make_user("bo", STORE_ADMIN, danish_store)).get(url).status_code == 404
    assert client_of(make_user("sam", SUPPORT, store)).post(url, {"answer": "sent"}).status_code in (302, 403, 404)
    assert call_of(parked).state == "parked"


def test_the_list_asks_the_same_number_of_questions_however_much_waits(
    parked: Message, gateway: Gateway, queue: Queue, store: Store
) -> None:
    client = client_of(make_user("anna", STORE_ADMIN, store))
    url = reverse("smsflow_parked_calls:index")
    client.get(url)
    made = []
    for _times in range(2):
        with CaptureQueriesContext(database) as queries:
            client.get(url)
        made.append(len(queries))
        connection = store.connections.get(kind="sinch")
        for _call in range(5):
            batch = Batch.objects.create(store=store, connection=connection, state="parked", size=1)
            queue("Other", batch=batch, state="sending")
    assert made[0] == made[1]
