"""What operators tell of people: an opt-out counts, and a number from which somebody writes is alive."""

from __future__ import annotations

import pytest

from smsflow_plugin.audience.suppression import Suppression
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.events.facts import Inbound, Report
from smsflow_plugin.events.reports import Cause, ReportStatus
from smsflow_plugin.flows.program import Send, Wait
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.learning import Failure, learn
from smsflow_plugin.models import ConsentRecord, Contact, Enrollment, Event, Message, Store
from tests.conftest import NOON, TestClock
from tests.dispatch.scripted import ScriptedGateway
from tests.engine.helpers import deliver, happened, make_flow, pump
from tests.factories import make_contact

pytestmark = pytest.mark.django_db
Gateway = type[ScriptedGateway]


def sent_to(contact: Contact, **values: object) -> Message:
    defaults = {
        "store": contact.store, "contact": contact, "message_class": "marketing", "sender": contact.store.sender,
        "to": str(contact.phone), "body": "Sale!",
    }  # fmt: skip
    message = Message.objects.create(**{**defaults, **values})
    dispatch()
    message.refresh_from_db()
    return message


def blocked(message: Message) -> Report:
    assert message.batch is not None
    return Report(
        message.to, ReportStatus.FAILED, NOON, reference=str(message.batch.reference), code=257, cause=Cause.OPTED_OUT
    )


def test_an_opt_out_at_the_operator_is_an_opt_out(gateway: Gateway, store: Store) -> None:
    ada = make_contact(store)
    message = sent_to(ada)
    queued = Message.objects.create(
        store=store, contact=ada, message_class="marketing", sender=store.sender, to=str(ada.phone), body="Later"
    )
    deliver(store, blocked(message))
    assert ingest() == 1
    ada.refresh_from_db(), message.refresh_from_db(), queued.refresh_from_db()
    assert (ada.marketing_consent, ada.service_consent) == ("revoked", "revoked")
    assert (message.state, message.reason, message.error_code) == ("failed", "opted_out_at_carrier", 257)
    assert (queued.state, queued.reason) == ("cancelled", "opted_out")
    line = ConsentRecord.objects.get(source="operator")
    assert (line.action, line.scope, line.evidence) == ("revoked", "all", {"message": message.pk, "code": 257})
    assert Event.objects.filter(contact=ada, kind="opted_out").count() == 1
    assert not Message.objects.filter(purpose="keyword").exists(), "nobody is texted about not being texted"


def test_it_ends_the_persons_runs(gateway: Gateway, store: Store) -> None:
    make_flow(store, Send("s1", {"": "Hello"}), Wait("w", 1, "days"), Send("s2", {"": "Again"}))
    happened(store, "opted_in", consent="granted")
    pump()
    dispatch()
    deliver(store, blocked(Message.objects.get()))
    ingest()
    assert Enrollment.objects.get().exit_reason == "opted_out"


def test_told_twice_it_is_one_opt_out_and_a_later_start_counts(
    gateway: Gateway, store: Store, still: TestClock
) -> None:
    ada = make_contact(store)
    message = sent_to(ada)
    for _times in range(2):
        deliver(store, blocked(message))
        ingest()
    assert ConsentRecord.objects.filter(source="operator").count() == 1
    still.move(hours=1)
    deliver(store, Inbound("in-1", str(ada.phone), store.sender, "START", still.at))
    ingest()
    ada.refresh_from_db()
    assert ada.marketing_consent == "granted"
    deliver(store, blocked(message))
    ingest()
    ada.refresh_from_db()
    assert ada.marketing_consent == "granted"


def test_who_was_never_texted_is_not_opted_out(gateway: Gateway, store: Store, danish_store: Store) -> None:
    ada = make_contact(store)
    message = sent_to(ada)
    deliver(danish_store, blocked(message))
    deliver(store, Report(str(ada.phone), ReportStatus.FAILED, NOON, reference="unknown", cause=Cause.OPTED_OUT))
    ingest()
    ada.refresh_from_db()
    assert ada.marketing_consent == "granted"
    assert not Suppression.objects.exists()


def test_a_number_that_nobody_has_any_more_goes_on_the_list(gateway: Gateway, store: Store) -> None:
    ada = make_contact(store)
    message = sent_to(ada)
    Contact.objects.update(phone="+12025559999")
    deliver(store, blocked(message))
    ingest()
    ada.refresh_from_db()
    assert ada.marketing_consent == "granted", "it is another number"
    assert Suppression.objects.get().last4 == message.to[-4:]


def test_a_text_from_a_number_that_was_believed_dead_takes_it_off_the_list(gateway: Gateway, store: Store) -> None:
    ada = make_contact(store)
    learn([Failure(store.pk, str(ada.phone), Cause.INVALID)], NOON)
    deliver(store, Inbound("in-1", str(ada.phone), store.sender, "Hello?", NOON))
    ingest()
    assert not Suppression.objects.exists()
