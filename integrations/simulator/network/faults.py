"""Trouble on order: the next calls or callbacks go wrong in a way of the caller's choice."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from smsflow_plugin.integrations.simulator.network.storage import Database

#: What a call may run into. ``seconds`` of a fault is how long it holds the call,
#: or what Retry-After says.
CALL_FAULTS = {
    "rate_limit": "429 with Retry-After",
    "server_error": "500 with Sinch's error body",
    "bad_gateway": "502 with a page of HTML",
    "timeout_before": "nothing is taken, no answer comes",
    "timeout_after": "the call is taken, no answer comes",
    "broken_answer": "the call is taken, the answer breaks off",
    "empty_answer": "the call is taken, the answer says nothing",
    "slow": "the answer takes its time",
    "reset_before": "nothing is taken, the connection is reset",
    "reset_after": "the call is taken, the connection is reset",
}
CALLBACK_FAULTS = {
    "duplicate": "it comes twice",
    "late": "it comes late",
    "lost": "it never comes",
    "reordered": "it comes after the next one to the same address",
    "unsigned": "it comes without a signature",
    "forged": "it comes with a signature by somebody else",
}
#: What befalls the texts of a call that was taken.
TEXT_FAULTS = {"account_blocked": "they are refused with code 413: the account has no credit"}
#: ``token`` is a call for an OAuth token, ``any`` every call.
OPERATIONS = ("send", "list", "token", "other", "any", "callback", "text")


def _known(operation: str) -> dict[str, str]:
    return {"callback": CALLBACK_FAULTS, "text": TEXT_FAULTS}.get(operation, CALL_FAULTS)


@dataclass(frozen=True, slots=True)
class Fault:
    kind: str
    operation: str
    remaining: int
    seconds: float


class Faults:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, kind: str, *, operation: str = "", count: int = 1, seconds: float = 0, phone: str = "") -> None:
        """Let the next ``count`` calls of an operation go wrong; with ``phone``, callbacks about that phone only.

        :raises ValueError: if there is no such fault.
        """
        special = [name for name in ("callback", "text") if kind in _known(name)]
        operation = operation or (special[0] if special else "send")
        if kind not in _known(operation) or operation not in OPERATIONS or count < 1 or seconds < 0:
            raise ValueError(f"There is no fault {kind!r} of {operation!r}.")
        with self._database.transaction() as sql:
            sql.execute(
                "INSERT INTO faults (kind, operation, remaining, seconds, phone) VALUES (?, ?, ?, ?, ?)",
                (kind, operation, count, seconds, phone.removeprefix("+")),
            )

    def take(
        self, sql: sqlite3.Connection, operation: str, kind: str | None = None, *, phones: Collection[str] = ()
    ) -> Fault | None:
        """Use up one of the oldest fault that fits."""
        rows = sql.execute(
            "SELECT * FROM faults"
            " WHERE (operation = :operation OR (operation = 'any' AND :operation NOT IN ('callback', 'text')))"
            " AND (:kind IS NULL OR kind = :kind) ORDER BY id",
            {"operation": operation, "kind": kind},
        )
        row = next((row for row in rows if not row["phone"] or row["phone"] in phones), None)
        if row is None:
            return None
        sql.execute("UPDATE faults SET remaining = remaining - 1 WHERE id = ?", (row["id"],))
        sql.execute("DELETE FROM faults WHERE remaining <= 0")
        return Fault(row["kind"], row["operation"], row["remaining"], row["seconds"])

    def take_for_call(self, operation: str) -> Fault | None:
        with self._database.transaction() as sql:
            return self.take(sql, operation)

    def clear(self) -> None:
        with self._database.transaction() as sql:
            sql.execute("DELETE FROM faults")

    def list(self) -> list[dict[str, Any]]:
        with self._database.transaction() as sql:
            return [dict(row) for row in sql.execute("SELECT * FROM faults ORDER BY id")]
