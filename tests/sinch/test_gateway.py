"""Every way that a call to Sinch can end, told apart by whether it may have been taken."""

from __future__ import annotations

import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from smsflow_plugin import clock
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.events.reports import Cause
from smsflow_plugin.integrations.simulator.network import NetworkServer
from smsflow_plugin.integrations.simulator.network.client import NetworkClient
from smsflow_plugin.integrations.sinch.gateway import SinchGateway, with_parameters
from smsflow_plugin.messaging.gateway import (
    Accepted,
    GatewayUnavailable,
    RateLimited,
    Rejected,
    Unknown,
    gateway_for,
)
from tests.conftest import TestClock
from tests.sinch.conftest import ADA, API_TOKEN, BOB, PLAN, SENDER, GatewayMaker, text


def since() -> datetime:
    return clock.now() - timedelta(minutes=1)


def batch_of(network: NetworkServer, outcome: object) -> dict[str, Any]:
    assert isinstance(outcome, Accepted)
    return network.network.batches.get(PLAN, outcome.provider_id)


def test_a_text_is_accepted_with_all_that_we_need_back(gateway: SinchGateway, network: NetworkServer) -> None:
    expires = clock.now() + timedelta(hours=1)
    batch = batch_of(network, gateway.send(text(expires_at=expires)))
    assert batch["to"] == [ADA[1:]]
    assert batch["from"] == SENDER[1:]
    assert batch["body"] == "Hello"
    assert batch["client_reference"] == "ref-1"
    assert batch["delivery_report"] == "per_recipient_final"
    assert batch["callback_url"] == f"{smsflow_settings.PUBLIC_URL}/smsflow/sinch/path-token/callbacks/"
    assert datetime.fromisoformat(batch["expire_at"]) - expires < timedelta(seconds=1)


def test_an_end_later_than_sinch_allows_is_left_to_sinch(gateway: SinchGateway, network: NetworkServer) -> None:
    batch = batch_of(network, gateway.send(text(expires_at=clock.now() + timedelta(days=30))))
    life = datetime.fromisoformat(batch["expire_at"]) - datetime.fromisoformat(batch["created_at"])
    assert life <= timedelta(days=3, seconds=1)


def test_everybody_gets_their_own_words(gateway: SinchGateway, operator: NetworkClient) -> None:
    parameters = {ADA: ("Ada", "10%"), BOB: ("Bob ${p1}", "")}
    outcome = gateway.send(text(body="Hi ${p0}, ${p1} off!", recipients=(ADA, BOB), parameters=parameters))
    assert isinstance(outcome, Accepted)
    operator.wait_until_quiet()
    assert {one.phone: one.body for one in operator.all_texts()} == {
        ADA: "Hi Ada, 10% off!",
        BOB: "Hi Bob ${p1},  off!",
    }


@pytest.mark.parametrize(
    "body", ["Win ${prize}!", "${p0}", "$${x}", "${", "a ${p7} b ${} $ {x}", "${dollar}", "${${p0}}"]
)
def test_a_dollar_sign_and_a_brace_are_only_words(gateway: SinchGateway, operator: NetworkClient, body: str) -> None:
    assert isinstance(gateway.send(text(body=body)), Accepted)
    operator.wait_until_quiet()
    assert [(one.body, one.state) for one in operator.all_texts()] == [(body, "delivered")]


def test_our_own_placeholders_stay_among_literal_ones() -> None:
    body, parameters = with_parameters(text(body="${p0} ${p1} ${p00} ${x}", parameters={ADA: ("Ada",)}))
    assert body == "${p0} ${dollar}p1} ${dollar}p00} ${dollar}x}"
    assert parameters == {"p0": {ADA: "Ada"}, "dollar": {"default": "${"}}


def test_a_thousand_people_are_one_call(gateway: SinchGateway, operator: NetworkClient) -> None:
    numbers = tuple(f"+1202555{n:04d}" for n in range(1000))
    outcome = gateway.send(
        text(body="Hi ${p0}", recipients=numbers, parameters={number: (number[-4:],) for number in numbers})
    )
    assert isinstance(outcome, Accepted)
    statistics = operator.wait_until_quiet()
    assert (statistics["calls"], statistics["recipients"]) == ({"send": {"201": 1}}, 1000)
    assert all(one.body == f"Hi {one.phone[-4:]}" for one in operator.all_texts())


def test_what_sinch_would_refuse_is_refused_by_name_and_without_a_call(
    gateway: SinchGateway, operator: NetworkClient
) -> None:
    many = tuple(f"+1202555{n:04d}" for n in range(1001))
    assert isinstance(gateway.send(text(recipients=many)), Rejected)
    long = gateway.send(text(recipients=(ADA, BOB), parameters={ADA: ("x",), BOB: ("x" * 161,)}))
    assert isinstance(long, Rejected)
    assert (long.recipients, long.fatal, long.cause) == ((BOB,), False, Cause.UNKNOWN)
    missing = gateway.send(text(recipients=(ADA, BOB), parameters={ADA: ("x",)}))
    assert isinstance(missing, Rejected)
    assert missing.recipients == (BOB,)
    assert operator.statistics()["calls"] == {}


