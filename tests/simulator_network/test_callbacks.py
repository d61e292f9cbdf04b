"""The stand-in calls back as Sinch does: reports, texts from phones, signatures, patience."""

from __future__ import annotations

import base64
import hashlib
import hmac

from smsflow_plugin.integrations.simulator.network import NetworkServer
from smsflow_plugin.integrations.simulator.network.client import NetworkClient
from tests.simulator_network.conftest import ADA, BOB, PLAN, SECRET, SENDER, TOKEN, Listener, SinchApi


def test_each_recipient_gets_one_final_report(sinch: SinchApi, operator: NetworkClient, listener: Listener) -> None:
    operator.set_behaviour(BOB, "landline")
    batch = sinch.send(to=[ADA, BOB], delivery_report="per_recipient_final", client_reference="ref").json()["id"]
    operator.wait_until_quiet()
    reports = {report["recipient"]: report for report in listener.payloads}
    assert len(listener.payloads) == 2
    assert (reports[ADA[1:]]["status"], reports[ADA[1:]]["code"]) == ("Delivered", 0)
    assert (reports[BOB[1:]]["status"], reports[BOB[1:]]["code"]) == ("Aborted", 402)
    assert {(report["batch_id"], report["client_reference"]) for report in listener.payloads} == {(batch, "ref")}


def test_every_change_is_reported_when_asked_for(sinch: SinchApi, operator: NetworkClient, listener: Listener) -> None:
    sinch.send(delivery_report="per_recipient")
    operator.wait_until_quiet()
    assert {(report["status"], report["code"]) for report in listener.payloads} == {
        ("Dispatched", 401),
        ("Delivered", 0),
    }


def test_a_full_report_comes_once_when_all_is_final(
    sinch: SinchApi, operator: NetworkClient, listener: Listener
) -> None:
    sinch.send(to=[ADA, BOB], delivery_report="full")
    operator.wait_until_quiet()
    (report,) = listener.payloads
    assert report["statuses"] == [
        {"code": 0, "status": "Delivered", "count": 2, "recipients": [ADA[1:], BOB[1:]]},
    ]


def test_a_reply_goes_to_whoever_texted_last(sinch: SinchApi, operator: NetworkClient, listener: Listener) -> None:
    sinch.send()
    operator.wait_until_quiet()
    operator.text_from(ADA, "STOP")
    operator.wait_until_quiet()
    (inbound,) = listener.payloads
    assert (inbound["type"], inbound["from"], inbound["to"], inbound["body"]) == (
        "mo_text",
        ADA[1:],
        SENDER[1:],
        "STOP",
    )
    assert sinch.get("inbounds").json()["inbounds"][0]["id"] == inbound["id"]
    assert [(text.direction, text.body) for text in operator.texts_on(ADA)] == [
        ("to_phone", "Hello"),
        ("from_phone", "STOP"),
    ]


def test_callbacks_are_signed_when_the_plan_has_a_secret(
    sinch: SinchApi, operator: NetworkClient, listener: Listener
) -> None:
    operator.configure_plan(PLAN, token=TOKEN, callback_url=listener.url, callback_secret=SECRET)
    operator.text_from(ADA, "Hi", to=SENDER)
    operator.wait_until_quiet()
    ((headers, body),) = listener.calls
    nonce = headers["x-sinch-webhook-signature-nonce"]
    timestamp = headers["x-sinch-webhook-signature-timestamp"]
    signed = body + f".{nonce}.{timestamp}".encode()
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["x-sinch-webhook-signature"] == expected


def test_a_callback_is_repeated_after_a_server_error_and_a_429(operator: NetworkClient, listener: Listener) -> None:
    listener.answers = [503, 429, 500]
    operator.text_from(ADA, "Hi", to=SENDER)
    assert operator.wait_until_quiet()["callbacks"] == {"done": 1}
    assert len(listener.calls) == 4
    assert len({body for _headers, body in listener.calls}) == 1


def test_a_callback_is_never_repeated_after_another_refusal(operator: NetworkClient, listener: Listener) -> None:
    listener.answers = [401]
    operator.text_from(ADA, "Hi", to=SENDER)
    assert operator.wait_until_quiet()["callbacks"] == {"refused": 1}
    assert len(listener.calls) == 1


def test_callbacks_can_come_twice_or_late_or_never(operator: NetworkClient, listener: Listener) -> None:
    operator.add_fault("duplicate")
    operator.text_from(ADA, "twice", to=SENDER)
    operator.wait_until_quiet()
    assert [payload["body"] for payload in listener.payloads] == ["twice", "twice"]
    operator.add_fault("lost")
    operator.text_from(ADA, "never", to=SENDER)
    operator.add_fault("late", seconds=3600)
    operator.text_from(ADA, "late", to=SENDER)
    operator.wait_until_quiet()
    assert len(listener.calls) == 2
    operator.advance_clock(3601)
    operator.wait_until_quiet()
    assert [payload["body"] for payload in listener.payloads] == ["twice", "twice", "late"]


def test_a_thousand_reports_arrive(sinch: SinchApi, operator: NetworkClient, listener: Listener) -> None:
    numbers = [f"+1202555{n:04d}" for n in range(1000)]
    sinch.send(to=numbers, delivery_report="per_recipient_final")
    assert operator.wait_until_quiet(60)["callbacks"] == {"done": 1000}
    assert {f"+{report['recipient']}" for report in listener.payloads} == set(numbers)


def test_a_text_expires_on_a_phone_that_is_off_too_long(
    sinch: SinchApi, operator: NetworkClient, listener: Listener, network: NetworkServer
) -> None:
    operator.set_behaviour(ADA, "slow", seconds=4 * 24 * 3600)
    sinch.send(delivery_report="per_recipient_final")
    assert operator.wait_until_quiet()["texts"] == {"dispatched": 1}
    operator.advance_clock(4 * 24 * 3600 + 1)
    operator.wait_until_quiet()
    assert [(report["status"], report["code"]) for report in listener.payloads] == [("Expired", 406)]
