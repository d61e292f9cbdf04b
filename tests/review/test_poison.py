"""One row that cannot be read stops nobody else, and nothing of it is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from smsflow_plugin.audience.zones import candidate_zones
from smsflow_plugin.engine import advance as advance_module
from smsflow_plugin.engine.advance import advance, next_wake
from smsflow_plugin.engine.facts import Programs
from smsflow_plugin.flows.program import Send, Wait
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.models import Connection, Contact, Delivery, Enrollment, Flow, FlowVersion, Message, Store
from tests.conftest import TestClock
from tests.dispatch.scripted import ScriptedGateway
from tests.engine.helpers import happened, make_flow, pump, texted
from tests.factories import make_contact

Gateway = type[ScriptedGateway]

ADA, BOB = "+12025550101", "+12025550102"


def waiting_run(store: Store, phone: str = ADA) -> Enrollment:
    contact = make_contact(store, phone=phone)
    if not Flow.objects.exists():
        make_flow(store, Wait("w", 1, "hours"), Send("s", {"": "Hello"}))
    happened(store, "opted_in", phone=phone)
    pump()
    return Enrollment.objects.get(contact=contact)


def spoil(**program: Any) -> None:
    """Write something into all versions that no version of this software has written."""
    for version in FlowVersion.objects.all():
        FlowVersion.objects.filter(pk=version.pk).update(program={**version.program, **program})
    Programs._kept.clear()


@pytest.mark.parametrize("program", [{"format": 99}, {"priority": "soon"}, {"audience": {"all": [None]}}])
def test_a_program_that_cannot_be_read_waits_and_stops_nobody_else(
    store: Store, still: TestClock, program: dict[str, Any]
) -> None:
    run = waiting_run(store)
    spoil(**program)
    make_contact(store, phone=BOB)
    make_flow(store, Send("s", {"": "Thanks"}), trigger="order_paid", name="Good", message_class="service")
    happened(store, "order_paid", phone=BOB)
    still.move(hours=1)
    pump()
    assert Message.objects.get().to == BOB
    run.refresh_from_db()
    assert run.status == "waiting"
    assert next_wake() == still.at + advance_module.RETRY
    spoil(format=1, priority="promo", audience={"all": []})  # the newer version is installed again
    still.move(hours=2)
    pump()
    assert Message.objects.filter(to=ADA).count() == 1


@pytest.mark.parametrize("program", [{"format": 99}, {"audience": {"all": [None]}}])
def test_a_program_that_cannot_be_read_keeps_no_stop_from_being_heard(store: Store, program: dict[str, Any]) -> None:
    waiting_run(store)
    spoil(**program)
    texted(store, "STOP", phone=ADA)
    pump()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}
    assert Contact.objects.get().marketing_consent == "revoked"


@pytest.mark.parametrize("state", [{"at": 0, "waiting_until": "soon"}, []])
def test_a_run_whose_state_cannot_be_read_fails_alone(store: Store, still: TestClock, state: Any) -> None:
    bad, good = waiting_run(store), waiting_run(store, BOB)
    Enrollment.objects.filter(pk=bad.pk).update(state=state)
    texted(store, "Hello?", phone=ADA)
    still.move(hours=1)
    pump()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}
    assert Message.objects.get().to == BOB
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.status, good.status) == ("failed", "finished")
    assert next_wake() is None


def test_a_contact_that_breaks_the_batch_is_tried_again_later(store: Store, still: TestClock) -> None:
    waiting_run(store), waiting_run(store, BOB)
    Contact.objects.filter(phone=ADA).update(recent_sends=["yesterday"])
    still.move(hours=1)
    pump()
    assert Message.objects.get().to == BOB
    assert advance() == 0
    assert next_wake() == still.at + advance_module.RETRY
    Contact.objects.filter(phone=ADA).update(recent_sends=[])
    still.move(hours=1)
    pump()
    assert Message.objects.filter(to=ADA).count() == 1


@pytest.mark.parametrize("pause", [{"until": "soon"}, {"until": "2026-03-04T16:00:00"}, "now", {}])
def test_a_pause_that_cannot_be_read_is_none(gateway: Gateway, queue: Any, connection: Connection, pause: Any) -> None:
    Connection.objects.filter(pk=connection.pk).update(settings={"pause": pause})
    queue()
    assert dispatch().accepted == 1


def test_settings_that_are_no_settings_stop_one_store_only(
    gateway: Gateway, queue: Any, connection: Connection, danish_store: Store
) -> None:
    Connection.objects.filter(pk=connection.pk).update(settings=[])
    queue()
    queue(contact=make_contact(danish_store))
    assert dispatch().accepted == 1


def test_a_text_that_cannot_be_decided_on_waits_and_stops_nobody_else(
    gateway: Gateway, queue: Any, still: TestClock
) -> None:
    bad, good = queue(message_class="gossip"), queue()
    assert dispatch().accepted == 1
    assert dispatch().taken == 0
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.state, bad.reason, bad.not_before) == ("queued", "unreadable", still.at + timedelta(hours=1))
    assert good.state == "accepted"


@pytest.mark.parametrize("slots", [None, [3], [["a", "b"]], [[0, 1, 2]], "ab"])
def test_slots_that_cannot_be_read_make_the_text_literal(gateway: Gateway, queue: Any, slots: Any) -> None:
    message = queue("Hi Ada", slots=slots if slots is not None else {})
    queue("Hi Bob", slots=[[3, 6]])
    assert dispatch().accepted == 2
    message.refresh_from_db()
    assert message.state == "accepted"


def test_a_store_in_a_time_zone_that_does_not_exist_gets_one_that_does() -> None:
    zones = candidate_zones(None, timezone="", country="", province="", store_timezone="Mars/Phobos")
    assert zones.names == ("UTC",)


def test_a_run_of_a_store_in_an_unknown_time_zone_does_not_fail(store: Store) -> None:
    Store.objects.update(timezone="Mars/Phobos")
    make_contact(store, phone=None, timezone="", country="").identities.create(store=store, kind="customer", value="7")
    make_flow(store, Wait("w", 1, "days"), Send("s", {"": "Hello"}))
    happened(store, "opted_in", phone=None, customer="7")
    pump()
    assert Enrollment.objects.get().status == "waiting"
