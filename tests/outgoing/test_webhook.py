"""Webhooks of flows, against a real server and against addresses that must never be called."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from smsflow_plugin.engine.performing import Failed, Job
from smsflow_plugin.integrations.outgoing.webhook import perform, secret_of
from smsflow_plugin.models import Connection, Contact, Store

pytestmark = pytest.mark.django_db


class Other:
    """Another system: answers as it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.status, self.headers, self.body = 200, {}, b'{"points": 12}'
        other = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                other.asked.append((self.path, dict(self.headers), body))
                self.send_response(other.status)
                for name, value in other.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(other.body)))
                self.end_headers()
                self.wfile.write(other.body)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def other(settings: Any) -> Iterator[Other]:
    settings.SMSFLOW = {**settings.SMSFLOW, "WEBHOOK_HOSTS": ["127.0.0.1"]}
    other = Other()
    yield other
    other.server.shutdown()
    other.server.server_close()


def job(contact: Contact, **payload: Any) -> Job:
    return Job("7:step:0", contact.store, contact, "Welcome", "marketing", payload)


def test_the_request_is_signed_with_the_stores_secret_and_its_answer_comes_back(contact: Contact, other: Other) -> None:
    assert perform(job(contact, url=other.url, body='{"a": 1}')) == {"points": 12}

    (path, headers, body), *rest = other.asked
    assert not rest
    assert (path, body, headers["SMSFlow-Key"]) == ("/hook", b'{"a": 1}', "7:step:0")
    moment, digest = (part.split("=")[1] for part in headers["SMSFlow-Signature"].split(","))
    secret = secret_of(contact.store)
    assert digest == hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()


def test_without_a_body_it_says_who_and_why(contact: Contact, other: Other) -> None:
    perform(job(contact, url=other.url))
    told = json.loads(other.asked[0][2])
    assert told["flow"] == "Welcome"
    assert told["contact"]["phone"] == contact.phone


def test_every_store_has_a_secret_of_its_own_that_stays(store: Store, danish_store: Store) -> None:
    assert secret_of(store) == secret_of(store)
    assert secret_of(store) != secret_of(danish_store)
    assert secret_of(store) not in str(Connection.objects.filter(kind="webhook").values_list("account", "settings"))


@pytest.mark.parametrize(("status", "again"), [(500, True), (429, True), (404, False), (302, False)])
def test_an_answer_that_is_no_success_fails_and_says_whether_to_try_again(
    contact: Contact, other: Other, status: int, again: bool
) -> None:
    other.status, other.headers = status, {"Location": "http://169.254.169.254/"}
    with pytest.raises(Failed, match=str(status)) as failure:
        perform(job(contact, url=other.url))
    assert failure.value.again is again
    assert len(other.asked) == 1, "redirects are not followed"


def test_an_endless_answer_is_cut_off(contact: Contact, other: Other) -> None:
    other.body = b"x" * 100_000
    with pytest.raises(Failed, match="too long"):
        perform(job(contact, url=other.url))


def test_text_that_is_no_json_is_kept_as_text(contact: Contact, other: Other) -> None:
    other.body = b"thank you\x00\n"
    assert perform(job(contact, url=other.url)) == "thank you"


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)", "//example.com", ""],
)
def test_only_https_is_called(contact: Contact, url: str) -> None:
    with pytest.raises(Failed, match="https://") as failure:
        perform(job(contact, url=url))
    assert not failure.value.again


@pytest.mark.parametrize("url", ["https://user:secret@example.com/", "https://", "https:///path"])
def test_an_address_without_a_host_or_with_a_password_is_refused(contact: Contact, url: str) -> None:
    with pytest.raises(Failed, match="cannot be called"):
        perform(job(contact, url=url))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "[::1]",
        "[::ffff:10.0.0.1]",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "[64:ff9b::a00:1]",
        "[fe80::1]",
        "[fc00::1]",
        "224.0.0.1",
        "0.0.0.0",
    ],
)
def test_an_address_inside_a_network_is_never_called(contact: Contact, host: str) -> None:
    with pytest.raises(Failed, match="inside a network") as failure:
        perform(job(contact, url=f"https://{host}/latest"))
    assert not failure.value.again


def test_a_name_that_leads_inside_is_seen_through(contact: Contact, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.8", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: inside)
    with pytest.raises(Failed, match="inside a network"):
        perform(job(contact, url="https://harmless.example/"))


def test_a_server_that_is_away_is_tried_again(contact: Contact, other: Other) -> None:
    url = other.url
    other.server.shutdown()
    other.server.server_close()
    with pytest.raises(Failed) as failure:
        perform(job(contact, url=url))
    assert failure.value.again
