"""A shop whose answers the test writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from threading import Lock
from typing import Any

import pytest

from smsflow_plugin.integrations.shopify.admin import client, tokens, transport
from smsflow_plugin.integrations.shopify.admin.grants import Granted
from smsflow_plugin.integrations.shopify.admin.transport import Answer
from smsflow_plugin.integrations.shopify.models import Grant, ShopifyApp
from smsflow_plugin.models import Connection, Store
from tests.conftest import TestClock

Reply = Answer | Exception | Callable[[Mapping[str, Any], Mapping[str, str]], Answer]


class Shop:
    """Answers in order, the last answer again and again; ``asked`` are (url, body, headers)."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.asked: list[tuple[str, Mapping[str, Any], Mapping[str, str]]] = []
        self._guard = Lock()

    def says(self, *replies: Reply) -> None:
        self.replies = list(replies)

    def post(self, url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
        with self._guard:
            self.asked.append((url, body, headers or {}))
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply(body, headers or {}) if callable(reply) else reply


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = Shop()
    monkeypatch.setattr(transport, "post", made.post)
    monkeypatch.setattr(client, "_buckets", {})
    return made


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it slept, in seconds; nobody really does."""
    taken: list[float] = []
    monkeypatch.setattr(client.time, "sleep", taken.append)
    return taken


@pytest.fixture
def app(db: None) -> ShopifyApp:
    return ShopifyApp.objects.create(name="Texts", client_id="app-1", secrets={"secret": "s3cret"})


@pytest.fixture
def connection(store: Store, still: TestClock) -> Connection:
    return store.connections.get(kind="shopify")


@pytest.fixture
def grant(connection: Connection, app: ShopifyApp) -> Grant:
    """An hour's token that was just given."""
    hour, quarter = timedelta(hours=1), timedelta(days=90)
    granted = Granted("token-1", "refresh-1", ("write_customers", "read_orders"), hour, quarter)
    return tokens.save(connection, kind=Grant.Kind.EXPIRING, granted=granted, app=app)


def ok(**data: Any) -> Answer:
    return Answer(200, {}, {"data": data})