def test_a_bad_number_is_named_and_its_digits_are_not_repeated(gateway: SinchGateway) -> None:
    outcome = gateway.send(text(recipients=(ADA, "+0001234567", BOB)))
    assert isinstance(outcome, Rejected)
    assert (outcome.recipients, outcome.cause) == (("+0001234567",), Cause.INVALID)
    assert not outcome.fatal
    assert "to[1]" in outcome.detail
    assert "1234567" not in outcome.detail


def test_wrong_credentials_are_fatal(network: NetworkServer, operator: NetworkClient, gateway_at: GatewayMaker) -> None:
    outcome = gateway_at(network.url, api_token="wrong").send(text())
    assert isinstance(outcome, Rejected)
    assert outcome.fatal


def test_a_rate_limit_is_waited_for_and_nothing_was_sent(gateway: SinchGateway, operator: NetworkClient) -> None:
    operator.add_fault("rate_limit", seconds=7)
    assert gateway.send(text()) == RateLimited(7.0)
    operator.add_fault("rate_limit")
    assert gateway.send(text()) == RateLimited(5.0)
    operator.add_fault("rate_limit", seconds=86400)
    assert gateway.send(text()) == RateLimited(300.0)
    assert operator.statistics()["calls"] == {"send": {"429": 3}}


@pytest.mark.parametrize(
    ("fault", "taken"),
    [
        ("server_error", 0),
        ("bad_gateway", 0),
        ("timeout_before", 0),
        ("timeout_after", 1),
        ("broken_answer", 1),
        ("empty_answer", 1),
    ],
)
@pytest.mark.parametrize("seconds", [0, 30])
def test_a_cut_off_call_is_unknown_and_found_only_if_it_was_taken(
    gateway: SinchGateway, operator: NetworkClient, fault: str, taken: int, seconds: int
) -> None:
    # 0 s: the line breaks; 30 s: our own time-out strikes first, where the fault holds the call
    operator.add_fault(fault, seconds=seconds)
    assert isinstance(gateway.send(text(reference="cut-off")), Unknown)
    found = gateway.find("cut-off", since=since())
    assert bool(found) == bool(taken)
    assert len(operator.all_texts()) == taken
    if found:
        assert operator.all_texts()[0].batch_id == found


def test_a_refused_connection_is_certainly_not_sent(gateway_at: GatewayMaker) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        assert gateway_at(address).send(text()) == RateLimited(15.0, too_fast=False)


def test_a_name_that_nobody_has_is_certainly_not_sent(gateway_at: GatewayMaker) -> None:
    assert gateway_at("http://sinch.invalid").send(text()) == RateLimited(15.0, too_fast=False)


