"""HTTP for the network: standard library only, one thread a connection."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Protocol

from smsflow_plugin.integrations.simulator.network.control import Control
from smsflow_plugin.integrations.simulator.network.conversation.api import ConversationApi
from smsflow_plugin.integrations.simulator.network.conversation.oauth import TokenApi
from smsflow_plugin.integrations.simulator.network.core import Network
from smsflow_plugin.integrations.simulator.network.http import Answer, Call, Handler
from smsflow_plugin.integrations.simulator.network.sms_api import SmsApi

LARGEST_BODY = 16 * 1024 * 1024
PIECE = 256 * 1024


class Companion(Protocol):
    """Another vendor behind the same address: it has doors of its own, and begins and ends with the network."""

    def doors(self, url: str) -> Mapping[str, Handler]:
        """Return what to answer for the first part of a path; ``url`` is the server's address."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


class NetworkServer:
    """A network behind an address. ``start`` answers from threads of its own until ``stop``."""

    def __init__(
        self, network: Network, host: str = "127.0.0.1", port: int = 0, companions: Sequence[Companion] = ()
    ) -> None:
        self.network = network
        self._companions = companions
        self.stopping = Event()
        self._http = _HttpServer((host, port), self)
        self._thread = Thread(target=self._http.serve_forever, args=(0.05,), name="network-http", daemon=True)
        self.doors: dict[str, Handler] = {
            "xms": SmsApi(network),
            "v1": ConversationApi(network),
            "oauth2": TokenApi(network),
            "_control": Control(network),
        }
        for companion in companions:
            self.doors |= companion.doors(self.url)

    @property
    def url(self) -> str:
        host, port = self._http.server_address[:2]
        return f"http://{str(host)}:{port}"

    def start(self) -> None:
        self.network.start()
        for companion in self._companions:
            companion.start()
        self._thread.start()

    def stop(self) -> None:
        """Hang up on everybody, and forget nothing."""
        self.stopping.set()
        self._http.shutdown()
        self._http.hang_up()
        self._http.server_close()
        self._thread.join()
        for companion in self._companions:
            companion.stop()
        self.network.stop()


class _HttpServer(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = False  # so that server_close waits for them

    def __init__(self, address: tuple[str, int], server: NetworkServer) -> None:
        self.network_server = server
        self._open: set[socket.socket] = set()
        self._guard = Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer would ask DNS for this host's name
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # or it could not be restarted for a minute
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the connections that clients keep open."""
        with self._guard:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news here."""


class _Handler(BaseHTTPRequestHandler):
    server: _HttpServer
    protocol_version = "HTTP/1.1"
    server_version = "SimulatedSinch"
    disable_nagle_algorithm = True
    wbufsize = -1

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            return self._write(Answer(413, {"code": "too_large", "text": "The body is too large."}))
        call = Call.read(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
        door = self.server.network_server.doors.get(call.path[0])
        missing = Answer(404, {"code": "not_found", "text": "There is nothing at this address."})
        return self._write(door(call) if door else missing)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _write(self, answer: Answer) -> None:
        if answer.hold:
            self.server.network_server.stopping.wait(answer.hold)
        if answer.cut == "reset":
            # closing a socket that lingers for no time sends RST instead of FIN
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        if answer.cut == "silent":
            self.close_connection = True
            return
        if answer.file is not None:
            self._stream(answer, answer.file)
            return
        body = answer.body()
        self._head(answer, len(body))
        if answer.cut == "half":
            self.close_connection = True
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def _stream(self, answer: Answer, path: Path) -> None:
        """Send a file in pieces."""
        with path.open("rb") as file:
            size = path.stat().st_size
            self._head(answer, size)
            left = size // 2 if answer.cut == "half" else size
            self.close_connection = self.close_connection or left < size
            while left > 0 and (piece := file.read(min(left, PIECE))):
                self.wfile.write(piece)
                left -= len(piece)

    def _head(self, answer: Answer, length: int) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(length))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: numbers and texts stay out of every log."""


def serve(
    network: Network, port: int = 0, *, host: str = "127.0.0.1", companions: Sequence[Companion] = ()
) -> NetworkServer:
    """Start to answer for the network; port 0 takes a free one."""
    server = NetworkServer(network, host, port, companions)
    server.start()
    return server


@contextmanager
def running_network(**options: Any) -> Iterator[NetworkServer]:
    """A network for a test, at ``.url``, with the options of ``Network``."""
    server = serve(Network(**options))
    try:
        yield server
    finally:
        server.stop()
