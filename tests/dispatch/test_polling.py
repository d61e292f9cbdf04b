"""Gateways are asked what people wrote, so that a STOP is found whose callback never came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database

from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.events.inbox import store_delivery
from smsflow_plugin.messaging.gateway import Capabilities, GatewayUnavailable, Listed
from smsflow_plugin.messaging.polling import EVERY, OVERLAP, poll_inbounds
from smsflow_plugin.models import Contact, Delivery, InboundPoll, Message, Store
from tests.conftest import TestClock
from tests.dispatch.scripted import ScriptedGateway
from tests.factories import make_contact

pytestmark = pytest.mark.django_db
Gateway = type[ScriptedGateway]


def stop_from(contact: Contact, identifier: str = "A1") -> Listed:
    body = (
        f'{{"type": "mo_text", "id": "{identifier}", "from": "{contact.phone}", "to": "+12025550100", "body": "STOP",'
        ' "received_at": "2026-03-04T15:59:00Z"}'
    )
    return Listed(f"mo_text:{identifier}", "mo_text", body.encode())


@pytest.fixture
def lists(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What the gateway lists: texts, or an exception. ``asked`` gets since when, and whether a transaction was open."""
    found: list[Any] = []

    def inbounds(self: ScriptedGateway, *, since: datetime) -> Iterable[Listed]:
        asked.append((since, database.in_atomic_block))
        for one in found:
            if isinstance(one, Exception):
                raise one
            yield one

    asked.clear()
    gateway.capabilities = Capabilities(lists_inbounds=True)
    monkeypatch.setattr(ScriptedGateway, "inbounds", inbounds)
    yield found


asked: list[tuple[datetime, bool]] = []


def ingest_all() -> None:
    while ingest():
        pass


def test_a_stop_whose_callback_never_came_counts(lists: list[Any], store: Store, still: TestClock) -> None:
    ada = make_contact(store, consent_changed_at=still.at - timedelta(days=1))
    lists.append(stop_from(ada))
    assert poll_inbounds() == 1
    ingest_all()
    ada.refresh_from_db()
    assert (ada.marketing_consent, ada.service_consent) == ("revoked", "revoked")
    assert InboundPoll.objects.get().found == 1


def test_what_a_callback_has_brought_is_not_taken_twice(lists: list[Any], store: Store, still: TestClock) -> None:
    stop = stop_from(make_contact(store, consent_changed_at=still.at - timedelta(days=1)))
    store_delivery(
        store_id=store.pk, source="sinch", external_id=stop.external_id, topic=stop.topic, headers={}, body=stop.body
    )
    lists.append(stop)
    for _times in range(3):
        poll_inbounds()
        ingest_all()
        still.move(seconds=EVERY.total_seconds())
    assert Delivery.objects.count() == 1
    assert Message.objects.filter(purpose="keyword").count() == 1
    assert InboundPoll.objects.get().found == 0


def test_a_gateway_is_asked_once_an_hour_and_for_more_than_is_new(
    lists: list[Any], store: Store, still: TestClock
) -> None:
    store.connections.update(connected_at=still.at - timedelta(days=30))
    assert [poll_inbounds(), poll_inbounds()] == [1, 0]
    first = still.at
    still.move(seconds=EVERY.total_seconds())
    assert poll_inbounds() == 1
    assert asked[0][0] == first - timedelta(days=1) - OVERLAP
    assert asked[1][0] == first - OVERLAP


def test_after_an_outage_it_is_asked_for_all_of_that_time(lists: list[Any], store: Store, still: TestClock) -> None:
    store.connections.update(connected_at=still.at - timedelta(days=30))
    poll_inbounds()
    before = still.at
    still.move(days=3)
    lists.append(GatewayUnavailable("Down."))
    poll_inbounds()
    still.move(days=1)
    lists.clear()
    poll_inbounds()
    assert [since for since, _open in asked[1:]] == [before - OVERLAP] * 2
    still.move(days=40)
    poll_inbounds()
    assert asked[-1][0] == still.at - timedelta(days=13)


def test_what_it_lists_before_it_breaks_off_is_kept(lists: list[Any], store: Store, still: TestClock) -> None:
    lists += [*(stop_from(make_contact(store), f"A{number}") for number in range(500)), GatewayUnavailable("Down.")]
    poll_inbounds()
    assert Delivery.objects.count() == 500
    assert InboundPoll.objects.get().read_until is None


def test_nothing_from_before_the_store_was_connected(lists: list[Any], store: Store, still: TestClock) -> None:
    store.connections.update(connected_at=still.at - timedelta(minutes=10))
    poll_inbounds()
    assert asked[0][0] == still.at - timedelta(minutes=10)


def test_gateways_that_list_nothing_are_left_alone(gateway: Gateway, store: Store, still: TestClock) -> None:
    asked.clear()
    poll_inbounds()
    assert InboundPoll.objects.get().read_until is None
    assert asked == []


def test_one_stores_texts_stay_with_it(lists: list[Any], store: Store, danish_store: Store, still: TestClock) -> None:
    lists.append(stop_from(make_contact(store)))
    assert poll_inbounds() == 2
    assert set(Delivery.objects.values_list("store_id", flat=True)) == {store.pk, danish_store.pk}
    # each store asked its own account; the same id is another text there


def test_it_is_asked_outside_of_any_transaction(
    transactional_db: None, lists: list[Any], store: Store, still: TestClock
) -> None:
    poll_inbounds()
    assert [inside for _since, inside in asked] == [False]
