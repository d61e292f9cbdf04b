"""A text's way to its phone: queued, dispatched, then a final state. Whoever sent it is told of every step."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from smsflow_plugin.integrations.simulator.network.clock import NetworkClock
from smsflow_plugin.integrations.simulator.network.faults import Faults
from smsflow_plugin.integrations.simulator.network.storage import Database


class Status(StrEnum):
    """Sinch's own words, in its own case. "Read" is not a state of an SMS."""

    QUEUED = "Queued"
    DISPATCHED = "Dispatched"
    DELIVERED = "Delivered"
    READ = "Read"
    ABORTED = "Aborted"
    REJECTED = "Rejected"
    DELETED = "Deleted"
    FAILED = "Failed"
    EXPIRED = "Expired"
    CANCELLED = "Cancelled"


QUEUED, DISPATCHED, DELIVERED = 400, 401, 0
UNROUTABLE, TEMPORARY, UNMATCHED, EXPIRED, CANCELLED, REJECTED = 402, 404, 405, 406, 407, 408
NO_ORIGINATOR, TOO_MANY_PARTS, NOT_PROVISIONED, ACCOUNT_BLOCKED = 410, 411, 412, 413
ABORTING = {UNROUTABLE, UNMATCHED, NO_ORIGINATOR, TOO_MANY_PARTS, NOT_PROVISIONED, ACCOUNT_BLOCKED}
#: How a phone that takes no texts ends them, if not by the code alone.
FATES = {"invalid": Status.DELETED, "blocked": Status.REJECTED}
#: Behaviours of phones that take no texts.
REFUSING = ("undeliverable", "landline", "invalid", "blocked", "temporary")


@dataclass(frozen=True, slots=True)
class NewText:
    """A text that sets off to a phone."""

    phone: str
    sender: str
    body: str
    parts: int = 1
    encoding: str = "GSM"
    #: The code with which it will fail, whatever the phone does.
    doomed: int | None = None
    channel: str = "SMS"
    media: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """What just became of a text. ``due_at`` is None once nothing more can happen."""

    text: sqlite3.Row
    status: Status
    code: int
    due_at: float | None


class Reporter(Protocol):
    """Tells one API's customers what became of their texts."""

    def moved(self, sql: sqlite3.Connection, batch: sqlite3.Row, moves: list[Move], now: float) -> None:
        """Hear of all texts of a batch that moved at one time; they are written already."""


