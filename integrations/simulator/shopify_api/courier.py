"""Webhooks on their way: signed, posted, tried again, and given up on, as Shopify does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import secrets
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Condition, Thread
from typing import Any

from smsflow_plugin.integrations.simulator.network.storage import Database
from smsflow_plugin.integrations.simulator.shopify_api import letters
from smsflow_plugin.integrations.simulator.shopify_api.faults import WEBHOOK_FAULTS, ShopFaults
from smsflow_plugin.integrations.simulator.shopify_api.search import fits
from smsflow_plugin.integrations.simulator.shopify_api.storage import Doc, Things

#: 1 minute, 2, 4 … eight times in about four hours.
FIRST_RETRY, MOST_RETRIES = 60.0, 8
#: A subscription that was made through the API is deleted then.
MOST_FAILURES = 8
AT_ONCE = 16


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


def enum_of(topic: str) -> str:
    """Return a topic as GraphQL writes it: ``customer.tags_added`` is CUSTOMER_TAGS_ADDED."""
    return topic.replace("/", "_").replace(".", "_").upper()


class Courier:
    """:param pace: factor on the pauses between attempts; tests make it tiny.

    :param at_once: workers; with one, webhooks arrive in the order in which they were sent.
    """

    def __init__(
        self,
        database: Database,
        faults: ShopFaults,
        now: Callable[[], float],
        *,
        pace: float = 1.0,
        timeout: float = 5.0,
        at_once: int = 4,
    ) -> None:
        self._database = database
        self._faults = faults
        self._now = now
        self._pace = pace
        self._timeout = timeout
        self._at_once = at_once
        self._news = Condition()
        self._woken = False
        self._running = False
        self._thread: Thread | None = None
        self._under_way: set[int] = set()
        # the stand-in talks to this machine only: never through a proxy of the environment
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)

    # Sending ---------------------------------------------------------------------------------

    def tell(self, shop: Doc, topic: str, payload: Doc, *, only: str = "") -> None:
        """Write to everybody who subscribed to a topic; or to the subscriptions of ``only`` one app."""
        event = secrets.token_hex(16)
        things = Things(self._database, shop["number"])
        with self._database.transaction():
            for row in things.select("webhook", "other = ?", [enum_of(topic)], "id", -1):
                subscription = json.loads(row["doc"])
                if only and subscription["app"] != only:
                    continue
                if not subscription["uri"].startswith("http") or not fits(subscription["filter"] or "", payload):
                    continue
                body = letters.selected(payload, subscription["includeFields"])
                version = subscription["version"]
                headers = self._headers(shop, topic, event, version) | self._name(subscription)
                self._put(shop, subscription["app"], subscription["id"], topic, subscription["uri"], headers, body)
        self.wake()

    def tell_app(self, shop: Doc, client_id: str, url: str, topic: str, payload: Doc) -> None:
        """Write to an address of the app's own configuration: it is never unsubscribed."""
        headers = self._headers(shop, topic, secrets.token_hex(16), "2026-10")
        self._put(shop, client_id, None, topic, url, headers, payload)
        self.wake()

    def _headers(self, shop: Doc, topic: str, event: str, version: str) -> dict[str, str]:
        triggered = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="microseconds")
        return {
            "X-Shopify-Topic": topic,
            "X-Shopify-Shop-Domain": shop["domain"],
            "X-Shopify-API-Version": version,
            "X-Shopify-Event-Id": event,
            "X-Shopify-Triggered-At": triggered.replace("+00:00", "Z"),
        }

    def _name(self, subscription: Doc) -> dict[str, str]:
        return {"X-Shopify-Name": subscription["name"]} if subscription["name"] else {}

    def _put(
        self,
        shop: Doc,
        client_id: str,
        subscription: int | None,
        topic: str,
        url: str,
        headers: dict[str, str],
        payload: Doc,
    ) -> None:
        fault = self._faults.take(shop["domain"], frozenset([topic]), WEBHOOK_FAULTS)
        kind = fault.kind if fault else ""
        state = {"lost": "lost", "reordered": "held"}.get(kind, "pending")
        due_at = self._now() + (fault.seconds if fault and kind == "late" else 0)
        headers = {**headers, "X-Shopify-Webhook-Id": secrets.token_hex(16)}
        row = (shop["number"], client_id, subscription, topic, url, json.dumps(headers), json.dumps(payload))
        with self._database.transaction() as sql:
            held = sql.execute(
                "SELECT id FROM deliveries WHERE shop = ? AND url = ? AND state = 'held'", (shop["number"], url)
            ).fetchall()
            for _copy in range(2 if kind == "duplicate" else 1):
                sql.execute(
                    "INSERT INTO deliveries (shop, client_id, subscription, topic, url, headers, body, state, due_at)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (*row, state, due_at),
                )
            if state == "pending":
                # what was held back goes now, behind this one
                for one in held:
                    self._behind(sql, one["id"])

    def _behind(self, sql: sqlite3.Connection, number: int) -> None:
        last = sql.execute("SELECT MAX(id) FROM deliveries").fetchone()[0]
        statement = "UPDATE deliveries SET id = ?, state = 'pending', due_at = ? WHERE id = ?"
        sql.execute(statement, (last + 1, self._now() + 0.05, number))

    # Delivering ------------------------------------------------------------------------------

    def start(self) -> None:
        self._running = True
        self._thread = Thread(target=self._run, name="shopify-courier", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after what is under way."""
        self._running = False
        self.wake()
        if self._thread is not None:
            self._thread.join()

    def wake(self) -> None:
        with self._news:
            self._woken = True
            self._news.notify_all()

    def _run(self) -> None:
        with ThreadPoolExecutor(max_workers=self._at_once, thread_name_prefix="shopify-webhook") as pool:
            while self._running:
                if not self._start_some(pool.submit):
                    self._sleep()

    def _sleep(self) -> None:
        with self._database.transaction() as sql:
            due = None
            if len(self._under_way) < AT_ONCE:
                marks = ", ".join(str(one) for one in self._under_way) or "0"
                query = f"SELECT MIN(due_at) FROM deliveries WHERE state = 'pending' AND id NOT IN ({marks})"  # noqa: S608
                due = sql.execute(query).fetchone()[0]
        seconds = 1.0 if due is None else min(1.0, max(due - self._now(), 0.001))
        with self._news:
            self._news.wait_for(lambda: self._woken, timeout=seconds)
            self._woken = False

    def _start_some(self, submit: Callable[..., Any]) -> int:
        with self._database.transaction() as sql:
            due = sql.execute(
                "SELECT * FROM deliveries WHERE state = 'pending' AND due_at <= ? ORDER BY id LIMIT ?",
                (self._now(), 2 * AT_ONCE),
            ).fetchall()
            fresh = [row for row in due if row["id"] not in self._under_way][: AT_ONCE - len(self._under_way)]
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
        good = 200 <= answer < 300
        state = "done" if good else "pending" if attempts <= MOST_RETRIES else "refused"
        due_at = self._now() + FIRST_RETRY * 2 ** (attempts - 1) * self._pace
        with self._database.transaction() as sql:
            sql.execute(
                "UPDATE deliveries SET state = ?, attempts = ?, answer = ?, due_at = ? WHERE id = ?",
                (state, attempts, answer, due_at, row["id"]),
            )
            self._count(row, good=good)
            self._under_way.discard(row["id"])
        self.wake()

    def _count(self, row: sqlite3.Row, *, good: bool) -> None:
        """Count failures in a row, and delete the subscription that has too many."""
        things = Things(self._database, row["shop"])
        subscription = things.get("webhook", row["subscription"])
        if subscription is None or (good and not subscription["failures"]):
            return
        subscription["failures"] = 0 if good else subscription["failures"] + 1
        if subscription["failures"] >= MOST_FAILURES:
            things.delete("webhook", subscription["id"])
        else:
            things.put("webhook", subscription)

    def _post(self, row: sqlite3.Row) -> int:
        """Return the status of the answer. Only 2xx counts; a redirection is a failure."""
        body = row["body"].encode()
        secret = self._secret(row["client_id"])
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Hmac-Sha256": sign(secret, body),
            **json.loads(row["headers"]),
        }
        request = urllib.request.Request(row["url"], data=body, headers=headers, method="POST")  # noqa: S310 - checked
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def _secret(self, client_id: str) -> str:
        """Return the oldest secret that is not revoked: what Shopify signs with."""
        with self._database.transaction() as sql:
            row = sql.execute("SELECT secret, doc FROM apps WHERE client_id = ?", (client_id,)).fetchone()
        return json.loads(row["doc"]).get("old_secret") or str(row["secret"]) if row else ""


def sign(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
