"""Sinch's list of inbound texts, read to its end, as the callbacks that would have told of them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from smsflow_plugin import clock
from smsflow_plugin.events.facts import Inbound, RawDelivery, StoreInfo
from smsflow_plugin.integrations.simulator.network.client import NetworkClient
from smsflow_plugin.integrations.sinch import gateway as module
from smsflow_plugin.integrations.sinch.callbacks import identify
from smsflow_plugin.integrations.sinch.gateway import SinchGateway
from smsflow_plugin.integrations.sinch.translate import translate
from smsflow_plugin.messaging.gateway import CannotSearch, GatewayUnavailable
from tests.simulator_network.conftest import Listener
from tests.sinch.conftest import ADA, PLAN, SENDER, GatewayMaker


def an_hour_ago() -> object:
    return clock.now() - timedelta(hours=1)


def test_what_people_wrote_is_listed_as_their_callbacks_have_it(
    gateway: SinchGateway, operator: NetworkClient, listener: Listener
) -> None:
    operator.configure_plan(PLAN, token="api-token-that-nobody-may-log", callback_url=listener.url)
    operator.text_from(ADA, "STOP 🛑", to=SENDER)
    operator.wait_until_quiet()
    (listed,) = gateway.inbounds(since=an_hour_ago())  # type: ignore[arg-type]
    (called,) = (body for _headers, body in listener.calls)
    assert (listed.topic, listed.external_id) == identify(called)
    raw = RawDelivery("sinch", listed.topic, listed.external_id, {}, listed.body, clock.now())
    ours, theirs = (
        translate(RawDelivery("sinch", "", "", {}, body, raw.received_at), StoreInfo("US", "UTC", "en", "USD")).facts[0]
        for body in (listed.body, called)
    )
    assert ours == theirs
    assert isinstance(ours, Inbound)
    assert ours.body == "STOP 🛑"


def test_all_pages_are_read(gateway: SinchGateway, operator: NetworkClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE_SIZE", 3)
    for number in range(10):
        operator.text_from(ADA, f"Text {number}", to=SENDER)
    bodies = {json.loads(listed.body)["body"] for listed in gateway.inbounds(since=an_hour_ago())}  # type: ignore[arg-type]
    assert bodies == {f"Text {number}" for number in range(10)}


def test_older_texts_are_left_out(gateway: SinchGateway, operator: NetworkClient) -> None:
    operator.text_from(ADA, "Old", to=SENDER)
    operator.advance_clock(7200)
    operator.text_from(ADA, "New", to=SENDER)
    found = list(gateway.inbounds(since=clock.now() + timedelta(hours=1)))
    assert [json.loads(listed.body)["body"] for listed in found] == ["New"]


def test_a_network_that_cannot_be_asked_is_no_empty_list(gateway_at: GatewayMaker, gateway: SinchGateway) -> None:
    with pytest.raises(GatewayUnavailable):
        list(gateway_at("http://127.0.0.1:9").inbounds(since=clock.now()))
    with pytest.raises(GatewayUnavailable):
        list(gateway_at(gateway._settings["base_url"], api_token="wrong").inbounds(since=clock.now()))


def test_a_call_from_before_sinchs_list_begins_is_not_said_to_be_missing(gateway: SinchGateway) -> None:
    with pytest.raises(CannotSearch):
        gateway.find("ref-1", since=clock.now() - timedelta(days=14))
