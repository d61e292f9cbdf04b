"""Trouble on order, and a memory that outlives the process."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from smsflow_plugin.integrations.simulator.network import running_network
from smsflow_plugin.integrations.simulator.network.client import NetworkClient, NetworkUnavailable
from tests.simulator_network.conftest import ADA, PLAN, SENDER, TOKEN, Listener, SinchApi


def test_a_rate_limit_says_how_long_and_takes_nothing(sinch: SinchApi, operator: NetworkClient) -> None:
    operator.add_fault("rate_limit", seconds=7)
    answer = sinch.send()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert sinch.send().status_code == 201
    assert operator.statistics()["calls"]["send"] == {"201": 1, "429": 1}
    assert len(operator.all_texts()) == 1


@pytest.mark.parametrize(("kind", "status"), [("server_error", 500), ("bad_gateway", 502)])
def test_a_server_error_takes_nothing(sinch: SinchApi, operator: NetworkClient, kind: str, status: int) -> None:
    operator.add_fault(kind, count=2)
    assert [sinch.send().status_code for _ in range(3)] == [status, status, 201]
    assert len(operator.all_texts()) == 1


@pytest.mark.parametrize(("kind", "taken"), [("timeout_before", 0), ("timeout_after", 1), ("broken_answer", 1)])
def test_a_call_can_be_cut_off_before_and_after_it_was_taken(
    sinch: SinchApi, operator: NetworkClient, kind: str, taken: int
) -> None:
    operator.add_fault(kind)
    with pytest.raises(requests.RequestException):
        sinch.send()
    assert len(operator.all_texts()) == taken


def test_a_fault_can_hit_the_list_alone(sinch: SinchApi, operator: NetworkClient) -> None:
    operator.add_fault("server_error", operation="list")
    assert sinch.send().status_code == 201
    assert sinch.get("batches").status_code == 500
    assert sinch.get("batches").status_code == 200


def test_a_fault_that_does_not_exist_is_refused(operator: NetworkClient) -> None:
    with pytest.raises(NetworkUnavailable, match="no fault"):
        operator.add_fault("earthquake")
    with pytest.raises(NetworkUnavailable, match="no behaviour"):
        operator.set_behaviour(ADA, "sulking")


def test_a_reset_forgets_all_but_the_plans(sinch: SinchApi, operator: NetworkClient) -> None:
    sinch.send()
    operator.add_fault("server_error")
    operator.advance_clock(3600)
    operator.reset()
    assert operator.all_texts() == []
    assert operator.phones() == []
    assert sinch.send().status_code == 201


def test_the_network_remembers_over_a_restart(tmp_path: Path, listener: Listener) -> None:
    path = tmp_path / "network.sqlite3"
    with running_network(path=path, delay=3600) as server:
        operator = NetworkClient(server.url)
        operator.configure_plan(PLAN, token=TOKEN, callback_url=listener.url)
        api = SinchApi(server.url)
        api.send(delivery_report="per_recipient_final", client_reference="ref")
        api.session.close()
        assert operator.wait_until_quiet()["texts"] == {"dispatched": 1}
        before = operator.advance_clock(1800)
    with running_network(path=path, delay=3600) as server:
        operator = NetworkClient(server.url)
        assert operator.health() >= before
        assert [text.reference for text in operator.all_texts()] == ["ref"]
        operator.advance_clock(1801)
        operator.wait_until_quiet()
        assert [report["status"] for report in listener.payloads] == ["Delivered"]


def test_nobody_there_is_said_clearly() -> None:
    with pytest.raises(NetworkUnavailable, match="does not answer"):
        NetworkClient("http://127.0.0.1:9").health()


@contextmanager
def command(database: Path) -> Iterator[tuple[subprocess.Popen[str], NetworkClient]]:
    """The network as a process of its own."""
    root = Path(__file__).resolve().parents[2]
    words = [sys.executable, "manage.py", "smsflow_network", "--port", "0", "--database", str(database)]
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen(words, cwd=root, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, NetworkClient(process.stdout.readline().split()[-1].rstrip("."))
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    with command(tmp_path / "network.sqlite3") as (process, operator):
        operator.configure_plan(PLAN, token=TOKEN)
        assert operator.text_from(ADA, "Hi", to=SENDER).body == "Hi"
        process.send_signal(number)
        assert process.wait(timeout=30) == 0


def test_the_command_forgets_nothing_when_it_is_killed(tmp_path: Path) -> None:
    with command(tmp_path / "network.sqlite3") as (process, operator):
        operator.configure_plan(PLAN, token=TOKEN)
        operator.text_from(ADA, "Hi", to=SENDER)
        process.kill()
    with command(tmp_path / "network.sqlite3") as (_process, operator):
        assert [text.body for text in operator.texts_on(ADA)] == ["Hi"]
        assert operator.text_from(ADA, "Still here", to=SENDER).body == "Still here"