class Lifecycle:
    """:param delay: seconds from dispatch to delivery on a phone without a behaviour of its own."""

    def __init__(self, database: Database, clock: NetworkClock, faults: Faults, *, delay: float) -> None:
        self._database = database
        self._clock = clock
        self._faults = faults
        self._delay = delay
        #: By the kind of a batch.
        self.reporters: dict[str, Reporter] = {}

    def begin(
        self, sql: sqlite3.Connection, batch: str, texts: Iterable[NewText], *, now: float, send_at: float
    ) -> None:
        """Queue the texts of a batch that was just accepted."""
        blocked = self._faults.take(sql, "text", "account_blocked")
        sql.executemany(
            "INSERT INTO texts (batch, phone, sender, body, parts, encoding, status, code, doomed, at, changed_at,"
            " due_at, channel, media) VALUES (?, ?, ?, ?, ?, ?, 'Queued', 400, ?, ?, ?, ?, ?, ?)",
            [
                (
                    batch,
                    text.phone,
                    text.sender,
                    text.body,
                    text.parts,
                    text.encoding,
                    ACCOUNT_BLOCKED if blocked else text.doomed,
                    now,
                    now,
                    send_at,
                    text.channel,
                    text.media,
                )
                for text in texts
            ],
        )

    def cancel(self, sql: sqlite3.Connection, batch: str, now: float) -> None:
        texts = sql.execute("SELECT * FROM texts WHERE batch = ? AND status = 'Queued'", (batch,)).fetchall()
        self._move(sql, [Move(text, Status.CANCELLED, CANCELLED, None) for text in texts], now)

    def advance(self, limit: int = 2000) -> int:
        """Move every text whose time has come one state on. Return how many moved."""
        now = self._clock.now()
        with self._database.transaction() as sql:
            due = sql.execute(
                "SELECT texts.*, batches.expire_at, behaviours.behaviour, behaviours.seconds, behaviours.code AS fate,"
                " equipment.channels, equipment.reads"
                " FROM texts JOIN batches ON batches.id = texts.batch"
                " LEFT JOIN behaviours ON behaviours.phone = texts.phone"
                " LEFT JOIN equipment ON equipment.phone = texts.phone"
                " WHERE texts.due_at <= ? ORDER BY texts.due_at, texts.id LIMIT ?",
                (now, limit),
            ).fetchall()
            self._move(sql, [self._next(text, now) for text in due], now)
        return len(due)

    def next_due(self) -> float | None:
        with self._database.transaction() as sql:
            moment: float | None = sql.execute("SELECT MIN(due_at) FROM texts").fetchone()[0]
            return moment

    def _next(self, text: sqlite3.Row, now: float) -> Move:
        """Return what follows for a text, as of now."""
        if text["status"] == Status.DELIVERED:
            return Move(text, Status.READ, DELIVERED, None)
        if text["status"] == Status.QUEUED:
            if text["doomed"]:
                return Move(text, Status.ABORTED, text["doomed"], None)
            if not has_channel(text["channels"], text["channel"]):
                return Move(text, Status.ABORTED, UNROUTABLE, None)
            delay = self._delay if text["seconds"] is None else text["seconds"]
            return Move(text, Status.DISPATCHED, DISPATCHED, now + delay)
        if now >= text["expire_at"]:
            return Move(text, Status.EXPIRED, EXPIRED, None)
        if text["behaviour"] in REFUSING:
            by_code = Status.ABORTED if text["fate"] in ABORTING else Status.FAILED
            return Move(text, FATES.get(text["behaviour"], by_code), text["fate"], None)
        reads = None if text["channel"] in ("SMS", "MMS") or text["reads"] is None else now + text["reads"]
        return Move(text, Status.DELIVERED, DELIVERED, reads)

    def _move(self, sql: sqlite3.Connection, moves: list[Move], now: float) -> None:
        """Write new states, and tell those who are to know."""
        sql.executemany(
            "UPDATE texts SET status = ?, code = ?, changed_at = ?, due_at = ? WHERE id = ?",
            [(move.status, move.code, now, move.due_at, move.text["id"]) for move in moves],
        )
        by_batch: dict[str, list[Move]] = defaultdict(list)
        for move in moves:
            by_batch[move.text["batch"]].append(move)
        for identifier, moved in by_batch.items():
            batch = sql.execute("SELECT * FROM batches WHERE id = ?", (identifier,)).fetchone()
            self.reporters[batch["kind"]].moved(sql, batch, moved, now)

    def call_back(
        self, sql: sqlite3.Connection, owner: str, url: str, payload: dict[str, Any], phones: Collection[str] = ()
    ) -> None:
        """Put a callback where the courier finds it; faults may lose, delay, double, hold back or forge it.

        :param owner: whose secret signs it, as ``Network.secret_of`` reads it.
        :param phones: whom it is about.
        """
        now = self._clock.now()

        ordered = sql.execute("SELECT 1 FROM faults WHERE operation = 'callback' LIMIT 1").fetchone() is not None

        def fault(kind: str) -> float | None:
            if not ordered:
                return None
            taken = self._faults.take(sql, "callback", kind, phones=phones)
            return None if taken is None else taken.seconds

        state = "pending"
        if fault("lost") is not None:
            state = "lost"
        elif fault("reordered") is not None:
            state = "held"
        late = fault("late") or 0.0
        copies = 1 if fault("duplicate") is None else 2
        seal = next((kind for kind in ("unsigned", "forged") if fault(kind) is not None), "")
        sql.executemany(
            "INSERT INTO callbacks (plan, url, body, state, due_at, seal) VALUES (?, ?, ?, ?, ?, ?)",
            [(owner, url, json.dumps(payload), state, now + late, seal)] * copies,
        )


def has_channel(channels: str | None, channel: str) -> bool:
    """Whether a phone with these channels takes a text on this one. Every phone takes SMS, and pictures as MMS."""
    return channel in ("SMS", "MMS") or channel in (channels or "").split()
