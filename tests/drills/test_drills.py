"""Fault drills: whatever goes wrong between us and Sinch, each of 300 texts is on its phone exactly once.

The real SDK speaks to the simulated network over real HTTP. The network's callbacks are collected, and handed to the
site in the way that the drill is about.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine.call_alarms import tell_of_calls
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.engine.notices import StaffNotice
from smsflow_plugin.integrations.simulator.network import running_network
from smsflow_plugin.integrations.simulator.network.client import NetworkClient
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.polling import poll_inbounds
from smsflow_plugin.messaging.reconcile import reconcile
from smsflow_plugin.models import Batch, Connection, Contact, Delivery, Message, Store
from smsflow_plugin.stores.roles import STORE_ADMIN
from tests.admin.people import make_user
from tests.conftest import TestClock
from tests.factories import SINCH_SECRET
from tests.simulator_network.conftest import Listener, listener

__all__ = ["listener"]

pytestmark = pytest.mark.django_db

TEXTS, CALLS = 300, 6
Callback = tuple[dict[str, str], bytes]


@dataclass
class World:
    """A store, its network, and the way between them."""

    store: Store
    connection: Connection
    operator: NetworkClient
    listener: Listener
    still: TestClock
    client: Client
    heard: int = 0

    def pass_time(self, **delta: float) -> None:
        """Let time pass, on our clock and on that of the network."""
        self.still.move(**delta)
        self.operator.set_clock(self.still.at)

    def callbacks(self) -> list[Callback]:
        """Wait until the network has said everything, and return what is new of it."""
        self.operator.wait_until_quiet()
        calls = self.listener.calls[self.heard :]
        self.heard = len(self.listener.calls)
        return list(calls)

    def take(self, callbacks: list[Callback]) -> Counter[int]:
        """Hand callbacks to the site and return its answers, by status."""
        path = f"/smsflow/sinch/{self.connection.token}/callbacks/"
        answers: Counter[int] = Counter()
        for headers, body in callbacks:
            own = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
            response = self.client.post(path, body, content_type="application/json", **own)  # type: ignore[arg-type]
            answers[response.status_code] += 1
        while ingest():
            pass
        return answers

    def work(self, take: Callable[[list[Callback]], object], rounds: int = 14) -> None:
        """Let the pumps run until everything has settled."""
        for _round in range(rounds):
            while dispatch().taken:
                pass
            tell_of_calls()
            take(self.callbacks())
            going = Message.objects.filter(state__in=("queued", "sending"))
            if not going.exists():
                return
            self.pass_time(seconds=65)
            reconcile()
            tell_of_calls()

    def on_phones(self) -> Counter[str]:
        return Counter(f"{text.phone} {text.body}" for text in self.operator.all_texts())

    def settled(self, state: str = "delivered") -> None:
        """Check that each text is on its phone once, and that we know it."""
        on_phones = self.on_phones()
        assert len(on_phones) == TEXTS
        assert set(on_phones.values()) == {1}
        assert Counter(Message.objects.values_list("state", flat=True)) == {state: TEXTS}
        assert not Batch.objects.filter(state__in=("sending", "parked")).exists()
        assert not Delivery.objects.filter(state__in=("pending", "parked")).exists()


@pytest.fixture
def world(store: Store, listener: Listener, still: TestClock, settings: Any, client: Client) -> Iterator[World]:
    site = listener.url.removesuffix("/callbacks/")
    settings.SMSFLOW = {**settings.SMSFLOW, "GATEWAY_TIMEOUT": (2, 2), "PUBLIC_URL": site}
    make_user("anna", STORE_ADMIN, store)
    connection = store.connections.get(kind="sinch")
    with running_network(pace=0.0005) as server:
        connection.settings, connection.connected_at = {"base_url": server.url}, still.at
        connection.save()
        operator = NetworkClient(server.url, timeout=30)
        operator.configure_plan(
            connection.account,
            token="token",
            callback_url=f"{site}/smsflow/sinch/{connection.token}/callbacks/",
            callback_secret=SINCH_SECRET,
        )
        operator.set_clock(still.at)
        _fill(store, still)
        yield World(store, connection, operator, listener, still, client)
    smsflow_settings.reload()


def _fill(store: Store, still: TestClock) -> None:
    """Queue 300 texts, as many as make six calls."""
    people = Contact.objects.bulk_create(
        Contact(
            store=store, phone=f"+1202555{number:04d}", country="US", timezone=store.timezone,
            marketing_consent="granted", opt_in_level="confirmed", consent_changed_at=still.at,
        )
        for number in range(1000, 1000 + TEXTS)
    )  # fmt: skip
    Message.objects.bulk_create(
        Message(
            store=store, contact=person, message_class="marketing", sender=store.sender, to=str(person.phone),
            body=f"Sale {index % CALLS}!", queued_at=still.at, not_before=still.at,
        )
        for index, person in enumerate(people)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [
        ("rate_limit", 3),
        ("server_error", 0),
        ("bad_gateway", 0),
        ("timeout_before", 0),  # the connection is reset before the call is taken
        ("timeout_after", 0),  # and after
        ("timeout_before", 3),
        ("timeout_after", 3),
        ("broken_answer", 0),
        ("empty_answer", 0),
    ],
)
def test_calls_that_go_wrong(world: World, kind: str, seconds: float) -> None:
    world.operator.add_fault(kind, operation="send", count=3, seconds=seconds)
    world.work(world.take)
    world.settled()
    assert Message.objects.exclude(reason="").count() == 0


def test_a_list_that_does_not_answer_either(world: World) -> None:
    world.operator.add_fault("timeout_after", operation="send", count=2)
    world.operator.add_fault("server_error", operation="list", count=2)
    world.work(world.take)
    world.settled()


def test_a_wrong_token_is_an_alarm_and_loses_nothing(world: World) -> None:
    world.operator.configure_plan(world.connection.account, token="another")
    for _times in range(3):
        dispatch()
        world.pass_time(minutes=6)
    assert Message.objects.filter(state="queued", reason="gateway_blocked").count() == TEXTS
    world.connection.refresh_from_db()
    assert "blocked_since" in world.connection.settings["pause"]
    assert not world.on_phones()
    world.operator.configure_plan(world.connection.account, token="token", callback_secret=SINCH_SECRET)
    world.work(world.take)
    world.settled()


def test_an_account_that_is_out_of_credit_stops_and_is_an_alarm(world: World) -> None:
    for message in Message.objects.filter(body="Sale 0!"):
        world.operator.set_behaviour(message.to, "undeliverable", seconds=0.01, code=413)
    dispatch()
    world.take(world.callbacks())
    world.connection.refresh_from_db()
    assert "blocked_since" in world.connection.settings["pause"]
    assert Message.objects.filter(state="queued", reason="try_again").count() == TEXTS / CALLS
    for message in Message.objects.filter(body="Sale 0!"):
        world.operator.set_behaviour(message.to, "normal")
    world.work(world.take)
    assert set(Message.objects.values_list("state", flat=True)) == {"delivered"}
    delivered = Counter(text.phone for text in world.operator.all_texts() if text.state == "delivered")
    assert set(delivered.values()) == {1}


def test_texts_that_fail_for_the_moment_come_once(world: World) -> None:
    some = list(Message.objects.filter(body="Sale 1!"))
    for message in some:
        world.operator.set_behaviour(message.to, "undeliverable", seconds=0.01, code=404)
    while dispatch().taken:
        pass
    world.take(world.callbacks())
    for message in some:
        world.operator.set_behaviour(message.to, "normal")
    world.work(world.take)
    assert set(Message.objects.values_list("state", flat=True)) == {"delivered"}
    texts = world.operator.all_texts()
    assert Counter(text.phone for text in texts if text.state == "delivered") == {
        message.to.removeprefix("+") if not texts[0].phone.startswith("+") else message.to: 1
        for message in Message.objects.all()
    }
    assert len(texts) == TEXTS + len(some)


# Callbacks -------------------------------------------------------------------------------------


def test_callbacks_that_come_twice_or_in_any_order(world: World) -> None:
    def shuffled(callbacks: list[Callback]) -> None:
        mixed = callbacks * 2
        random.Random(7).shuffle(mixed)
        assert set(world.take(mixed)) <= {200}

    world.work(shuffled)
    world.settled()
    assert Delivery.objects.count() == TEXTS


def test_callbacks_that_come_late(world: World) -> None:
    world.operator.add_fault("late", count=100, seconds=4000)
    world.work(world.take, rounds=2)
    world.pass_time(hours=2)
    world.work(world.take)
    world.settled()


def test_callbacks_that_are_not_sinchs_change_nothing(world: World) -> None:
    while dispatch().taken:
        pass
    genuine = world.callbacks()
    unsigned = [
        ({name: value for name, value in headers.items() if "signature" not in name}, body) for headers, body in genuine
    ]
    forged = [(headers, _as_failed(body)) for headers, body in genuine]
    assert set(world.take(unsigned)) == set(world.take(forged)) == {401}
    assert Counter(Message.objects.values_list("state", flat=True)) == {"accepted": TEXTS}
    assert set(world.take(genuine)) == {200}
    world.settled()
    assert set(world.take(genuine)) == {200}, "a replay is known already"
    world.pass_time(minutes=10)
    assert set(world.take(genuine)) == {401}, "and later it is refused"
    world.settled()


def _as_failed(body: bytes) -> bytes:
    return json.dumps({**json.loads(body), "status": "Failed", "code": 300}).encode()


def test_stops_whose_callbacks_never_came_are_found(world: World) -> None:
    while dispatch().taken:
        pass
    world.take(world.callbacks())
    people = list(Contact.objects.order_by("pk")[:150])
    world.operator.add_fault("lost", count=120)
    for person in people:
        world.operator.text_from(str(person.phone), "STOP", to=world.store.sender)
    world.take(world.callbacks())
    assert Contact.objects.filter(marketing_consent="revoked").count() == 30
    world.pass_time(minutes=1)
    assert poll_inbounds() == 1
    while ingest():
        pass
    assert Contact.objects.filter(marketing_consent="revoked").count() == 150
    assert Delivery.objects.filter(topic="mo_text").count() == 150, "each of them once"
    assert Message.objects.filter(purpose="keyword").count() == 150, "and one answer for each"


def test_a_network_that_nobody_can_ask_is_an_alarm_and_nothing_is_sent_twice(world: World) -> None:
    world.operator.add_fault("timeout_after", operation="send", count=2)
    world.operator.add_fault("lost", count=2 * TEXTS // CALLS)
    world.operator.add_fault("server_error", operation="list", count=1000)
    world.work(world.take)
    for _hour in range(26):
        world.pass_time(hours=1)
        reconcile()
    tell_of_calls()
    assert Batch.objects.filter(state="parked").count() == 2
    notice = StaffNotice.objects.get()
    assert (notice.to, notice.key.startswith("parked:")) == (["anna@example.com"], True)
    assert Counter(Message.objects.values_list("state", flat=True)) == {
        "delivered": TEXTS - 2 * TEXTS // CALLS,
        "sending": 2 * TEXTS // CALLS,
    }
    assert set(world.on_phones().values()) == {1}
