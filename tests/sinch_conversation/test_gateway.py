"""Every way that a call to the Conversation API can end, told apart by whether it may have been taken."""

from __future__ import annotations

import json
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from smsflow_plugin import clock
from smsflow_plugin.integrations.sinch.conversation_gateway import ConversationGateway
from smsflow_plugin.messaging.gateway import (
    Accepted,
    GatewayUnavailable,
    RateLimited,
    Rejected,
    Unknown,
    gateway_for,
)
from tests.sinch_conversation.conftest import (
    ADA,
    APP,
    BOB,
    KEY_SECRET,
    PROJECT,
    SENDER,
    Answer,
    GatewayMaker,
    Sinch,
    said,
    text,
)

HTML = b"<html>Bad gateway</html>"
CUT = Answer()


def since() -> Any:
    return clock.now() - timedelta(minutes=1)


def test_a_text_is_accepted_and_says_all_that_we_need_back(gateway: ConversationGateway, sinch: Sinch) -> None:
    assert gateway.send(text()) == Accepted("M1")
    (request,) = sinch.sent()
    assert request["app_id"] == APP
    assert request["message"] == {"text_message": {"text": "Hello"}}
    assert request["recipient"] == {"identified_by": {"channel_identities": [{"channel": "SMS", "identity": ADA}]}}
    assert request["channel_properties"] == {"SMS_SENDER": SENDER}
    assert (request["correlation_id"], request["message_metadata"]) == ("ref-1", "ref-1")
    assert request["callback_url"] == "https://shop.example/smsflow/sinch_conversation/path-token/callbacks/"


def test_one_token_serves_many_threads(gateway: ConversationGateway, sinch: Sinch) -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda n: gateway.send(text(reference=f"r{n}")), range(40)))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert sinch.made("token") == 1
    assert len({one["metadata"] for one in sinch.messages}) == 40


def test_a_call_is_for_one_person(gateway: ConversationGateway, sinch: Sinch) -> None:
    assert isinstance(gateway.send(text(recipients=(ADA, BOB))), Rejected)
    assert isinstance(gateway.send(text(recipients=())), Rejected)
    assert sinch.calls == []


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_wrong_key_is_fatal(gateway: ConversationGateway, sinch: Sinch, status: int) -> None:
    sinch.next("token", Answer(status, b'{"error": "invalid_client", "error_description": "no"}'))
    outcome = gateway.send(text())
    assert isinstance(outcome, Rejected)
    assert outcome.fatal
    assert sinch.sent() == []


@pytest.mark.parametrize(
    "answer",
    [CUT, Answer(500, b"{}"), Answer(502, HTML), Answer(200, b"{}"), Answer(200, HTML), Answer(200, b"[]")],
    ids=["cut", "500", "html", "no token", "html 200", "list"],
)
def test_without_a_token_nothing_has_been_sent(gateway: ConversationGateway, sinch: Sinch, answer: Answer) -> None:
    sinch.next("token", answer)
    assert gateway.send(text()) == RateLimited(15.0, too_fast=False)
    assert sinch.sent() == []
    assert gateway.send(text()) == Accepted("M1")


def test_a_rate_limit_is_waited_for(gateway: ConversationGateway, sinch: Sinch) -> None:
    sinch.next("token", said(429, Retry_After="9"))
    assert gateway.send(text()) == RateLimited(9.0)
    sinch.next("send", said(429, "RESOURCE_EXHAUSTED", Retry_After="7"), said(429))
    assert gateway.send(text()) == RateLimited(7.0)
    assert gateway.send(text()) == RateLimited(5.0)
    assert sinch.messages == []


def test_a_token_that_was_taken_back_is_fetched_anew_and_the_text_goes_once(
    gateway: ConversationGateway, sinch: Sinch
) -> None:
    assert gateway.send(text()) == Accepted("M1")
    sinch.valid_tokens.clear()
    assert gateway.send(text(reference="ref-2")) == Accepted("M2")
    assert sinch.made("token") == 2
    assert [one["metadata"] for one in sinch.messages] == ["ref-2", "ref-1"]


