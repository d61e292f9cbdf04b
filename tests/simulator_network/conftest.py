"""A network of its own for every test, and somebody who listens to its callbacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

import pytest
import requests
from sinch import SinchClient
from sinch.core.clients.retry_configuration import RetryConfiguration
from sinch.core.enums import RetryPolicy

from smsflow_plugin.integrations.simulator.network import NetworkServer, running_network
from smsflow_plugin.integrations.simulator.network.client import NetworkClient

PLAN, TOKEN, SECRET = "plan-1", "api-token", "callback-secret"
SENDER, ADA, BOB = "+12025550100", "+12025550101", "+12025550102"


@dataclass
class Listener:
    """What came in, and what to answer: ``answers`` are used up first, then it is 200."""

    url: str
    answers: list[int] = field(default_factory=list)
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def payloads(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _headers, body in self.calls]


@pytest.fixture
def listener() -> Iterator[Listener]:
    guard = Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with guard:
                heard.calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
                answer = heard.answers.pop(0) if heard.answers else 200
            self.send_response(answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    heard = Listener(f"http://127.0.0.1:{server.server_address[1]}/callbacks/")
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield heard
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def network(listener: Listener) -> Iterator[NetworkServer]:
    with running_network(pace=0.002) as server:
        yield server


@pytest.fixture
def operator(network: NetworkServer, listener: Listener) -> NetworkClient:
    """The network's control API, with one plan that calls back to the listener, unsigned."""
    client = NetworkClient(network.url)
    client.configure_plan(PLAN, token=TOKEN, callback_url=listener.url)
    return client


class SinchApi:
    """Bare HTTP, so that these tests see what goes over the line."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/xms/v1/{PLAN}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {TOKEN}"

    def send(self, **values: Any) -> requests.Response:
        batch = {"to": [ADA], "from": SENDER, "body": "Hello", **values}
        return self.session.post(f"{self.url}/batches", json=batch, timeout=10)

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.session.get(f"{self.url}/{path}", params=query, timeout=10)


@pytest.fixture
def sinch(network: NetworkServer, operator: NetworkClient) -> Iterator[SinchApi]:
    api = SinchApi(network.url)
    yield api
    api.session.close()


PROJECT, KEY_ID, KEY_SECRET, APP = "project-1", "key-1", "key-secret", "app-1"


@pytest.fixture
def app(network: NetworkServer, operator: NetworkClient, listener: Listener) -> str:
    """An app of the Conversation API that sends by RCS and SMS and calls back to the listener."""
    operator.configure_project(PROJECT, key_id=KEY_ID, key_secret=KEY_SECRET)
    operator.configure_app(
        APP,
        project=PROJECT,
        channels=["RCS", "SMS"],
        sender=SENDER,
        callback_url=listener.url,
        callback_secret=SECRET,
        triggers=["MESSAGE_DELIVERY", "MESSAGE_INBOUND", "MESSAGE_SUBMIT"],
    )
    return APP


def official_client(url: str, **options: Any) -> SinchClient:
    """The official SDK, led to the network; a project's unless the options say otherwise."""
    keys = options or {"project_id": PROJECT, "key_id": KEY_ID, "key_secret": KEY_SECRET}
    client = SinchClient(retry_configuration=RetryConfiguration(RetryPolicy.NONE), **keys)
    client.configuration.auth_origin = url
    client.configuration.sms_origin = url
    client.configuration.sms_origin_with_service_plan_id = url
    client.configuration.conversation_origin = url
    client.configuration.transport.http_session.trust_env = False
    return client


@pytest.fixture
def client(network: NetworkServer, app: str) -> SinchClient:
    """The official SDK with the keys of the app's project."""
    return official_client(network.url)
