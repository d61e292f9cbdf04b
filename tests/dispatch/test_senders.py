"""A store's senders in the queue: each leaves through its own connection, and none holds up another."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from smsflow_plugin.engine.gateway_alarms import tell_of_blocked
from smsflow_plugin.messaging.actions import SendTestText
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.gateway import Accepted, Capabilities, OutboundText, Outcome, RateLimited, Rejected
from smsflow_plugin.messaging.sender_actions import DeleteSender, SaveSender
from smsflow_plugin.messaging.settling import WITHOUT_PICTURE
from smsflow_plugin.models import Connection, Contact, Message, Pace, Sender, StaffNotice, Store
from tests.conftest import NOON, TestClock
from tests.dispatch.conftest import Queue
from tests.dispatch.scripted import ScriptedGateway, texts_of
from tests.factories import make_contact

pytestmark = pytest.mark.django_db
Gateway = type[ScriptedGateway]

SECOND = "+12025550177"


@pytest.fixture
def other(store: Store, gateway: Gateway, settings: Any) -> Connection:
    """A second connection of the store, with a number of its own."""
    gateways = {**settings.SMSFLOW["GATEWAYS"], "sinch_conversation": "tests.dispatch.scripted.ScriptedGateway"}
    settings.SMSFLOW = {**settings.SMSFLOW, "GATEWAYS": gateways}
    connection = Connection.objects.create(store=store, kind="sinch_conversation", account="project")
    Sender.objects.create(store=store, connection=connection, address=SECOND, channel="rcs")
    return connection


def connections() -> dict[str, str]:
    """Through what each text went, by its words."""
    rows = Message.objects.filter(state="accepted").values_list("body", "batch__connection__kind")
    return dict(rows)


def test_each_sender_leaves_through_its_own_connection(gateway: Gateway, queue: Queue, other: Connection) -> None:
    queue("own")
    queue("second", sender=SECOND)
    queue("gone", sender="+12025550999")
    dispatch()
    assert connections() == {"own": "sinch", "second": "sinch_conversation", "gone": "sinch"}
    assert {call.body: call.channel for call in gateway.calls} == {"own": "sms", "second": "rcs", "gone": "sms"}


@pytest.mark.parametrize("outcome", [RateLimited(30), Rejected("No credit.", fatal=True)])
def test_a_connection_that_rests_holds_up_no_other(
    gateway: Gateway, queue: Queue, other: Connection, still: TestClock, outcome: Outcome
) -> None:
    gateway.answer = staticmethod(lambda text: outcome if text.sender == SECOND else Accepted(text.reference))
    queue("second", sender=SECOND)
    dispatch()
    queue("own")
    queue("again", sender=SECOND)
    result = dispatch()
    assert connections() == {"own": "sinch"}
    assert result.taken == 1, "what rests is not even claimed"
    assert result.next_at is not None and result.next_at > NOON
    gateway.answer = None
    still.at = result.next_at
    while dispatch().taken:
        pass
    assert connections().keys() == {"own", "second", "again"}


def test_the_default_connection_may_rest_while_another_sends(
    gateway: Gateway, queue: Queue, other: Connection, store: Store
) -> None:
    gateway.answer = staticmethod(lambda text: RateLimited(30) if text.sender != SECOND else Accepted(text.reference))
    queue("own")
    dispatch()
    queue("own again")
    queue("gone", sender="+12025550999")
    queue("second", sender=SECOND)
    assert dispatch().taken == 1
    assert connections() == {"second": "sinch_conversation"}


def test_a_number_that_is_none_fails_alone(gateway: Gateway, queue: Queue) -> None:
    good = [queue("Sale") for _n in range(3)]
    for bad in ("", "12025550123", "+1", "+12025550123456789", "+1202555012x", "+0123456789"):
        queue("Sale", to=bad)
    dispatch()
    (call,) = gateway.calls
    assert sorted(call.recipients) == sorted(message.to for message in good)
    failed = Message.objects.exclude(pk__in=[message.pk for message in good])
    assert set(failed.values_list("state", "reason", "finished_at", "batch")) == {("failed", "bad_number", NOON, None)}


def test_a_gateway_without_parameters_gets_a_call_for_each_text(gateway: Gateway, queue: Queue) -> None:
    gateway.capabilities = Capabilities(parameters=False)
    ada, bob = queue("Hi Ada, come", slots=[[3, 6]]), queue("Hi Bob, come", slots=[[3, 6]])
    same = [queue("Hi", slots=[[0, 2]]) for _n in range(2)]
    dispatch()
    assert [call.parameters for call in gateway.calls] == [{}] * 3
    read = {number: words for call in gateway.calls for number, words in texts_of(call).items()}
    assert read == {ada.to: "Hi Ada, come", bob.to: "Hi Bob, come", **{message.to: "Hi" for message in same}}


def test_a_gateway_that_takes_one_person_at_a_time_gets_them_one_by_one(gateway: Gateway, queue: Queue) -> None:
    gateway.max_recipients = 1
    for _n in range(5):
        queue("Sale")
    dispatch()
    assert [len(call.recipients) for call in gateway.calls] == [1] * 5


def test_a_picture_goes_where_number_and_gateway_carry_it_and_is_left_out_elsewhere(
    gateway: Gateway, queue: Queue, other: Connection
) -> None:
    gateway.capabilities = Capabilities(media=True)
    picture = "https://example.com/tea.png"
    queue("own", media_url=picture)
    queue("second", sender=SECOND, media_url=picture)
    queue("without", sender=SECOND)
    dispatch()
    assert {call.body: call.media_url for call in gateway.calls} == {"own": "", "second": picture, "without": ""}
    notes = dict(Message.objects.values_list("body", "batch__detail"))
    assert notes == {"own": WITHOUT_PICTURE, "second": "", "without": ""}


def test_texts_that_travel_differently_share_no_call(gateway: Gateway, queue: Queue, other: Connection) -> None:
    gateway.capabilities = Capabilities(media=True)
    for values in (
        {},
        {"message_class": "service"},
        {"message_class": "reply"},
        {"sender": SECOND},
        {"sender": SECOND, "media_url": "https://example.com/a.png"},
        {"sender": SECOND, "media_url": "https://example.com/b.png"},
    ):
        queue("Hi", **values)
        queue("Hi", **values)
    dispatch()
    assert [len(call.recipients) for call in gateway.calls] == [2] * 6
    assert sum(call.marketing for call in gateway.calls) == 4


def test_an_incident_is_told_once_and_a_new_one_anew(gateway: Gateway, queue: Queue, still: TestClock) -> None:
    gateway.answer = staticmethod(lambda text: Rejected("413: blocked", fatal=True))
    queue()
    for _round in range(4):
        dispatch()
        assert tell_of_blocked(still.at) == (_round == 0)
        still.move(minutes=5)
    notice = StaffNotice.objects.get()
    assert "413: blocked" in notice.body
    gateway.answer = None
    assert dispatch().accepted == 1
    still.move(hours=3)
    assert tell_of_blocked(still.at) == 0
    gateway.answer = staticmethod(lambda text: Rejected("401", fatal=True))
    queue("later", queued_at=still.at, not_before=still.at)
    dispatch()
    assert tell_of_blocked(still.at) == 1
    assert StaffNotice.objects.count() == 2


def test_a_gateway_that_complains_slows_its_number_down_and_no_other(
    gateway: Gateway, queue: Queue, other: Connection, still: TestClock
) -> None:
    gateway.answer = staticmethod(lambda text: RateLimited(1) if text.sender == SECOND else Accepted(text.reference))
    for _n in range(3):
        queue("second", sender=SECOND)
        queue("own")
    dispatch()
    pace = Pace.objects.get()
    assert (pace.connection, pace.address, pace.slowed_to, pace.slowed_at) == (other, SECOND, 50, NOON)
    gateway.answer = None
    still.move(seconds=1)
    for _n in range(200):
        queue("more", sender=SECOND, queued_at=still.at, not_before=still.at)
    dispatch()
    assert Message.objects.filter(sender=SECOND, state="accepted").count() == 75, "a second and a half at 50 a second"


def test_what_only_did_not_connect_slows_nothing_down(gateway: Gateway, queue: Queue) -> None:
    gateway.answer = staticmethod(lambda text: RateLimited(15, too_fast=False))
    queue()
    dispatch()
    assert not Pace.objects.exists()
    assert Connection.objects.get(kind="sinch").settings["pause"]


def test_an_answer_does_not_wait_for_the_calls_of_a_promotion(
    gateway: Gateway, queue: Queue, store: Store, still: TestClock
) -> None:
    """Each call takes a tenth of a second, and somebody asks for help in the middle."""
    gateway.max_recipients = 1
    for _n in range(60):
        queue("Sale", priority=2001)

    def slowly(text: OutboundText) -> Outcome:
        still.move(seconds=0.1)
        if len(gateway.calls) == 15:
            queue("Help!", message_class="reply", priority=0, queued_at=still.at, not_before=still.at)
        return Accepted(text.reference)

    gateway.answer = staticmethod(slowly)
    while dispatch().taken:
        pass
    order = [call.body for call in gateway.calls]
    assert order.index("Help!") <= 15 + 11, "it waits a second at most"
    assert order.count("Sale") == 60


def test_texts_that_wait_follow_when_a_sender_is_switched_off_or_deleted(
    gateway: Gateway, queue: Queue, other: Connection, store: Store
) -> None:
    queue("second", sender=SECOND)
    sender = Sender.objects.get()
    sender.active = False
    SaveSender(sender).execute(skip_permission_checks=True)
    assert Message.objects.get().sender == store.sender
    Message.objects.update(sender=SECOND)
    DeleteSender(sender).execute(skip_permission_checks=True)
    assert Message.objects.get().sender == store.sender
    dispatch()
    assert connections() == {"second": "sinch"}


def test_the_stores_own_sender_cannot_be_switched_off(store: Store, danish_store: Store) -> None:
    with pytest.raises(ValidationError):
        SaveSender(Sender(store=store, address=store.sender, active=False)).execute(skip_permission_checks=True)
    foreign = Connection.objects.filter(store=danish_store, kind="sinch").get()
    with pytest.raises(ValidationError):
        SaveSender(Sender(store=store, address="+1202555", connection=foreign)).execute(skip_permission_checks=True)
    assert not Sender.objects.exists()


def test_a_test_text_comes_from_the_sender_that_was_chosen(store: Store, other: Connection) -> None:
    def sent(**values: Any) -> str:
        action = SendTestText(store, to="+4520123456", body="Hi", **values)
        return action.execute(skip_permission_checks=True).sender

    assert sent(sender=SECOND) == SECOND
    assert sent(sender=store.sender) == store.sender
    with pytest.raises(ValidationError):
        sent(sender="+12025550999")
    Contact.objects.filter(pk=make_contact(store, phone="+4520123456").pk).update(sender=store.sender)
    assert sent() == store.sender
