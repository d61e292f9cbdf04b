"""Batches as the SMS API shows them: accept, list, get, cancel, dry run, reports."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from smsflow_plugin.integrations.simulator.network.batch_request import BatchRequest, Refused
from smsflow_plugin.integrations.simulator.network.clock import NetworkClock, stamp
from smsflow_plugin.integrations.simulator.network.lifecycle import Lifecycle, Status
from smsflow_plugin.integrations.simulator.network.storage import Database
from smsflow_plugin.integrations.simulator.network.texts import UnmatchedParameter, parts_of, render

DAY = 24 * 3600.0
MEMORY = 14 * DAY


class Batches:
    def __init__(
        self, database: Database, clock: NetworkClock, lifecycle: Lifecycle, new_id: Callable[[], str]
    ) -> None:
        self._database = database
        self._clock = clock
        self._lifecycle = lifecycle
        self._new_id = new_id

    def accept(self, plan: str, request: BatchRequest) -> dict[str, Any]:
        """Take the batch; from here on its texts will reach their phones."""
        now = self._clock.now()
        identifier = self._new_id()
        content = _echo(request)
        with self._database.transaction() as sql:
            sql.execute(
                "INSERT INTO batches (id, plan, reference, created_at, modified_at, expire_at, delivery_report,"
                " callback_url, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    identifier,
                    plan,
                    request.reference,
                    now,
                    now,
                    request.expire_at,
                    request.delivery_report,
                    request.callback_url,
                    json.dumps(content),
                ),
            )
            self._lifecycle.begin(sql, identifier, request, now)
            return _show(self._row(sql, plan, identifier))

    def dry_run(self, request: BatchRequest, *, per_recipient: bool, shown: int) -> dict[str, Any]:
        """Say how many parts the batch would take, and send nothing."""
        details = []
        for phone in request.to:
            try:
                body = render(request.body, request.parameters, phone)
            except UnmatchedParameter:
                body = request.body
            parts, encoding = parts_of(body)
            details.append({"recipient": phone, "number_of_parts": parts, "body": body, "encoding": encoding})
        answer: dict[str, Any] = {
            "number_of_recipients": len(details),
            "number_of_messages": sum(detail["number_of_parts"] for detail in details),
        }
        if per_recipient:
            answer["per_recipient"] = details[:shown]
        return answer

    def get(self, plan: str, identifier: str) -> dict[str, Any]:
        with self._database.transaction() as sql:
            return _show(self._row(sql, plan, identifier))

    def cancel(self, plan: str, identifier: str) -> dict[str, Any]:
        """Stop the texts that are not on their way yet."""
        now = self._clock.now()
        with self._database.transaction() as sql:
            self._row(sql, plan, identifier)
            sql.execute("UPDATE batches SET canceled = 1, modified_at = ? WHERE id = ?", (now, identifier))
            self._lifecycle.cancel(sql, identifier, now)
            return _show(self._row(sql, plan, identifier))

    def list(
        self,
        plan: str,
        *,
        reference: str | None = None,
        sender: str | None = None,
        start: float | None = None,
        end: float | None = None,
        page: int = 0,
        page_size: int = 30,
    ) -> dict[str, Any]:
        """One page, newest first. Without ``start`` only the last day is seen, and never more than 14."""
        now = self._clock.now()
        start = max(now - DAY if start is None else start, now - MEMORY)
        with self._database.transaction() as sql:
            rows = sql.execute(
                "SELECT * FROM batches WHERE plan = :plan AND created_at >= :start AND created_at < :end"
                " AND (:reference IS NULL OR reference = :reference)"
                " AND (:sender IS NULL OR json_extract(content, '$.from') = :sender) ORDER BY number DESC",
                {"plan": plan, "start": start, "end": end or now + 1, "reference": reference, "sender": sender},
            ).fetchall()
        shown = rows[page * page_size : (page + 1) * page_size]
        return {"count": len(rows), "page": page, "page_size": len(shown), "batches": [_show(row) for row in shown]}

    def report(self, plan: str, identifier: str, *, full: bool) -> dict[str, Any]:
        with self._database.transaction() as sql:
            return self._lifecycle.summary(sql, self._row(sql, plan, identifier), full=full)

    def report_of(self, plan: str, identifier: str, phone: str) -> dict[str, Any]:
        with self._database.transaction() as sql:
            batch = self._row(sql, plan, identifier)
            text = sql.execute("SELECT * FROM texts WHERE batch = ? AND phone = ?", (identifier, phone)).fetchone()
            if text is None:
                raise Refused(404, "not_found", "The batch has no such recipient.")
            return self._lifecycle.recipient_report(batch, text, Status(text["status"]))

    def _row(self, sql: sqlite3.Connection, plan: str, identifier: str) -> sqlite3.Row:
        row: sqlite3.Row | None = sql.execute(
            "SELECT * FROM batches WHERE plan = ? AND id = ?", (plan, identifier)
        ).fetchone()
        if row is None:
            raise Refused(404, "not_found", "There is no such batch.")
        return row


def _echo(request: BatchRequest) -> dict[str, Any]:
    """What Sinch repeats of the request; numbers have lost their "+"."""
    content: dict[str, Any] = {
        "to": list(request.to),
        "from": request.sender,
        "body": request.body,
        "type": "mt_text",
        "delivery_report": request.delivery_report,
        "send_at": stamp(request.send_at),
        "expire_at": stamp(request.expire_at),
        "feedback_enabled": False,
        "flash_message": False,
    }
    optional: Mapping[str, Any] = {
        "parameters": request.parameters,
        "callback_url": request.callback_url,
        "client_reference": request.reference,
        "max_number_of_message_parts": request.max_parts,
    }
    return content | {name: value for name, value in optional.items() if value}


def _show(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        **json.loads(row["content"]),
        "canceled": bool(row["canceled"]),
        "created_at": stamp(row["created_at"]),
        "modified_at": stamp(row["modified_at"]),
    }
