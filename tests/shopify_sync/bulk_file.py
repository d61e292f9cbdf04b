"""A bulk operation's file behind HTTP, as Shopify's storage serves it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.shopify_sync.conftest import LINE


def jsonl(*nodes: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(node).encode() + b"\n" for node in nodes)


def order_lines(order: dict[str, Any], *titles: str) -> Iterable[dict[str, Any]]:
    """The lines of an order, as the file has them."""
    number = order["id"].rpartition("/")[2]
    return [
        {**LINE, "id": f"gid://shopify/LineItem/{number}{place}", "title": title, "__parentId": order["id"]}
        for place, title in enumerate(titles)
    ]


def bulk_order(order: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in order.items() if name not in ("lineItems",)}


class FileServer:
    """Serves ``files`` by their paths. ``ranges`` False ignores the header; ``cut`` breaks off after so many bytes."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.ranges = True
        self.cut: list[int] = []
        self.gone: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.url = ""


@contextmanager
def serving(server: FileServer) -> Iterator[FileServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            wanted = self.headers.get("Range") or ""
            server.asked.append((self.path, wanted))
            body = server.files.get(self.path)
            if body is None or self.path in server.gone:
                self.send_response(403 if body else 404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and server.ranges else 0
            if wanted and server.ranges and start >= len(body):
                self.send_response(416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if wanted and server.ranges else 200)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            part = body[start:]
            if server.cut:
                self.wfile.write(part[: server.cut.pop(0)])
                self.close_connection = True
                return
            with suppress(ConnectionError):  # whoever has read enough hangs up
                self.wfile.write(part)

        def log_message(self, *args: Any) -> None:
            pass

        def handle(self) -> None:
            with suppress(ConnectionError):
                super().handle()

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
