"""Delivery reports of the SMS API, and which of them a batch asked for."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from smsflow_plugin.integrations.simulator.network.clock import stamp
from smsflow_plugin.integrations.simulator.network.lifecycle import Lifecycle, Move


class SmsReports:
    """Calls back for the batches of the SMS API."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    def moved(self, sql: sqlite3.Connection, batch: sqlite3.Row, moves: list[Move], now: float) -> None:
        phones = [move.text["phone"] for move in moves]
        for payload in self._due(sql, batch, moves):
            about = [payload["recipient"]] if "recipient" in payload else phones
            self._lifecycle.call_back(sql, batch["plan"], batch["callback_url"], payload, about)

    def _due(self, sql: sqlite3.Connection, batch: sqlite3.Row, moves: list[Move]) -> list[dict[str, Any]]:
        kind = batch["delivery_report"]
        if kind in ("summary", "full"):
            open_texts = "SELECT 1 FROM texts WHERE batch = ? AND due_at IS NOT NULL LIMIT 1"
            if sql.execute(open_texts, (batch["id"],)).fetchone():
                return []
            return [summary(sql, batch, full=kind == "full")]
        if kind == "none":
            return []
        wanted = {move.text["id"] for move in moves if move.due_at is None or kind == "per_recipient"}
        texts = sql.execute("SELECT * FROM texts WHERE batch = ?", (batch["id"],))
        return [recipient_report(batch, text) for text in texts if text["id"] in wanted]


def recipient_report(batch: sqlite3.Row, text: sqlite3.Row) -> dict[str, Any]:
    """What became of the text to one person."""
    report = {
        "type": f"recipient_delivery_report_{batch['kind']}",
        "batch_id": batch["id"],
        "recipient": text["phone"],
        "code": text["code"],
        "status": text["status"],
        "at": stamp(text["changed_at"]),
        "operator_status_at": stamp(text["changed_at"]),
        "encoding": text["encoding"],
        "number_of_message_parts": text["parts"],
    }
    return report | ({"client_reference": batch["reference"]} if batch["reference"] else {})


def summary(
    sql: sqlite3.Connection,
    batch: sqlite3.Row,
    *,
    full: bool,
    statuses: Collection[str] = (),
    codes: Collection[int] = (),
) -> dict[str, Any]:
    """What became of all texts of a batch, counted by state; ``statuses`` (in lower case) and ``codes`` choose."""
    groups: dict[tuple[int, str], list[str]] = defaultdict(list)
    total = 0
    for text in sql.execute("SELECT * FROM texts WHERE batch = ? ORDER BY id", (batch["id"],)):
        groups[text["code"], text["status"]].append(text["phone"])
        total += text["parts"]
    shown = [
        {"code": code, "status": status, "count": len(phones)} | ({"recipients": phones} if full else {})
        for (code, status), phones in groups.items()
        if (not statuses or status.lower() in statuses) and (not codes or code in codes)
    ]
    report = {
        "type": f"delivery_report_{batch['kind']}",
        "batch_id": batch["id"],
        "statuses": shown,
        "total_message_count": total,
    }
    return report | ({"client_reference": batch["reference"]} if batch["reference"] else {})
