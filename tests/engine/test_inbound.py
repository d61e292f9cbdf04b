"""Texts from people: STOP, HELP and START do what they say, at once and once."""

from __future__ import annotations

from datetime import timedelta

from smsflow_plugin.flows.program import Send, Wait
from smsflow_plugin.models import ConsentRecord, Contact, Enrollment, Message, Store
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened, kinds, make_flow, pump, texted
from tests.factories import make_contact

ADA = "+12025550101"
BO = "+12025550102"
HELLO = Send("s1", {"": "Hello"})


def contact(phone: str = ADA) -> Contact:
    return Contact.objects.get(phone=phone)


def test_stop_takes_effect_at_once_and_is_answered_once(store: Store, still: TestClock) -> None:
    ada = make_contact(store, phone=ADA, marketing_consent="unknown")
    make_flow(store, HELLO, Wait("w", 1, "days"), HELLO)
    happened(store, "opted_in", consent="granted", at=NOON + timedelta(seconds=1))
    still.move(seconds=2)
    pump()
    queued = Message.objects.get(purpose="flow")
    texted(store, "Stop!")
    pump()
    ada.refresh_from_db()
    queued.refresh_from_db()
    assert (ada.marketing_consent, ada.service_consent) == ("revoked", "revoked")
    assert (queued.state, queued.reason) == ("cancelled", "opted_out")
    assert Enrollment.objects.get().exit_reason == "opted_out"
    reply = Message.objects.get(purpose="keyword")
    assert (reply.to, reply.message_class, reply.state) == (ADA, "reply", "queued")
    assert ConsentRecord.objects.filter(action="revoked").get().wording == "Stop!"
    texted(store, "STOP")
    pump()
    assert Message.objects.filter(purpose="keyword").count() == 1


def test_a_stop_from_a_stranger_is_recorded_and_answered(store: Store) -> None:
    texted(store, "STOP", phone=BO)
    pump()
    assert contact(BO).service_consent == "revoked"
    assert Message.objects.get().to == BO


def test_help_is_answered_at_most_once_an_hour_even_after_stop(store: Store, still: TestClock) -> None:
    texted(store, "STOP")
    for _time in range(3):
        texted(store, "HELP")
    pump()
    still.move(hours=1)
    texted(store, "help")
    pump()
    assert Message.objects.filter(key__startswith="help").count() == 2


def test_start_lets_texts_in_again_and_is_an_opt_in(store: Store, still: TestClock) -> None:
    texted(store, "STOP")
    pump()
    still.move(minutes=1)
    texted(store, "START")
    pump()
    assert (contact().marketing_consent, contact().service_consent) == ("granted", "unknown")
    assert kinds(store)[-1] == "opted_in"


def test_toll_free_numbers_leave_the_answer_to_stop_to_the_network(store: Store) -> None:
    Store.objects.update(sender="+18335550100")
    texted(store, "STOP")
    pump()
    assert contact().service_consent == "revoked"
    assert not Message.objects.exists()


def test_a_word_that_comes_hours_late_does_its_work_but_is_not_answered(store: Store, still: TestClock) -> None:
    make_contact(store, phone=ADA, marketing_consent="granted")
    make_contact(store, phone=BO, marketing_consent="revoked", service_consent="revoked")
    written = still.at
    still.move(hours=10)  # the middle of the night: the list of inbound texts is read, or Sinch calls once more
    texted(store, "STOP", at=written)
    texted(store, "START", phone=BO, at=written)
    texted(store, "HELP", phone="+12025550103", at=written)
    pump()
    assert contact().service_consent == "revoked"
    assert contact(BO).marketing_consent == "granted"
    assert not Message.objects.exists()
