"""A text's way to its phone: queued, dispatched, then one final state, with a report where one was asked for."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from enum import StrEnum
from typing import Any

from smsflow_plugin.integrations.simulator.network.batch_request import BatchRequest
from smsflow_plugin.integrations.simulator.network.clock import NetworkClock, stamp
from smsflow_plugin.integrations.simulator.network.faults import Faults
from smsflow_plugin.integrations.simulator.network.storage import Database
from smsflow_plugin.integrations.simulator.network.texts import UnmatchedParameter, parts_of, render


class Status(StrEnum):
    """Sinch's own words, in its own case."""

    QUEUED = "Queued"
    DISPATCHED = "Dispatched"
    DELIVERED = "Delivered"
    ABORTED = "Aborted"
    REJECTED = "Rejected"
    FAILED = "Failed"
    EXPIRED = "Expired"
    CANCELLED = "Cancelled"


QUEUED, DISPATCHED, DELIVERED = 400, 401, 0
UNROUTABLE, UNMATCHED, EXPIRED, CANCELLED, TOO_MANY_PARTS = 402, 405, 406, 407, 411
ABORTING = {UNROUTABLE, UNMATCHED, TOO_MANY_PARTS}


class Lifecycle:
    """:param delay: seconds from dispatch to delivery on a phone without a behaviour of its own."""

    def __init__(self, database: Database, clock: NetworkClock, faults: Faults, *, delay: float) -> None:
        self._database = database
        self._clock = clock
        self._faults = faults
        self._delay = delay

    def begin(self, sql: sqlite3.Connection, batch: str, request: BatchRequest, now: float) -> None:
        """Queue the texts of a batch that was just accepted."""
        rows = []
        for phone in request.to:
            doomed = None
            try:
                body = render(request.body, request.parameters, phone)
            except UnmatchedParameter:
                body, doomed = request.body, UNMATCHED
            parts, encoding = parts_of(body)
            if request.max_parts is not None and parts > request.max_parts:
                doomed = TOO_MANY_PARTS
            rows.append((batch, phone, request.sender, body, parts, encoding, doomed, now, now, request.send_at))
        sql.executemany(
            "INSERT INTO texts (batch, phone, sender, body, parts, encoding, status, code, doomed, at, changed_at,"
            " due_at) VALUES (?, ?, ?, ?, ?, ?, 'Queued', 400, ?, ?, ?, ?)",
            rows,
        )

    def cancel(self, sql: sqlite3.Connection, batch: str, now: float) -> None:
        texts = sql.execute("SELECT * FROM texts WHERE batch = ? AND status = 'Queued'", (batch,)).fetchall()
        self._move(sql, [(text, Status.CANCELLED, CANCELLED, None) for text in texts], now)

    def advance(self, limit: int = 2000) -> int:
        """Move every text whose time has come one state on. Return how many moved."""
        now = self._clock.now()
        with self._database.transaction() as sql:
            due = sql.execute(
                "SELECT texts.*, batches.expire_at, behaviours.behaviour, behaviours.seconds, behaviours.code AS fate"
                " FROM texts JOIN batches ON batches.id = texts.batch"
                " LEFT JOIN behaviours ON behaviours.phone = texts.phone"
                " WHERE texts.due_at <= ? ORDER BY texts.due_at, texts.id LIMIT ?",
                (now, limit),
            ).fetchall()
            self._move(sql, [(text, *self._next(text, now)) for text in due], now)
        return len(due)

    def next_due(self) -> float | None:
        with self._database.transaction() as sql:
            moment: float | None = sql.execute("SELECT MIN(due_at) FROM texts").fetchone()[0]
            return moment

    def _next(self, text: sqlite3.Row, now: float) -> tuple[Status, int, float | None]:
        """Return the state, code and next due time that follow for a text."""
        if text["status"] == Status.QUEUED:
            if text["doomed"]:
                return Status.ABORTED, text["doomed"], None
            delay = self._delay if text["seconds"] is None else text["seconds"]
            return Status.DISPATCHED, DISPATCHED, now + delay
        if now >= text["expire_at"]:
            return Status.EXPIRED, EXPIRED, None
        if text["behaviour"] in ("undeliverable", "landline"):
            return (Status.ABORTED if text["fate"] in ABORTING else Status.FAILED), text["fate"], None
        return Status.DELIVERED, DELIVERED, None

    def _move(
        self, sql: sqlite3.Connection, moves: list[tuple[sqlite3.Row, Status, int, float | None]], now: float
    ) -> None:
        """Write new states and the callbacks that they call for."""
        sql.executemany(
            "UPDATE texts SET status = ?, code = ?, changed_at = ?, due_at = ? WHERE id = ?",
            [(status, code, now, due_at, text["id"]) for text, status, code, due_at in moves],
        )
        by_batch: dict[str, list[tuple[int, bool]]] = defaultdict(list)
        for text, _status, _code, due_at in moves:
            by_batch[text["batch"]].append((text["id"], due_at is None))
        for identifier, changed in by_batch.items():
            batch = sql.execute("SELECT * FROM batches WHERE id = ?", (identifier,)).fetchone()
            for payload in self._reports(sql, batch, changed):
                self.call_back(sql, batch["plan"], batch["callback_url"], payload)

    def _reports(
        self, sql: sqlite3.Connection, batch: sqlite3.Row, changed: list[tuple[int, bool]]
    ) -> list[dict[str, Any]]:
        kind = batch["delivery_report"]
        if kind in ("summary", "full"):
            open_texts = "SELECT 1 FROM texts WHERE batch = ? AND due_at IS NOT NULL LIMIT 1"
            if sql.execute(open_texts, (batch["id"],)).fetchone():
                return []
            return [self.summary(sql, batch, full=kind == "full")]
        if kind == "none":
            return []
        wanted = {identifier for identifier, final in changed if final or kind == "per_recipient"}
        texts = sql.execute("SELECT * FROM texts WHERE batch = ?", (batch["id"],))
        return [self.recipient_report(batch, text, Status(text["status"])) for text in texts if text["id"] in wanted]

    def call_back(self, sql: sqlite3.Connection, plan: str, url: str, payload: dict[str, Any]) -> None:
        """Put a callback where the courier finds it; faults may lose, delay or double it."""
        now = self._clock.now()
        body = json.dumps(payload)
        lost = self._faults.take(sql, "callback", "lost")
        late = self._faults.take(sql, "callback", "late")
        twice = self._faults.take(sql, "callback", "duplicate")
        row = (plan, url, body, "lost" if lost else "pending", now + (late.seconds if late else 0))
        sql.executemany(
            "INSERT INTO callbacks (plan, url, body, state, due_at) VALUES (?, ?, ?, ?, ?)", [row] * (2 if twice else 1)
        )

    def recipient_report(self, batch: sqlite3.Row, text: sqlite3.Row, status: Status) -> dict[str, Any]:
        report = {
            "type": "recipient_delivery_report_sms",
            "batch_id": batch["id"],
            "recipient": text["phone"],
            "code": text["code"],
            "status": str(status),
            "at": stamp(text["changed_at"]),
            "operator_status_at": stamp(text["changed_at"]),
            "encoding": text["encoding"],
            "number_of_message_parts": text["parts"],
        }
        return report | ({"client_reference": batch["reference"]} if batch["reference"] else {})

    def summary(self, sql: sqlite3.Connection, batch: sqlite3.Row, *, full: bool) -> dict[str, Any]:
        groups: dict[tuple[int, str], list[str]] = defaultdict(list)
        total = 0
        for text in sql.execute("SELECT * FROM texts WHERE batch = ? ORDER BY id", (batch["id"],)):
            groups[text["code"], text["status"]].append(text["phone"])
            total += text["parts"]
        statuses = [
            {"code": code, "status": status, "count": len(phones)} | ({"recipients": phones} if full else {})
            for (code, status), phones in groups.items()
        ]
        report = {
            "type": "delivery_report_sms",
            "batch_id": batch["id"],
            "statuses": statuses,
            "total_message_count": total,
        }
        return report | ({"client_reference": batch["reference"]} if batch["reference"] else {})
