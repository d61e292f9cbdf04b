"""Delivery reports that are asked for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from smsflow_plugin.integrations.simulator.network.batches import DAY, MEMORY, Batches
from smsflow_plugin.integrations.simulator.network.clock import NetworkClock
from smsflow_plugin.integrations.simulator.network.refusals import not_found
from smsflow_plugin.integrations.simulator.network.reports import recipient_report, summary
from smsflow_plugin.integrations.simulator.network.storage import Database


class DeliveryReports:
    def __init__(self, database: Database, clock: NetworkClock, batches: Batches) -> None:
        self._database = database
        self._clock = clock
        self._batches = batches

    def of_batch(
        self, plan: str, identifier: str, *, full: bool, statuses: Collection[str] = (), codes: Collection[int] = ()
    ) -> dict[str, Any]:
        """How many texts of a batch are in which state; ``full`` with their numbers."""
        with self._database.transaction() as sql:
            batch = self._batches.row(sql, plan, identifier)
            return summary(sql, batch, full=full, statuses=statuses, codes=codes)

    def of_phone(self, plan: str, identifier: str, phone: str) -> dict[str, Any]:
        with self._database.transaction() as sql:
            batch = self._batches.row(sql, plan, identifier)
            text = sql.execute("SELECT * FROM texts WHERE batch = ? AND phone = ?", (identifier, phone)).fetchone()
            if text is None:
                raise not_found("The batch has no such recipient.")
            return recipient_report(batch, text)

    def list(
        self,
        plan: str,
        *,
        statuses: Collection[str] = (),
        codes: Collection[int] = (),
        reference: str | None = None,
        start: float | None = None,
        end: float | None = None,
        page: int = 0,
        page_size: int = 30,
    ) -> dict[str, Any]:
        """One page of what became of each text, the last change first. Without ``start``, of the last day."""
        now = self._clock.now()
        start = max(now - DAY if start is None else start, now - MEMORY)
        with self._database.transaction() as sql:
            chosen = "SELECT * FROM batches WHERE plan = ? AND (? IS NULL OR reference = ?)"
            batches = {row["id"]: row for row in sql.execute(chosen, (plan, reference, reference))}
            rows = sql.execute(
                "SELECT texts.* FROM texts JOIN batches ON batches.id = texts.batch WHERE batches.plan = ?"
                " AND texts.changed_at >= ? AND texts.changed_at < ? ORDER BY texts.changed_at DESC, texts.id DESC",
                (plan, start, end or now + 1),
            ).fetchall()
        found = [
            row
            for row in rows
            if row["batch"] in batches
            and (not statuses or row["status"].lower() in statuses)
            and (not codes or row["code"] in codes)
        ]
        on_page = found[page * page_size : (page + 1) * page_size]
        shown = [recipient_report(batches[row["batch"]], row) for row in on_page]
        return {"count": len(found), "page": page, "page_size": len(shown), "delivery_reports": shown}
