"""The network's own threads: they move texts on and make the callbacks, with Sinch's patience."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import secrets
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Condition, Thread
from typing import Any

from smsflow_plugin.integrations.simulator.network.clock import NetworkClock
from smsflow_plugin.integrations.simulator.network.lifecycle import Lifecycle
from smsflow_plugin.integrations.simulator.network.storage import Database

FIRST_RETRY = 5.0
#: Callbacks under way at a time.
AT_ONCE = 32
#: 5 s, 10, 20 … 81,920: then Sinch gives up.
MAX_ATTEMPTS = 16


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


class Courier:
    """:param pace: factor on the retry delays; tests make it tiny.

    :param secret_of: returns what signs the callbacks of their owner, or "".
    """

    def __init__(
        self,
        database: Database,
        clock: NetworkClock,
        secret_of: Callable[[str], str],
        lifecycle: Lifecycle,
        *,
        pace: float,
        timeout: float,
    ) -> None:
        self._database = database
        self._clock = clock
        self._secret_of = secret_of
        self._lifecycle = lifecycle
        self._pace = pace
        self._timeout = timeout
        self._news = Condition()
        self._woken = False
        self._running = False
        self._thread: Thread | None = None
        self._under_way: set[int] = set()
        # the stand-in talks to this machine only: never through a proxy of the environment
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)

    def start(self) -> None:
        self._running = True
        self._thread = Thread(target=self._run, name="network-courier", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the callbacks that are under way."""
        self._running = False
        self.wake()
        if self._thread is not None:
            self._thread.join()

    def wake(self) -> None:
        """Something has changed: look now."""
        with self._news:
            self._woken = True
            self._news.notify_all()

    def _run(self) -> None:
        with ThreadPoolExecutor(max_workers=4, thread_name_prefix="network-callback") as pool:
            while self._running:
                moved = self._lifecycle.advance()
                started = self._start_callbacks(pool.submit)
                if not moved and not started:
                    self._sleep()

    def _sleep(self) -> None:
        due = [moment for moment in (self._lifecycle.next_due(), self._next_callback()) if moment is not None]
        seconds = min([1.0, *(max(moment - self._clock.now(), 0.0) for moment in due)])
        with self._news:
            self._news.wait_for(lambda: self._woken, timeout=max(seconds, 0.001))
            self._woken = False

    def _next_callback(self) -> float | None:
        """Return when to look again; a callback that ends wakes us anyway."""
        with self._database.transaction() as sql:
            if len(self._under_way) >= AT_ONCE:
                return None
            rows = sql.execute(
                "SELECT id, due_at FROM callbacks WHERE state = 'pending' ORDER BY due_at, id LIMIT ?", (AT_ONCE + 1,)
            )
            return next((row["due_at"] for row in rows if row["id"] not in self._under_way), None)

    def _start_callbacks(self, submit: Callable[..., Any]) -> int:
        with self._database.transaction() as sql:
            due = sql.execute(
                "SELECT * FROM callbacks WHERE state = 'pending' AND due_at <= ? ORDER BY due_at, id LIMIT ?",
                (self._clock.now(), AT_ONCE),
            ).fetchall()
            fresh = [row for row in due if row["id"] not in self._under_way]
            fresh = fresh[: AT_ONCE - len(self._under_way)]
            self._under_way.update(row["id"] for row in fresh)
        for row in fresh:
            submit(self._deliver, row)
        return len(fresh)

    def _deliver(self, row: sqlite3.Row) -> None:
        """Make one attempt and note what came of it."""
        attempts = row["attempts"] + 1
        try:
            answer = self._post(row)
        except (OSError, http.client.HTTPException):
            answer = 0
        retry = answer == 0 or answer == 429 or answer >= 500
        if 200 <= answer < 300:
            state = "done"
        elif retry and attempts < MAX_ATTEMPTS:
            state = "pending"
        else:
            state = "refused"
        due_at = self._clock.now() + FIRST_RETRY * 2 ** (attempts - 1) * self._pace
        with self._database.transaction() as sql:
            sql.execute(
                "UPDATE callbacks SET state = ?, attempts = ?, answer = ?, due_at = ? WHERE id = ?",
                (state, attempts, answer, due_at, row["id"]),
            )
            if state != "pending":
                # what was held back goes now, behind this one
                release = "UPDATE callbacks SET state = 'pending', due_at = ? WHERE state = 'held' AND url = ?"
                sql.execute(release, (self._clock.now(), row["url"]))
            self._under_way.discard(row["id"])
        self.wake()

    def _post(self, row: sqlite3.Row) -> int:
        """Return the status of the answer."""
        body = row["body"].encode()
        headers = {"Content-Type": "application/json", **self._signature(row, body)}
        request = urllib.request.Request(row["url"], data=body, headers=headers, method="POST")  # noqa: S310 - configured
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def _signature(self, row: sqlite3.Row, body: bytes) -> dict[str, str]:
        """Sign each attempt anew, as of now."""
        secret = self._secret_of(row["plan"])
        if row["seal"] == "forged":
            secret = secrets.token_hex(16)
        if not secret or row["seal"] == "unsigned":
            return {}
        return sign(secret, body, nonce=secrets.token_hex(13).upper(), timestamp=str(int(self._clock.now())))


def sign(secret: str, body: bytes, *, nonce: str, timestamp: str) -> dict[str, str]:
    """Return the headers with which Sinch vouches for a callback."""
    digest = hmac.new(secret.encode(), b".".join((body, nonce.encode(), timestamp.encode())), hashlib.sha256).digest()
    return {
        "x-sinch-webhook-signature": base64.b64encode(digest).decode(),
        "x-sinch-webhook-signature-nonce": nonce,
        "x-sinch-webhook-signature-timestamp": timestamp,
        "x-sinch-webhook-signature-algorithm": "HmacSHA256",
    }
