"""The stand-in takes, refuses, lists and cancels batches as Sinch does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from smsflow_plugin import clock
from smsflow_plugin.integrations.simulator.network import NetworkServer
from smsflow_plugin.integrations.simulator.network.client import NetworkClient
from tests.simulator_network.conftest import ADA, BOB, PLAN, SENDER, SinchApi


def test_a_batch_is_echoed_with_an_id_and_without_plus_signs(sinch: SinchApi) -> None:
    answer = sinch.send(to=[ADA, BOB], client_reference="ref-1")
    assert answer.status_code == 201
    batch = answer.json()
    assert len(batch["id"]) == 26
    assert batch["to"] == [ADA[1:], BOB[1:]]
    assert batch["from"] == SENDER[1:]
    assert batch["client_reference"] == "ref-1"
    assert batch["canceled"] is False
    assert sinch.get(f"batches/{batch['id']}").json() == batch


def test_a_stranger_is_turned_away(sinch: SinchApi, network: NetworkServer) -> None:
    for token, plan in (("wrong", PLAN), ("api-token", "other-plan"), ("", PLAN)):
        answer = requests.get(
            f"{network.url}/xms/v1/{plan}/batches", headers={"Authorization": f"Bearer {token}"}, timeout=10
        )
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("values", "status", "code", "words"),
    [
        ({"to": ["+1"]}, 400, "syntax_invalid_parameter_format", "to[0]"),
        ({"to": [ADA, "Ada"]}, 400, "syntax_invalid_parameter_format", "to[1]"),
        ({"to": []}, 400, "syntax_constraint_violation", "to"),
        ({"to": [f"+1202555{n:04d}" for n in range(1001)]}, 400, "syntax_constraint_violation", "to"),
        ({"to": ["01FC66621XXXXX119Z8PMV1AHY"]}, 403, "unknown_group", "group"),
        ({"body": "x" * 2001}, 400, "syntax_constraint_violation", "body"),
        ({"body": None}, 400, "syntax_invalid_parameter_format", "body"),
        ({"parameters": {"a" * 17: {}}}, 400, "syntax_constraint_violation", "key"),
        ({"parameters": {"p0": {ADA: "x" * 161}}}, 400, "syntax_constraint_violation", "160"),
        ({"parameters": {"p0": {ADA: 7}}}, 400, "syntax_invalid_parameter_format", "p0"),
        ({"delivery_report": "sometimes"}, 400, "syntax_invalid_parameter_format", "delivery_report"),
        ({"expire_at": "2020-01-01T00:00:00Z"}, 400, "syntax_constraint_violation", "expire_at"),
        ({"send_at": "tomorrow"}, 400, "syntax_invalid_parameter_format", "send_at"),
    ],
)
def test_what_sinch_refuses_is_refused_with_its_code(
    sinch: SinchApi, values: dict[str, Any], status: int, code: str, words: str
) -> None:
    answer = sinch.send(**values)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert words in answer.json()["text"]


def test_a_body_that_is_no_json_is_refused(sinch: SinchApi) -> None:
    answer = sinch.session.post(f"{sinch.url}/batches", data=b"{nonsense", timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (400, "syntax_invalid_json")


def test_a_report_without_an_address_to_report_to_is_forbidden(sinch: SinchApi, operator: NetworkClient) -> None:
    operator.configure_plan(PLAN, token="api-token")
    answer = sinch.send(delivery_report="full")
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_callback_url")


def test_everybody_gets_their_own_values(sinch: SinchApi, operator: NetworkClient) -> None:
    carl = "+12025550103"
    parameters = {"name": {ADA: "Ada", BOB[1:]: "Bob ${name}", "default": "you"}}
    assert sinch.send(to=[ADA, BOB, carl], body="Hi ${name}!", parameters=parameters).status_code == 201
    operator.wait_until_quiet()
    bodies = {text.phone: text.body for text in operator.all_texts()}
    assert bodies == {ADA: "Hi Ada!", BOB: "Hi Bob ${name}!", carl: "Hi you!"}


def test_a_missing_value_fails_that_recipient_alone(sinch: SinchApi, operator: NetworkClient) -> None:
    sinch.send(to=[ADA, BOB], body="Hi ${name}!", parameters={"name": {ADA: "Ada"}})
    operator.wait_until_quiet()
    assert [(text.phone, text.state, text.code) for text in operator.all_texts()] == [
        (ADA, "delivered", 0),
        (BOB, "aborted", 405),
    ]


def test_a_list_shows_the_last_day_unless_told_otherwise(sinch: SinchApi, operator: NetworkClient) -> None:
    sinch.send(client_reference="old")
    operator.advance_clock(25 * 3600)
    sinch.send(client_reference="new")
    assert [batch["client_reference"] for batch in sinch.get("batches").json()["batches"]] == ["new"]
    assert sinch.get("batches", client_reference="old").json()["count"] == 0
    start = (clock.now() - timedelta(hours=1)).isoformat()
    found = sinch.get("batches", client_reference="old", start_date=start).json()
    assert [batch["client_reference"] for batch in found["batches"]] == ["old"]


def test_a_list_comes_in_pages_of_thirty(sinch: SinchApi) -> None:
    for number in range(31):
        sinch.send(client_reference=str(number))
    first, second = sinch.get("batches").json(), sinch.get("batches", page=1).json()
    assert (first["count"], first["page_size"], second["page_size"]) == (31, 30, 1)
    assert first["batches"][0]["client_reference"] == "30"
    assert second["batches"][0]["client_reference"] == "0"
    assert sinch.get("batches", page_size=101).status_code == 400


def test_a_batch_can_be_cancelled_before_it_is_on_its_way(sinch: SinchApi, operator: NetworkClient) -> None:
    later = (clock.now() + timedelta(hours=1)).isoformat()
    batch = sinch.send(send_at=later).json()["id"]
    assert sinch.session.delete(f"{sinch.url}/batches/{batch}", timeout=10).json()["canceled"] is True
    operator.advance_clock(7200)
    operator.wait_until_quiet()
    assert [(text.state, text.code) for text in operator.all_texts()] == [("cancelled", 407)]


def test_a_scheduled_batch_waits_for_its_time(sinch: SinchApi, operator: NetworkClient) -> None:
    sinch.send(send_at=(clock.now() + timedelta(hours=1)).isoformat())
    assert operator.wait_until_quiet()["texts"] == {"queued": 1}
    operator.advance_clock(3601)
    assert operator.wait_until_quiet()["texts"] == {"delivered": 1}


def test_a_dry_run_counts_parts_and_sends_nothing(sinch: SinchApi, operator: NetworkClient) -> None:
    url = f"{sinch.url}/batches/dry_run?per_recipient=true&number_of_recipients=1"
    batch = {"to": [ADA, BOB], "from": SENDER, "body": "Hi ${n}", "parameters": {"n": {"default": "🙂" * 35}}}
    answer = sinch.session.post(url, json=batch, timeout=10).json()
    assert (answer["number_of_recipients"], answer["number_of_messages"]) == (2, 4)
    assert [(one["encoding"], one["number_of_parts"]) for one in answer["per_recipient"]] == [("unicode", 2)]
    assert operator.all_texts() == []


def test_reports_can_be_asked_for(sinch: SinchApi, operator: NetworkClient) -> None:
    operator.set_behaviour(BOB, "undeliverable")
    batch = sinch.send(to=[ADA, BOB], client_reference="ref").json()["id"]
    operator.wait_until_quiet()
    full = sinch.get(f"batches/{batch}/delivery_report", type="full").json()
    assert full["type"] == "delivery_report_sms"
    assert {(s["code"], s["status"], s["count"], s["recipients"][0]) for s in full["statuses"]} == {
        (0, "Delivered", 1, ADA[1:]),
        (15, "Failed", 1, BOB[1:]),
    }
    one = sinch.get(f"batches/{batch}/delivery_report/{BOB}").json()
    assert (one["type"], one["status"], one["recipient"]) == ("recipient_delivery_report_sms", "Failed", BOB[1:])
    assert sinch.get(f"batches/{batch}/delivery_report/+12025550199").status_code == 404
    assert sinch.get("batches/NOPE").status_code == 404
