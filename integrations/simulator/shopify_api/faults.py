"""Trouble on order: the next calls to a shop, or its next webhooks, go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from smsflow_plugin.integrations.simulator.network.storage import Database

#: ``seconds`` of a fault is how long it holds the call, or what Retry-After says.
CALL_FAULTS = {
    "throttled": "THROTTLED, with status 200",
    "user_errors": "a mutation changes nothing and answers with the message in userErrors",
    "unauthorized": "401",
    "payment_required": "402: the shop is frozen",
    "forbidden": "403",
    "locked": "423: the shop is locked",
    "rate_limit": "429 with Retry-After",
    "server_error": "500",
    "bad_gateway": "502 with a page of HTML",
    "unavailable": "503",
    "timeout_before": "nothing is done, no answer comes",
    "timeout_after": "it is done, no answer comes",
    "broken_answer": "it is done, the answer breaks off",
    "slow": "the answer takes its time",
}
WEBHOOK_FAULTS = {
    "duplicate": "it comes twice",
    "late": "it comes so many seconds late",
    "lost": "it never comes",
    "reordered": "it comes after the next one",
}


@dataclass(frozen=True, slots=True)
class Fault:
    kind: str
    seconds: float = 0.0
    message: str = ""


class ShopFaults:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, kind: str, *, shop: str = "", operation: str = "", count: int = 1, seconds: float = 0, message: str = ""
    ) -> None:
        """Let the next ``count`` calls, or webhooks, go wrong.

        :param shop: its domain; any shop if empty.
        :param operation: a document's name, a root field, "oauth", "bulk_file" or a webhook's topic; any if empty.
        :raises ValueError: if there is no such fault.
        """
        if kind not in CALL_FAULTS | WEBHOOK_FAULTS or count < 1 or seconds < 0:
            raise ValueError(f"There is no fault {kind!r}.")
        with self._database.transaction() as sql:
            sql.execute(
                "INSERT INTO faults (kind, shop, operation, remaining, seconds, message) VALUES (?, ?, ?, ?, ?, ?)",
                (kind, shop, operation, count, seconds, message),
            )

    def take(self, shop: str, names: frozenset[str], kinds: dict[str, str]) -> Fault | None:
        """Use up one of the oldest fault that fits."""
        with self._database.transaction() as sql:
            for row in sql.execute("SELECT * FROM faults ORDER BY id").fetchall():
                fits = row["kind"] in kinds and row["shop"] in ("", shop) and (row["operation"] or "") in {"", *names}
                if not fits:
                    continue
                sql.execute("UPDATE faults SET remaining = remaining - 1 WHERE id = ?", (row["id"],))
                sql.execute("DELETE FROM faults WHERE remaining <= 0")
                return Fault(row["kind"], row["seconds"], row["message"])
        return None

    def clear(self) -> None:
        with self._database.transaction() as sql:
            sql.execute("DELETE FROM faults")

    def list(self) -> list[dict[str, Any]]:
        with self._database.transaction() as sql:
            return [dict(row) for row in sql.execute("SELECT * FROM faults ORDER BY id")]
