"""A store with a help desk that calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from smsflow_plugin import clock
from smsflow_plugin.conf import DEFAULTS
from smsflow_plugin.integrations.helpdesk.connecting import MakeHelpDeskSecret
from smsflow_plugin.integrations.helpdesk.signature import signature
from smsflow_plugin.models import Connection, Store
from tests.conftest import TestClock
from tests.dispatch.conftest import gateway  # noqa: F401 - a fixture

Call = Callable[..., int]


@pytest.fixture(autouse=True)
def _world(settings: Any, still: TestClock) -> None:
    """The clock stands still, and deliveries of the source "test" are understood as well."""
    translators = {**DEFAULTS["TRANSLATORS"], "test": "tests.engine.helpers.translate"}
    settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": translators}


@pytest.fixture
def secret(store: Store) -> str:
    return MakeHelpDeskSecret(store, None).execute(skip_permission_checks=True)


@pytest.fixture
def connection(store: Store, secret: str) -> Connection:
    return Connection.objects.get(store=store, kind="helpdesk")


@pytest.fixture
def call(connection: Connection, secret: str) -> Call:
    """Post to the store's address as its help desk does, and return the answer's status."""

    def post(
        payload: Any, *, key: str = secret, ago: int = 0, headers: dict[str, str] | None = None, token: str = ""
    ) -> int:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        signed = {"SMSFlow-Signature": signature(key, body, int(clock.now().timestamp()) - ago)}
        return (
            Client(enforce_csrf_checks=True)
            .post(
                f"/smsflow/helpdesk/{token or connection.token}/cases/",
                data=body,
                content_type="application/json",
                headers=signed if headers is None else headers,
            )
            .status_code
        )

    return post


def told(event: str = "opened", case: Any = "77", **more: Any) -> dict[str, Any]:
    """What a help desk says of Ada's case."""
    body = {"id": f"{event}-{case}", "event": event, "case": case, "contact": {"phone": "+12025550101"}}
    return {**body, **more}
