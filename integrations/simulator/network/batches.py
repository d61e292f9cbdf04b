"""Batches as the SMS API shows them: accept, list, get, update, cancel, dry run."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from smsflow_plugin.integrations.simulator.network.batch_changes import updated
from smsflow_plugin.integrations.simulator.network.batch_request import BatchRequest, is_group, read_batch
from smsflow_plugin.integrations.simulator.network.clock import NetworkClock, stamp
from smsflow_plugin.integrations.simulator.network.groups import Groups
from smsflow_plugin.integrations.simulator.network.lifecycle import TOO_MANY_PARTS, UNMATCHED, Lifecycle, NewText
from smsflow_plugin.integrations.simulator.network.plans import Plan
from smsflow_plugin.integrations.simulator.network.refusals import Refused, not_found
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
        self.groups = Groups(database, clock, new_id, self._groups_changed)

    def accept(self, plan: Plan, data: object) -> dict[str, Any]:
        """Take the batch; from here on its texts will reach their phones. :raises Refused: if it is not in order."""
        now = self._clock.now()
        request = read_batch(data, now=now, plan_callback_url=plan.callback_url)
        with self._database.transaction() as sql:
            recipients = self._recipients(sql, plan.plan, request)
            identifier = self._new_id()
            sql.execute(
                "INSERT INTO batches (id, plan, reference, created_at, modified_at, expire_at, delivery_report,"
                " callback_url, content) VALUES (?, ?, '', ?, ?, 0, '', '', '')",
                (identifier, plan.plan, now, now),
            )
            self._write(sql, identifier, request, recipients, now)
            return show(self.row(sql, plan.plan, identifier))

    def update(self, plan: Plan, identifier: str, data: object) -> dict[str, Any]:
        """Change a batch that has not set off. :raises Refused: if it has."""
        with self._database.transaction() as sql:
            row = self._unsent(sql, plan.plan, identifier)
            return self._renew(sql, plan, row, updated(json.loads(row["content"]), data))

    def replace(self, plan: Plan, identifier: str, data: object) -> dict[str, Any]:
        """Put another batch in the place of one that has not set off. :raises Refused: if it has."""
        with self._database.transaction() as sql:
            return self._renew(sql, plan, self._unsent(sql, plan.plan, identifier), data)

    def dry_run(self, plan: Plan, data: object, *, per_recipient: bool, shown: int) -> dict[str, Any]:
        """Say how many parts the batch would take, and send nothing."""
        request = read_batch(data, now=self._clock.now(), plan_callback_url=plan.callback_url)
        with self._database.transaction() as sql:
            texts = new_texts(request, self._recipients(sql, plan.plan, request))
        details = [
            {
                "recipient": text.phone,
                "number_of_parts": text.parts,
                "body": text.body,
                "encoding": "text" if text.encoding == "GSM" else "unicode",
            }
            for text in texts
        ]
        answer: dict[str, Any] = {
            "number_of_recipients": len(texts),
            "number_of_messages": sum(text.parts for text in texts),
        }
        return answer | ({"per_recipient": details[:shown]} if per_recipient else {})

    def get(self, plan: str, identifier: str) -> dict[str, Any]:
        with self._database.transaction() as sql:
            return show(self.row(sql, plan, identifier))

    def cancel(self, plan: str, identifier: str) -> dict[str, Any]:
        """Stop the texts that are not on their way yet."""
        now = self._clock.now()
        with self._database.transaction() as sql:
            self.row(sql, plan, identifier)
            sql.execute("UPDATE batches SET canceled = 1, modified_at = ? WHERE id = ?", (now, identifier))
            self._lifecycle.cancel(sql, identifier, now)
            return show(self.row(sql, plan, identifier))

    def list(
        self,
        plan: str,
        *,
        reference: str | None = None,
        senders: Collection[str] = (),
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
                " AND (:reference IS NULL OR reference = :reference) ORDER BY number DESC",
                {"plan": plan, "start": start, "end": end or now + 1, "reference": reference},
            ).fetchall()
        found = [row for row in rows if not senders or json.loads(row["content"])["from"] in senders]
        shown = [show(row) for row in found[page * page_size : (page + 1) * page_size]]
        return {"count": len(found), "page": page, "page_size": len(shown), "batches": shown}

    def row(self, sql: sqlite3.Connection, plan: str, identifier: str) -> sqlite3.Row:
        """Return the batch. :raises Refused: with 404 if the plan has no such batch."""
        row: sqlite3.Row | None = sql.execute(
            "SELECT * FROM batches WHERE plan = ? AND id = ?", (plan, identifier)
        ).fetchone()
        if row is None:
            raise not_found("There is no such batch.")
        return row

    def _recipients(self, sql: sqlite3.Connection, plan: str, request: BatchRequest) -> Sequence[str]:
        """Return the numbers that a request reaches, those in groups too. :raises Refused: if a group is unknown."""
        phones: dict[str, None] = {}
        for one in request.to:
            found = self.groups.everybody(sql, plan, one) if is_group(one) else [one]
            phones |= dict.fromkeys(found)
        return tuple(phones)

    def _unsent(self, sql: sqlite3.Connection, plan: str, identifier: str) -> sqlite3.Row:
        row = self.row(sql, plan, identifier)
        sent = "SELECT 1 FROM texts WHERE batch = ? AND status <> 'Queued' LIMIT 1"
        closed = row["canceled"] or not _is_scheduled(row, self._clock.now())
        if closed or sql.execute(sent, (identifier,)).fetchone():
            raise Refused(400, "batch_already_dispatched", "The batch has set off or is cancelled.")
        return row

    def _renew(self, sql: sqlite3.Connection, plan: Plan, row: sqlite3.Row, data: object) -> dict[str, Any]:
        now = self._clock.now()
        request = read_batch(data, now=now, plan_callback_url=plan.callback_url)
        recipients = self._recipients(sql, plan.plan, request)
        sql.execute("DELETE FROM texts WHERE batch = ?", (row["id"],))
        self._write(sql, row["id"], request, recipients, now)
        return show(self.row(sql, plan.plan, row["id"]))

    def _write(
        self, sql: sqlite3.Connection, identifier: str, request: BatchRequest, recipients: Collection[str], now: float
    ) -> None:
        """Give a batch these values, and queue its texts."""
        sql.execute(
            "UPDATE batches SET kind = ?, reference = ?, modified_at = ?, expire_at = ?, delivery_report = ?,"
            " callback_url = ?, content = ? WHERE id = ?",
            (
                "mms" if request.type == "mt_media" else "sms",
                request.reference,
                now,
                request.expire_at,
                request.delivery_report,
                request.callback_url,
                json.dumps(request.echo),
                identifier,
            ),
        )
        self._lifecycle.begin(sql, identifier, new_texts(request, recipients), now=now, send_at=request.send_at)

    def _groups_changed(self, sql: sqlite3.Connection, plan: str) -> None:
        """Let the batches that wait for their time reach whoever is in their groups by now."""
        now = self._clock.now()
        rows = sql.execute("SELECT * FROM batches WHERE plan = ? AND canceled = 0", (plan,)).fetchall()
        for row in rows:
            content = json.loads(row["content"])
            if not _is_scheduled(row, now) or not any(map(is_group, content["to"])):
                continue
            known = [one for one in content["to"] if not is_group(one) or self._knows(sql, plan, one)]
            request = read_batch({**content, "to": known or content["to"]}, now=now, plan_callback_url="-")
            sql.execute("DELETE FROM texts WHERE batch = ?", (row["id"],))
            texts = new_texts(request, self._recipients(sql, plan, request) if known else [])
            self._lifecycle.begin(sql, row["id"], texts, now=now, send_at=request.send_at)

    def _knows(self, sql: sqlite3.Connection, plan: str, group: str) -> bool:
        return sql.execute("SELECT 1 FROM sms_groups WHERE plan = ? AND id = ?", (plan, group)).fetchone() is not None


def new_texts(request: BatchRequest, recipients: Collection[str]) -> list[NewText]:
    """Return one text for each recipient, in the recipient's own words."""
    return [_new_text(request, phone) for phone in recipients]


