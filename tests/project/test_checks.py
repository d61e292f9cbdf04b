"""Each system check speaks when it should, and is silent for the bundled site."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import checks as django_checks
from django.core.checks import CheckMessage

from smsflow_plugin import checks


def ids(found: list[CheckMessage]) -> list[str | None]:
    return [message.id for message in found]


def smsflow(settings: Any, **values: Any) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, **values}


ALL = (
    checks.check_settings,
    checks.check_encryption_keys,
    checks.check_apps,
    checks.check_sqlite,
    checks.check_form_size,
    checks.check_time_zones,
    checks.check_tasks,
)


@pytest.mark.parametrize("check", ALL)
def test_the_bundled_site_passes(check: Any) -> None:
    assert check(None) == []


@pytest.mark.parametrize("check", [*ALL, *(getattr(checks, name) for name in dir(checks) if "deployment" in name)])
def test_every_check_is_registered(check: Any) -> None:
    registry = django_checks.registry.registry
    assert check in registry.get_checks(include_deployment_checks=True)
    assert (check in registry.get_checks()) == ("deployment" not in check.__name__)


def test_credentials_need_a_key(settings: Any) -> None:
    smsflow(settings, ENCRYPTION_KEYS=[])
    assert ids(checks.check_encryption_keys(None)) == ["smsflow.E001"]


def test_every_key_is_looked_at(settings: Any) -> None:
    smsflow(settings, ENCRYPTION_KEYS=[settings.SMSFLOW["ENCRYPTION_KEYS"][0], "short", None])
    found = checks.check_encryption_keys(None)
    assert ids(found) == ["smsflow.E002", "smsflow.E002"]
    assert "[1]" in found[0].msg
    assert "short" not in found[0].msg  # a mistyped key is still a secret


def test_a_missing_app_is_named(monkeypatch: Any) -> None:
    monkeypatch.setattr(checks.apps, "is_installed", lambda name: name != "phonenumber_field")
    found = checks.check_apps(None)
    assert ids(found) == ["smsflow.E003"]
    assert "phonenumber_field" in found[0].msg


@pytest.mark.parametrize("options", [{}, {"transaction_mode": "DEFERRED"}, {"transaction_mode": None}])
def test_sqlite_must_take_the_write_lock_first(monkeypatch: Any, settings: Any, options: dict[str, Any]) -> None:
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": "x", "OPTIONS": options}
    monkeypatch.setattr(checks.settings, "DATABASES", {"default": sqlite})
    assert ids(checks.check_sqlite(None)) == ["smsflow.W004"]


def test_postgresql_has_no_such_mode(monkeypatch: Any, settings: Any) -> None:
    monkeypatch.setattr(checks.settings, "DATABASES", {"default": {"ENGINE": "django.db.backends.postgresql"}})
    assert checks.check_sqlite(None) == []


@pytest.mark.parametrize(("limit", "expected"), [(1000, ["smsflow.E005"]), (5000, []), (None, [])])
def test_a_large_flow_must_fit_into_one_form(settings: Any, limit: int | None, expected: list[str]) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = limit
    assert ids(checks.check_form_size(None)) == expected


def test_time_zones_must_be_on(settings: Any) -> None:
    settings.USE_TZ = False
    assert ids(checks.check_time_zones(None)) == ["smsflow.E006"]


def test_wagtails_tasks_wait_for_the_commit(settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": "huey.contrib.djhuey.tasks_backend.HueyBackend"}}
    assert ids(checks.check_tasks(None)) == ["smsflow.W007"]


def test_a_misspelt_setting_is_an_error(settings: Any) -> None:
    smsflow(settings, PUBLIC_ULR="https://texts.example.com")
    found = checks.check_settings(None)
    assert ids(found) == ["smsflow.E008"]
    assert "PUBLIC_ULR" in found[0].msg
    # the others leave it at that
    assert checks.check_encryption_keys(None) == []
    assert checks.check_demo_for_deployment(None) == []
    assert checks.check_public_url_for_deployment(None) == []


def test_a_clock_that_does_not_exist_is_an_error(settings: Any) -> None:
    smsflow(settings, CLOCK="smsflow_plugin.clock.sundial")
    assert ids(checks.check_settings(None)) == ["smsflow.E008"]


def test_a_gateway_that_does_not_exist_is_an_error(settings: Any) -> None:
    smsflow(settings, GATEWAYS={"pigeon": "birds.Pigeon"}, TRANSLATORS={"pigeon": "birds.translate"})
    assert ids(checks.check_settings(None)) == ["smsflow.E012", "smsflow.E012"]


@pytest.mark.parametrize("huey", [{"immediate": True}, {}])
def test_tasks_must_not_run_inside_a_request(settings: Any, huey: dict[str, Any]) -> None:
    settings.DEBUG = True  # what Huey takes when the setting is silent
    settings.HUEY = huey
    assert ids(checks.check_queue_for_deployment(None)) == ["smsflow.E009"]


def test_a_queue_with_a_worker_is_fine(settings: Any) -> None:
    settings.HUEY = {"immediate": False}
    assert checks.check_queue_for_deployment(None) == []


@pytest.mark.parametrize("name", ["DEMO", "SIMULATOR"])
def test_the_demo_must_not_be_deployed(settings: Any, name: str) -> None:
    smsflow(settings, DEMO=False, SIMULATOR=False)
    assert checks.check_demo_for_deployment(None) == []
    smsflow(settings, **{name: True})
    assert ids(checks.check_demo_for_deployment(None)) == ["smsflow.E010"]


@pytest.mark.parametrize("url", ["http://texts.example.com", "https://localhost:8000", "texts.example.com", ""])
def test_vendors_need_a_public_and_safe_address(settings: Any, url: str) -> None:
    smsflow(settings, PUBLIC_URL=url)
    assert ids(checks.check_public_url_for_deployment(None)) == ["smsflow.E011"]


def test_an_https_address_is_fine(settings: Any) -> None:
    smsflow(settings, PUBLIC_URL="https://texts.example.com")
    assert checks.check_public_url_for_deployment(None) == []


@pytest.mark.parametrize(("after", "found"), [(60, []), (18, ["smsflow.W013"])])
def test_a_call_that_is_under_way_must_not_be_taken_for_lost(settings: Any, after: int, found: list[str]) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "RECONCILE_AFTER": after, "GATEWAY_TIMEOUT": (3.05, 15)}
    assert ids(checks.check_reconcile(None)) == found
