"""A Shopify of its own for every test, and somebody who listens to its webhooks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from smsflow_plugin.integrations.simulator.shopify_api import RunningShop, running_shop
from tests.simulator_network.conftest import Listener, listener  # noqa: F401 - the fixture
from tests.simulator_shop.documents import DOCS, MORE


class Admin:
    """Bare HTTP, so that these tests see what goes over the line."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["X-Shopify-Access-Token"] = token

    def post(self, document: str, **variables: Any) -> requests.Response:
        text = (DOCS | MORE).get(document, document)
        return self.session.post(self.url, json={"query": text, "variables": variables}, timeout=20)

    def __call__(self, document: str, **variables: Any) -> dict[str, Any]:
        """Return the data of an answer without errors."""
        body = self.post(document, **variables).json()
        assert "errors" not in body, body
        data: dict[str, Any] = body["data"]
        return data

    def errors(self, document: str, **variables: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.post(document, **variables).json()["errors"]
        return found

    def subscribe(self, topic: str, uri: str, **more: Any) -> str:
        made = self("webhook_create", topic=topic, w={"uri": uri, **more})["webhookSubscriptionCreate"]
        assert made["userErrors"] == []
        return str(made["webhookSubscription"]["id"])

    def finished(self, query: str) -> dict[str, Any]:
        """Run a bulk operation to its end."""
        number = self("bulk_run", q=query)["bulkOperationRunQuery"]["bulkOperation"]["id"]
        return wait_for(lambda: _ended(self("bulk_poll", id=number)["bulkOperation"]))


def _ended(operation: dict[str, Any]) -> dict[str, Any] | None:
    return None if operation["status"] in ("CREATED", "RUNNING", "CANCELING") else operation


def wait_for(look: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Look until there is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.03)
    raise AssertionError("It did not happen.")


@pytest.fixture
def shopify() -> Iterator[RunningShop]:
    with running_shop(code_delay=0.0, pace=0.0002, webhooks_at_once=1) as server:
        yield server


@pytest.fixture
def admin(shopify: RunningShop) -> Iterator[Admin]:
    api = Admin(shopify.graphql_url, shopify.token)
    yield api
    api.session.close()


@pytest.fixture
def ada(shopify: RunningShop) -> dict[str, Any]:
    return shopify.shop.add_customer(firstName="Ada", lastName="Berg", phone="+12025550101", email="ada@example.com")


def gid(kind: str, thing: dict[str, Any]) -> str:
    return f"gid://shopify/{kind}/{thing['id']}"