def _new_text(request: BatchRequest, phone: str) -> NewText:
    if request.type == "mt_binary":
        return NewText(phone, request.sender, request.body, 1, "BINARY")
    doomed = None
    try:
        body = render(request.body, request.parameters, phone)
    except UnmatchedParameter:
        body, doomed = request.body, UNMATCHED
    parts, encoding = parts_of(body)
    if request.type == "mt_media":
        return NewText(phone, request.sender, body, 1, encoding, doomed, "MMS", request.media)
    if request.truncate and parts > 1:
        # the longest beginning that fits into one part
        body = body[: bisect_right(range(1, len(body) + 1), 1, key=lambda length: parts_of(body[:length])[0])]
        parts = 1
    if request.max_parts is not None and parts > request.max_parts:
        doomed = TOO_MANY_PARTS
    return NewText(phone, request.sender, body, parts, encoding, doomed)


def _is_scheduled(row: sqlite3.Row, now: float) -> bool:
    """Whether a batch waits for a time that has not come."""
    return str(json.loads(row["content"])["send_at"]) > stamp(now)


def show(row: sqlite3.Row) -> dict[str, Any]:
    content: Mapping[str, Any] = json.loads(row["content"])
    return {
        "id": row["id"],
        **content,
        "canceled": bool(row["canceled"]),
        "created_at": stamp(row["created_at"]),
        "modified_at": stamp(row["modified_at"]),
    }