def test_a_token_that_has_run_out_is_renewed(gateway: ConversationGateway, sinch: Sinch) -> None:
    assert gateway.send(text()) == Accepted("M1")
    expired = said(401, "UNAUTHENTICATED", WWW_Authenticate='Bearer error="invalid_token", "expired"')
    sinch.next("send", expired)
    assert gateway.send(text()) == Accepted("M2")
    sinch.next("send", expired)
    sinch.next("token", Answer(401, b'{"error_description": "revoked"}'))
    outcome = gateway.send(text())
    assert isinstance(outcome, Rejected)
    assert outcome.fatal


def test_a_project_that_refuses_every_token_is_fatal(gateway: ConversationGateway, sinch: Sinch) -> None:
    sinch.next("send", said(401), said(401))
    outcome = gateway.send(text())
    assert isinstance(outcome, Rejected)
    assert outcome.fatal
    assert len(sinch.sent()) == 2


@pytest.mark.parametrize(("status", "fatal"), [(400, False), (402, True), (403, True), (404, True), (422, False)])
def test_a_refusal_is_for_good_and_repeats_no_number(
    gateway: ConversationGateway, sinch: Sinch, status: int, fatal: bool
) -> None:
    sinch.next("send", said(status, "INVALID_ARGUMENT", "the identity +12025550101 is wrong"))
    outcome = gateway.send(text())
    assert isinstance(outcome, Rejected)
    assert outcome.fatal is fatal
    assert "INVALID_ARGUMENT: the identity … is wrong" in outcome.detail


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        (CUT, False),
        (Answer(taken=True), True),
        (said(500), False),
        (said(503), False),
        (Answer(502, HTML), False),
        (Answer(502, HTML, taken=True), True),
        (Answer(200, b"", taken=True), True),
        (Answer(200, b"{}", taken=True), True),
        (Answer(200, HTML, taken=True), True),
        (Answer(200, b"[]", taken=True), True),
        (Answer(418, b'{"error": "teapot"}'), False),
    ],
)
def test_a_cut_off_call_is_unknown_and_found_only_if_it_was_taken(
    gateway: ConversationGateway, sinch: Sinch, answer: Answer, taken: bool
) -> None:
    sinch.next("send", answer)
    assert isinstance(gateway.send(text(reference="cut-off")), Unknown)
    assert gateway.find("cut-off", since=since()) == ("M1" if taken else None)
    assert len(sinch.sent()) == 1


def test_a_refused_connection_is_certainly_not_sent(gateway_at: GatewayMaker, sinch: Sinch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        assert gateway_at(address).send(text()) == RateLimited(15.0, too_fast=False)
        assert gateway_at(sinch.url, settings={"conversation_origin": address}).send(text()) == RateLimited(
            15.0, too_fast=False
        )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"secrets": {}}, "access key of Sinch is missing"),
        ({"account": ""}, "access key of Sinch is missing"),
        ({"settings": {"region": "evil.example/"}}, "no region"),
        ({"settings": {"auth_origin": "sinch.example"}}, "must start with"),
        ({"settings": {"app_id": ""}}, "app of Sinch's Conversation API is missing"),
        ({"settings": {"auth_origin": "http://[nonsense"}}, "not valid"),
    ],
)
def test_settings_that_cannot_work_are_fatal_and_said_in_a_sentence(
    gateway_at: GatewayMaker, changes: dict[str, Any], words: str
) -> None:
    gateway = gateway_at("http://127.0.0.1:1", **changes)
    outcome = gateway.send(text())
    assert isinstance(outcome, Rejected)
    assert outcome.fatal
    assert words in outcome.detail
    with pytest.raises(GatewayUnavailable, match=words):
        gateway.check()
    with pytest.raises(GatewayUnavailable, match=words):
        gateway.find("ref-1", since=since())


def test_a_text_is_found_on_a_later_page_of_the_right_time(gateway: ConversationGateway, sinch: Sinch) -> None:
    sinch.page_size = 10
    for number in range(25):
        gateway.send(text(reference=f"ref-{number}"))
    asked_from = since()
    assert gateway.find("ref-0", since=asked_from) == "M1"
    assert gateway.find("never-sent", since=asked_from) is None
    listed = [query for operation, query in sinch.calls if operation == "list"]
    assert len(listed) == 6
    assert {query["app_id"] for query in listed} == {APP}
    assert {(query["direction"], query["messages_source"]) for query in listed} == {("TO_CONTACT", "DISPATCH_SOURCE")}
    assert all(query["start_time"] < asked_from.isoformat() < query["end_time"] for query in listed)