def test_a_connection_that_does_not_come_about_is_certainly_not_sent(
    gateway: SinchGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_slow(*args: Any, **kwargs: Any) -> None:
        raise requests.exceptions.ConnectTimeout

    monkeypatch.setattr(requests.Session, "request", too_slow)
    assert gateway.send(text()) == RateLimited(15.0, too_fast=False)


@pytest.mark.parametrize(
    ("secrets", "settings", "words"),
    [
        ({}, {}, "API token of Sinch is missing"),
        ({"api_token": "x"}, {"region": "evil.example/"}, "no region"),
        ({"api_token": "x"}, {"base_url": "sinch.example"}, "must start with"),
        ({"api_token": "x"}, {"base_url": "http://[nonsense"}, "not valid"),
        ({"api_token": "x\ny"}, {}, "not valid"),
    ],
)
def test_settings_that_cannot_work_are_fatal_and_said_in_a_sentence(
    secrets: dict[str, Any], settings: dict[str, Any], words: str
) -> None:
    gateway = SinchGateway(token="t", account=PLAN, secrets=secrets, settings=settings)
    outcome = gateway.send(text())
    assert isinstance(outcome, Rejected)
    assert outcome.fatal
    assert words in outcome.detail
    with pytest.raises(GatewayUnavailable, match=words):
        gateway.check()
    with pytest.raises(GatewayUnavailable, match=words):
        gateway.find("ref-1", since=since())


def test_a_stranger_with_sinchs_name_is_sent_nothing(gateway_at: GatewayMaker, self_signed_url: str) -> None:
    assert gateway_at(self_signed_url).send(text()) == RateLimited(15.0, too_fast=False)


def test_a_text_of_last_week_is_still_found(
    gateway: SinchGateway, operator: NetworkClient, network: NetworkServer
) -> None:
    sent = gateway.send(text(reference="last-week"))
    assert isinstance(sent, Accepted)
    made = since()
    operator.advance_clock(7 * 24 * 3600)
    assert gateway.find("last-week", since=made) == sent.provider_id
    assert gateway.find("never-sent", since=made) is None


def test_a_batch_is_found_on_a_later_page_even_if_the_filter_does_nothing(
    gateway: SinchGateway, network: NetworkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = gateway.send(text(reference="wanted"))
    assert isinstance(wanted, Accepted)
    for number in range(120):
        gateway.send(text(reference=f"other-{number}"))
    honest = network.network.batches.list
    monkeypatch.setattr(
        network.network.batches, "list", lambda plan, **query: honest(plan, **{**query, "reference": None})
    )
    assert gateway.find("wanted", since=since()) == wanted.provider_id
    assert gateway.find("never-sent", since=since()) is None


def test_a_list_with_a_hole_in_it_is_not_taken_for_not_found(
    gateway: SinchGateway, network: NetworkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hole = {"count": 1, "page": 0, "page_size": 0, "batches": []}
    monkeypatch.setattr(network.network.batches, "list", lambda plan, **query: hole)
    with pytest.raises(GatewayUnavailable, match="cannot be read"):
        gateway.find("ref-1", since=since())


@pytest.mark.parametrize("fault", ["server_error", "bad_gateway", "rate_limit", "timeout_before", "empty_answer"])
def test_no_answer_is_not_taken_for_not_found(gateway: SinchGateway, operator: NetworkClient, fault: str) -> None:
    gateway.send(text())
    operator.add_fault(fault, operation="list")
    with pytest.raises(GatewayUnavailable):
        gateway.find("ref-1", since=since())
    assert gateway.find("ref-1", since=since())


def test_the_check_says_that_all_is_well_or_what_is_wrong(
    network: NetworkServer, gateway: SinchGateway, gateway_at: GatewayMaker, operator: NetworkClient
) -> None:
    assert PLAN in gateway.check()
    with pytest.raises(GatewayUnavailable, match="does not accept the API token"):
        gateway_at(network.url, api_token="wrong").check()
    with pytest.raises(GatewayUnavailable, match="cannot be reached"):
        gateway_at("http://sinch.invalid").check()
    operator.add_fault("empty_answer", operation="list")
    with pytest.raises(GatewayUnavailable, match="not Sinch"):
        gateway.check()
    assert operator.all_texts() == []


def test_threads_share_a_gateway_and_every_call_is_made_once(
    gateway: SinchGateway, operator: NetworkClient, settings: Any
) -> None:
    # eight at a time on a machine that may be busy: nothing here is about time-outs
    settings.SMSFLOW = {**settings.SMSFLOW, "GATEWAY_TIMEOUT": (10, 60)}
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda n: gateway.send(text(reference=f"ref-{n}")), range(80)))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    references = [one.reference for one in operator.all_texts()]
    assert sorted(references) == sorted(f"ref-{n}" for n in range(80))


def test_two_plans_never_mix(
    network: NetworkServer, operator: NetworkClient, gateway_at: GatewayMaker, settings: Any
) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "GATEWAY_TIMEOUT": (10, 60)}
    operator.configure_plan("plan-2", token="token-2")
    gateways = [gateway_at(network.url), gateway_at(network.url, account="plan-2", api_token="token-2")]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: gateways[n % 2].send(text(reference=f"ref-{n % 2}")), range(40)))
    for number, plan in enumerate((PLAN, "plan-2")):
        batches = network.network.batches.list(plan, page_size=100)["batches"]
        assert [batch["client_reference"] for batch in batches] == [f"ref-{number}"] * 20


def test_numbers_texts_and_tokens_stay_out_of_the_log(
    gateway: SinchGateway, operator: NetworkClient, gateway_at: GatewayMaker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    words = "nobody may read this"
    for fault in ("server_error", "bad_gateway", "timeout_after", "rate_limit"):
        operator.add_fault(fault)
        gateway.send(text(body=words))
    gateway.send(text(body=words))
    gateway.send(text(body=words, recipients=(ADA, "+0001234567")))
    gateway_at("http://sinch.invalid").send(text(body=words))
    assert "ref-1" in caplog.text
    for secret in (words, ADA[1:], "1234567", API_TOKEN):
        assert secret not in caplog.text


def test_the_settings_lead_to_this_gateway() -> None:
    gateway = gateway_for("sinch", token="t", account=PLAN, secrets={}, settings={})
    assert isinstance(gateway, SinchGateway)
    assert gateway.max_recipients == 1000


def test_the_region_chooses_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def request(self: requests.Session, **values: Any) -> None:
        asked.append(values["url"])
        raise requests.exceptions.ConnectTimeout

    monkeypatch.setattr(requests.Session, "request", request)
    for settings in ({}, {"region": "eu"}):
        SinchGateway(token="t", account=PLAN, secrets={"api_token": "x"}, settings=settings).send(text())
    assert asked == [
        "https://us.sms.api.sinch.com/xms/v1/plan-1/batches",
        "https://eu.sms.api.sinch.com/xms/v1/plan-1/batches",
    ]


def test_retry_after_may_be_a_date(still: TestClock) -> None:
    from smsflow_plugin.integrations.sinch.outcomes import retry_after

    assert retry_after({"retry-after": "Wed, 04 Mar 2026 16:00:30 GMT"}) == 30.0
    assert retry_after({"Retry-After": "Wed, 04 Mar 2026 15:00:00 GMT"}) == 1.0
    for nonsense in ("", "soon", "nan"):
        assert retry_after({"Retry-After": nonsense}) == 5.0
