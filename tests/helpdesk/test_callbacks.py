"""Only the store's own help desk is heard, and everything that it says is kept once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from smsflow_plugin.integrations.helpdesk import callbacks
from smsflow_plugin.integrations.helpdesk.connecting import MakeHelpDeskSecret, TrustPlainSecret
from smsflow_plugin.models import Connection, Delivery, Store, StoreLogEntry
from tests.conftest import NOON, TestClock
from tests.helpdesk.conftest import Call, told

pytestmark = pytest.mark.django_db


def test_what_it_says_is_stored_to_the_byte_and_without_its_proof(call: Call, store: Store, still: TestClock) -> None:
    assert call(told()) == 200
    delivery = Delivery.objects.get()
    assert (delivery.store, delivery.source, delivery.topic) == (store, "helpdesk", "case_opened")
    assert (delivery.external_id, bytes(delivery.body)) == ("opened-77", json.dumps(told()).encode())
    assert delivery.received_at == NOON
    assert "signature" not in json.dumps(delivery.headers).lower()


def test_the_same_event_is_kept_once(call: Call, still: TestClock) -> None:
    assert [call(told()), call(told()), call(told(id=None)), call(told(id=None))] == [200] * 4
    assert Delivery.objects.count() == 2


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, 200),
        ({"key": "another"}, 401),
        ({"key": ""}, 401),
        ({"ago": 301}, 401),
        ({"ago": -301}, 401),
        ({"ago": 299}, 200),
        ({"headers": {}}, 401),
        ({"headers": {"SMSFlow-Signature": "t=1,v1=" + "0" * 64}}, 401),
        ({"headers": {"SMSFlow-Signature": "v1=nonsense"}}, 401),
        ({"token": "unknown"}, 404),
    ],
)
def test_nobody_else_is_heard(call: Call, still: TestClock, given: dict[str, Any], status: int) -> None:
    assert call(told(), **given) == status
    assert Delivery.objects.exists() == (status == 200)


def test_a_signature_is_for_its_own_body(call: Call, secret: str, still: TestClock) -> None:
    from smsflow_plugin.integrations.helpdesk.signature import signature

    other = signature(secret, json.dumps(told()).encode(), int(NOON.timestamp()))
    assert call(told("closed"), headers={"SMSFlow-Signature": other}) == 401


def test_the_secret_alone_is_proof_only_where_the_store_says_so(
    call: Call, store: Store, secret: str, still: TestClock
) -> None:
    bare = {"SMSFlow-Secret": secret}
    assert call(told(), headers=bare) == 401
    TrustPlainSecret(store, None, trust=True).execute(skip_permission_checks=True)
    assert call(told(), headers=bare) == 200
    assert call(told("closed"), headers={"SMSFlow-Secret": "guessed"}) == 401
    # a signature that is there must be right
    assert call(told("closed"), headers={**bare, "SMSFlow-Signature": "t=1,v1=" + "0" * 64}) == 401
    TrustPlainSecret(store, None, trust=False).execute(skip_permission_checks=True)
    assert call(told("closed"), headers=bare) == 401


def test_a_new_secret_counts_at_once_and_the_old_one_for_a_day(
    call: Call, store: Store, secret: str, still: TestClock
) -> None:
    new = MakeHelpDeskSecret(store, None).execute(skip_permission_checks=True)
    assert [call(told(case=1), key=new), call(told(case=2))] == [200, 200]
    still.move(hours=24)
    assert [call(told(case=3), key=new), call(told(case=4))] == [200, 401]


def test_the_first_secret_has_none_before_it(store: Store, connection: Connection) -> None:
    assert connection.secrets.get("previous_secret", "") == ""
    assert "previous_until" not in connection.settings


def test_the_log_says_that_the_secret_changed_and_never_to_what(store: Store, secret: str) -> None:
    entry = StoreLogEntry.objects.get(store=store, action="smsflow.save_connection")
    assert secret not in json.dumps(entry.data)


def test_what_cannot_be_stored_is_to_be_said_again(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_values: Any) -> bool:
        raise OperationalError("the disk is full")

    monkeypatch.setattr(callbacks, "store_delivery", full)
    assert call(told()) == 503


def test_what_makes_no_sense_is_kept_for_a_person(call: Call, still: TestClock) -> None:
    from smsflow_plugin.engine.ingest import ingest

    bodies: list[Any] = [
        b"{",
        b"[]",
        told(event="merged"),
        told(case=""),
        told(contact={}),
        told(contact={"phone": "none"}, id=5),
        told("opened", at="yesterday", id=6),
        told(event=None, id=7),
    ]
    assert {call(body) for body in bodies} == {200}
    ingest()
    rows = Delivery.objects.order_by("pk")
    assert {row.state for row in rows} == {"parked"}
    assert all(row.reason for row in rows)
    assert "“event” must be one of opened, reopened, updated, closed" in rows[2].reason


def test_only_posts_are_taken(connection: Connection, client: Any) -> None:
    assert client.get(f"/smsflow/helpdesk/{connection.token}/cases/").status_code == 405


def test_a_help_desk_whose_clock_is_wrong_is_refused(call: Call, still: TestClock) -> None:
    assert call(told(), ago=int(timedelta(days=1).total_seconds())) == 401
