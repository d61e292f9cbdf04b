"""Trouble with callbacks and texts, for one phone or for all."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sinch import SinchClient

from smsflow_plugin.integrations.simulator.network import running_network
from smsflow_plugin.integrations.simulator.network.client import NetworkClient
from tests.simulator_network.conftest import ADA, APP, BOB, PLAN, SECRET, SENDER, TOKEN, Listener, SinchApi

SIGNATURE = "x-sinch-webhook-signature"


def test_a_callback_can_come_unsigned_or_forged(
    client: SinchClient, operator: NetworkClient, listener: Listener
) -> None:
    handler = client.conversation.sinch_events(SECRET)
    seen = []
    for kind in ("unsigned", "forged", ""):
        if kind:
            operator.add_fault(kind)
        operator.text_from(ADA, "Hi", to=SENDER, app=APP)
        operator.wait_until_quiet()
        headers, body = listener.calls[-1]
        seen.append((SIGNATURE in headers, handler.validate_authentication_header(headers, body.decode())))
    assert seen == [(False, False), (True, False), (True, True)]


def test_a_callback_can_come_after_the_next_one(operator: NetworkClient, listener: Listener) -> None:
    operator.add_fault("reordered")
    for body in ("first", "second"):
        operator.text_from(ADA, body, to=SENDER)
        operator.wait_until_quiet()
    assert [payload["body"] for payload in listener.payloads] == ["second", "first"]


def test_trouble_can_be_meant_for_one_phone(sinch: SinchApi, operator: NetworkClient, listener: Listener) -> None:
    operator.add_fault("duplicate", phone=BOB)
    operator.add_fault("lost", phone=ADA)
    sinch.send(to=[ADA, BOB], delivery_report="per_recipient_final")
    operator.wait_until_quiet()
    assert [payload["recipient"] for payload in listener.payloads] == [BOB[1:]] * 2


@pytest.mark.parametrize(
    ("behaviour", "status", "code"),
    [
        ("invalid", "Deleted", 11),
        ("blocked", "Rejected", 408),
        ("temporary", "Failed", 404),
        ("landline", "Aborted", 402),
    ],
)
def test_a_phone_can_refuse_in_many_ways(
    sinch: SinchApi, operator: NetworkClient, listener: Listener, behaviour: str, status: str, code: int
) -> None:
    operator.set_behaviour(ADA, behaviour)
    sinch.send(delivery_report="per_recipient_final")
    operator.wait_until_quiet()
    assert [(report["status"], report["code"]) for report in listener.payloads] == [(status, code)]


def test_an_account_without_credit_sends_nothing(sinch: SinchApi, operator: NetworkClient) -> None:
    operator.add_fault("account_blocked")
    assert sinch.send(to=[ADA, BOB]).status_code == 201
    sinch.send(to=[BOB])
    operator.wait_until_quiet()
    assert [(text.state, text.code) for text in operator.all_texts()] == [
        ("aborted", 413),
        ("aborted", 413),
        ("delivered", 0),
    ]


def test_phones_tell_their_channels(operator: NetworkClient) -> None:
    operator.set_channels(ADA, ["RCS", "WHATSAPP"], reads=5)
    (phone,) = operator.phones()
    assert (phone.number, phone.channels, phone.reads) == (ADA, ("SMS", "RCS", "WHATSAPP"), 5)
    with pytest.raises(Exception, match="no channel"):
        operator.set_channels(ADA, ["PIGEON"])


def test_a_file_of_an_earlier_version_is_read_on(tmp_path: Path) -> None:
    path = tmp_path / "network.sqlite3"
    with running_network(path=path) as server:
        NetworkClient(server.url).configure_plan(PLAN, token=TOKEN)
    with sqlite3.connect(path) as sql:
        for table, column in (("texts", "channel"), ("texts", "media"), ("inbounds", "channel"), ("faults", "phone")):
            sql.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    sql.close()
    with running_network(path=path) as server:
        operator = NetworkClient(server.url)
        api = SinchApi(server.url)
        assert api.send().status_code == 201
        api.session.close()
        operator.wait_until_quiet()
        operator.text_from(ADA, "Hi")
        assert [(text.body, text.channel) for text in operator.texts_on(ADA)] == [("Hello", "SMS"), ("Hi", "SMS")]