@pytest.mark.parametrize(
    "answer", [CUT, said(500), Answer(502, HTML), said(429), Answer(200, b""), Answer(200, b"{}"), Answer(200, HTML)]
)
def test_no_answer_is_not_taken_for_not_found(gateway: ConversationGateway, sinch: Sinch, answer: Answer) -> None:
    gateway.send(text())
    sinch.next("list", answer)
    with pytest.raises(GatewayUnavailable):
        gateway.find("ref-1", since=since())
    assert gateway.find("ref-1", since=since()) == "M1"


@pytest.mark.parametrize("policy", [None, {}, {"ttl_days": 0}])
def test_an_app_that_keeps_nothing_can_say_yes_but_never_no(
    gateway: ConversationGateway, sinch: Sinch, policy: dict[str, Any] | None
) -> None:
    sinch.app["dispatch_retention_policy"] = policy
    gateway.send(text())
    assert gateway.find("ref-1", since=since()) == "M1"
    with pytest.raises(GatewayUnavailable, match="keeps no messages"):
        gateway.find("never-sent", since=since())
    assert "cannot be found out" in gateway.check()


def test_what_is_older_than_the_app_keeps_is_not_said_to_be_missing(gateway: ConversationGateway, sinch: Sinch) -> None:
    sinch.app["dispatch_retention_policy"]["ttl_days"] = 1
    with pytest.raises(GatewayUnavailable, match="shorter time"):
        gateway.find("ref-1", since=clock.now() - timedelta(days=1))


def test_the_check_says_that_all_is_well_or_what_is_wrong(
    gateway: ConversationGateway, gateway_at: GatewayMaker, sinch: Sinch
) -> None:
    assert gateway.check() == f"Sinch accepts the access key of the project {PROJECT}, and knows the app “Sierra Gear”."
    with pytest.raises(GatewayUnavailable, match="does not know this app"):
        gateway_at(sinch.url, settings={"app_id": "app-2"}).check()
    sinch.next("app", said(403))
    with pytest.raises(GatewayUnavailable, match="does not accept the access key"):
        gateway.check()
    sinch.next("app", Answer(200, b"{}"))
    with pytest.raises(GatewayUnavailable, match="not Sinch"):
        gateway.check()
    assert sinch.messages == []


def test_what_people_wrote_comes_as_the_callback_would_have_told_it(gateway: ConversationGateway, sinch: Sinch) -> None:
    wrote = {
        "id": "IN1",
        "direction": "TO_APP",
        "accept_time": "2026-03-04T15:59:00Z",
        "sender_id": SENDER,
        "channel_identity": {"channel": "SMS", "identity": ADA, "app_id": APP},
        "contact_message": {"text_message": {"text": "STOP"}},
    }
    sinch.messages.append(wrote)
    gateway.send(text())
    (listed,) = list(gateway.inbounds(since=since()))
    assert (listed.external_id, listed.topic) == ("MESSAGE_INBOUND:IN1", "MESSAGE_INBOUND")
    payload = json.loads(listed.body)
    assert payload == {"app_id": APP, "project_id": PROJECT, "message": wrote}
    sinch.app["dispatch_retention_policy"] = {"ttl_days": 0}
    with pytest.raises(GatewayUnavailable):
        list(gateway.inbounds(since=since()))


def test_the_kind_is_known_and_says_what_it_can(sinch: Sinch) -> None:
    gateway = gateway_for("sinch_conversation", token="t", account=PROJECT, secrets={}, settings={})
    assert gateway.max_recipients == 1
    assert not gateway.capabilities.parameters
    assert gateway.capabilities.media
    assert gateway.capabilities.read_receipts


def test_nothing_secret_or_personal_is_logged(
    gateway: ConversationGateway, sinch: Sinch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sinch.next("send", said(500))
    gateway.send(text(body="Only for Ada"))
    gateway.send(text(body="Only for Ada"))
    for secret in (KEY_SECRET, "token-1", "Only for Ada", ADA, ADA[1:]):
        assert secret not in caplog.text
