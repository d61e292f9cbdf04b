"""``smsflow_doctor`` notices what is wrong and says how to mend it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from django.core.management import call_command

from smsflow_plugin import clock
from smsflow_plugin.management import doctor
from smsflow_plugin.messaging.gateway import GatewayUnavailable, NullGateway
from smsflow_plugin.models import Delivery, Heartbeat


class Broke(NullGateway):
    def check(self) -> str:
        raise GatewayUnavailable("The vendor does not know this token.")


class Door(BaseHTTPRequestHandler):
    """Answers every call as a site would that refuses what is not signed."""

    status = 401

    def do_POST(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def public(settings: Any) -> Iterator[type[Door]]:
    """A public address that answers."""
    door = type("OwnDoor", (Door,), {})
    server = HTTPServer(("127.0.0.1", 0), door)
    Thread(target=server.serve_forever, daemon=True).start()
    settings.SMSFLOW = {**settings.SMSFLOW, "PUBLIC_URL": f"http://127.0.0.1:{server.server_port}"}
    yield door
    server.shutdown()
    server.server_close()


@pytest.fixture
def healthy(store: Any, settings: Any, public: type[Door]) -> None:
    settings.SMSFLOW = {
        **settings.SMSFLOW,
        "GATEWAYS": {"sinch": "smsflow_plugin.messaging.gateway.NullGateway"},
    }
    Heartbeat.objects.create(name="worker", at=clock.now())


def findings(capsys: Any) -> tuple[int, dict[str, Any]]:
    code = 0
    try:
        call_command("smsflow_doctor", "--json")
    except SystemExit as exit:
        code = int(str(exit.code))
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, report


def problems(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {finding["area"]: finding for finding in report["findings"] if not finding["ok"]}


def test_a_healthy_site_has_nothing_to_mend(healthy: None, capsys: Any) -> None:
    code, report = findings(capsys)
    assert (code, report["ok"], problems(report)) == (0, True, {})
    areas = {finding["area"] for finding in report["findings"]}
    expected = {"settings", "database", "queue", "worker", "gateway", "calls", "stops", "deliveries", "webhooks"}
    assert areas == expected


def test_it_is_said_in_words_too(healthy: None, capsys: Any) -> None:
    call_command("smsflow_doctor", "--no-color")
    out = capsys.readouterr().out
    assert "All is well." in out
    assert "Sierra Gear (sinch): Nothing is sent through this gateway." in out


@pytest.mark.parametrize("minutes", [None, 30])
def test_a_silent_worker_is_noticed(healthy: None, capsys: Any, minutes: int | None) -> None:
    Heartbeat.objects.all().delete()
    if minutes:
        Heartbeat.objects.create(name="worker", at=clock.now() - timedelta(minutes=minutes))
    code, report = findings(capsys)
    assert code == 1
    assert list(problems(report)) == ["worker"]
    assert "run_huey" in problems(report)["worker"]["remedy"]


def test_a_gateway_that_refuses_is_named_with_its_store(healthy: None, settings: Any, capsys: Any) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "GATEWAYS": {"sinch": f"{__name__}.Broke"}}
    code, report = findings(capsys)
    assert code == 1
    assert problems(report)["gateway"]["message"] == "Sierra Gear (sinch): The vendor does not know this token."


def test_lost_keys_are_noticed(healthy: None, settings: Any, capsys: Any) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "ENCRYPTION_KEYS": ["b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItMzI="]}
    code, report = findings(capsys)
    assert code == 1
    assert "ENCRYPTION_KEYS" in problems(report)["gateway"]["remedy"]


def test_without_a_gateway_nothing_can_be_sent(healthy: None, store: Any, capsys: Any) -> None:
    store.connections.filter(kind="sinch").delete()
    code, report = findings(capsys)
    assert code == 1
    assert list(problems(report)) == ["gateway"]


def test_parked_deliveries_want_attention(healthy: None, store: Any, capsys: Any) -> None:
    Delivery.objects.create(store=store, source="shopify", external_id="1", body=b"{", state=Delivery.State.PARKED)
    code, report = findings(capsys)
    assert code == 1
    assert "1 delivery was not understood" in problems(report)["deliveries"]["message"]


@pytest.mark.parametrize("status", [200, 404, 502])
def test_an_address_that_is_not_ours_is_noticed(healthy: None, public: type[Door], capsys: Any, status: int) -> None:
    public.status = status
    code, report = findings(capsys)
    assert code == 1
    assert str(status) in problems(report)["webhooks"]["message"]


def test_an_address_that_nobody_reaches_is_noticed(healthy: None, settings: Any, capsys: Any) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "PUBLIC_URL": "http://127.0.0.1:9"}
    code, report = findings(capsys)
    assert code == 1
    assert "cannot be reached" in problems(report)["webhooks"]["message"]


def test_missing_migrations_are_counted(healthy: None, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(doctor.MigrationExecutor, "migration_plan", lambda *args: [object(), object()])
    code, report = findings(capsys)
    assert code == 1
    assert problems(report)["database"] == {
        "area": "database",
        "ok": False,
        "message": "2 migrations are missing.",
        "remedy": "Run: manage.py migrate",
    }


def test_a_queue_that_is_down_is_noticed(healthy: None, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from huey.contrib.djhuey import HUEY

    def refuse(*args: object) -> None:
        raise ConnectionError("connection refused")

    monkeypatch.setattr(HUEY.storage, "put_data", refuse)
    code, report = findings(capsys)
    assert code == 1
    assert "connection refused" in problems(report)["queue"]["message"]


def test_settings_that_cannot_work_are_reported(healthy: None, settings: Any, capsys: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
    code, report = findings(capsys)
    assert code == 1
    assert "smsflow.E005" in problems(report)["settings"]["message"]
