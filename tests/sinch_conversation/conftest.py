"""A stand-in of the Conversation API that answers what a test tells it to, over real HTTP, to the real SDK."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.integrations.sinch.conversation_gateway import ConversationGateway
from smsflow_plugin.messaging.gateway import OutboundText

PROJECT, APP, KEY_ID, KEY_SECRET = "project-1", "app-1", "key-1", "key-secret-that-nobody-may-log"
SENDER, ADA, BOB = "+12025550100", "+12025550101", "+12025550102"

SAMPLES = next(
    (
        found
        for place in Path(__file__).resolve().parents[3:5]
        if (found := place / "shared" / "fixtures" / "sinch").is_dir()
    ),
    Path("no shared fixtures"),
)
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="Sinch's samples are not on this machine")


@dataclass(frozen=True)
class Answer:
    """What is answered once instead of the usual. Without a status the line is cut."""

    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    #: Whether the text is taken all the same.
    taken: bool = False


@dataclass
class Sinch:
    """``answers`` by operation (token, send, list, app) are used up first; then all goes well."""

    url: str
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    app: dict[str, Any] = field(default_factory=lambda: dict(THE_APP))
    page_size: int = 1000
    valid_tokens: set[str] = field(default_factory=set)

    def next(self, operation: str, *answers: Answer) -> None:
        self.answers.setdefault(operation, []).extend(answers)

    def sent(self) -> list[dict[str, Any]]:
        return [body for operation, body in self.calls if operation == "send"]

    def made(self, operation: str) -> int:
        return sum(name == operation for name, _body in self.calls)


THE_APP = {
    "id": APP,
    "display_name": "Sierra Gear",
    "processing_mode": "DISPATCH",
    "dispatch_retention_policy": {"retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": 7},
}


def said(status: int, word: str = "", message: str = "", **headers: str) -> Answer:
    """An answer with an error as the API words it."""
    body = json.dumps({"error": {"code": status, "status": word, "message": message}}).encode()
    return Answer(status, body, headers)


class Handler(BaseHTTPRequestHandler):
    sinch: Sinch

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path == f"/v1/projects/{PROJECT}/messages":
            self._answer("list", query, lambda: self._list(query))
        elif parts.path == f"/v1/projects/{PROJECT}/apps/{APP}":
            self._answer("app", query, lambda: self.sinch.app)
        else:
            self._write(404, json.dumps({"error": {"code": 404}}).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/oauth2/token":
            self._answer("token", body.decode(), self._token)
        elif self.path == f"/v1/projects/{PROJECT}/messages:send":
            self._answer("send", json.loads(body), lambda: self._take(json.loads(body)))
        else:
            self._write(404, json.dumps({"error": {"code": 404}}).encode())

    def _answer(self, operation: str, request: Any, usual: Callable[[], Any]) -> None:
        self.sinch.calls.append((operation, request))
        waiting = self.sinch.answers.get(operation)
        if waiting:
            answer = waiting.pop(0)
            if answer.taken:
                usual()
            if answer.status:
                self._write(answer.status, answer.body, answer.headers)
            else:
                self.close_connection = True
            return
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if operation != "token" and token not in self.sinch.valid_tokens:
            self._write(401, json.dumps({"error": {"code": 401, "status": "UNAUTHENTICATED"}}).encode())
            return
        self._write(200, json.dumps(usual()).encode())

    def _token(self) -> dict[str, Any]:
        token = f"token-{self.sinch.made('token')}"
        self.sinch.valid_tokens.add(token)
        return {"access_token": token, "expires_in": 3599, "scope": "", "token_type": "bearer"}

    def _take(self, request: dict[str, Any]) -> dict[str, Any]:
        message = {
            "id": f"M{len(self.sinch.messages) + 1}",
            "direction": "TO_CONTACT",
            "metadata": request.get("message_metadata", ""),
            "app_message": request["message"],
            "channel_identity": {**request["recipient"]["identified_by"]["channel_identities"][0], "app_id": APP},
        }
        self.sinch.messages.insert(0, message)
        return {"message_id": message["id"], "accepted_time": "2026-03-04T16:00:00Z"}

    def _list(self, query: dict[str, str]) -> dict[str, Any]:
        listed = [one for one in self.sinch.messages if one["direction"] == query.get("direction", one["direction"])]
        start = int(query.get("page_token") or 0)
        end = start + self.sinch.page_size
        return {"messages": listed[start:end], "next_page_token": str(end) if end < len(listed) else ""}

    def _write(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def sinch(settings: Any) -> Iterator[Sinch]:
    settings.SMSFLOW = {
        **settings.SMSFLOW,
        "GATEWAY_TIMEOUT": (2, 5),
        "PUBLIC_URL": "https://shop.example",
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OneTest", (Handler,), {}))
    stand_in = Sinch(f"http://127.0.0.1:{server.server_address[1]}")
    server.RequestHandlerClass.sinch = stand_in  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield stand_in
    server.shutdown()
    server.server_close()
    thread.join()
    smsflow_settings.reload()


GatewayMaker = Callable[..., ConversationGateway]


@pytest.fixture
def gateway_at() -> GatewayMaker:
    def make(url: str, **changes: Any) -> ConversationGateway:
        values = {"token": "path-token", "account": PROJECT, "secrets": {"key_id": KEY_ID, "key_secret": KEY_SECRET}}
        settings = {"app_id": APP, "conversation_origin": url, "auth_origin": url, **changes.pop("settings", {})}
        return ConversationGateway(**{**values, "settings": settings, **changes})

    return make


@pytest.fixture
def gateway(sinch: Sinch, gateway_at: GatewayMaker) -> ConversationGateway:
    return gateway_at(sinch.url)


def text(**values: Any) -> OutboundText:
    """A text to Ada, with whatever the test is about."""
    defaults = {"reference": "ref-1", "sender": SENDER, "body": "Hello", "recipients": (ADA,)}
    return OutboundText(**{**defaults, **values})
