"""The other end: phones, what is on them, how they behave, and what people text back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from smsflow_plugin.integrations.simulator.network.batch_request import Refused
from smsflow_plugin.integrations.simulator.network.clock import NetworkClock, stamp
from smsflow_plugin.integrations.simulator.network.lifecycle import UNROUTABLE, Lifecycle
from smsflow_plugin.integrations.simulator.network.plans import Plans
from smsflow_plugin.integrations.simulator.network.storage import Database
from smsflow_plugin.integrations.simulator.network.texts import msisdn

#: Behaviours, with the error code of those that refuse texts. 15 is an operator's own code.
BEHAVIOURS = {"normal": 0, "undeliverable": 15, "landline": UNROUTABLE, "slow": 0}


class Phones:
    def __init__(
        self, database: Database, clock: NetworkClock, plans: Plans, lifecycle: Lifecycle, new_id: Callable[[], str]
    ) -> None:
        self._database = database
        self._clock = clock
        self._plans = plans
        self._lifecycle = lifecycle
        self._new_id = new_id

    def everybody(self) -> list[dict[str, Any]]:
        """Every phone that ever had a text or a behaviour, the last one active first."""
        with self._database.transaction() as sql:
            rows = sql.execute(
                "SELECT phone, SUM(received) AS received, SUM(sent) AS sent, MAX(at) AS at,"
                " COALESCE((SELECT behaviour FROM behaviours b WHERE b.phone = p.phone), 'normal') AS behaviour FROM ("
                "  SELECT phone, 1 AS received, 0 AS sent, at FROM texts"
                "  UNION ALL SELECT phone, 0, 1, at FROM inbounds"
                "  UNION ALL SELECT phone, 0, 0, NULL FROM behaviours) p GROUP BY phone ORDER BY at DESC, phone"
            ).fetchall()
        return [
            {
                "number": f"+{row['phone']}",
                "received": row["received"],
                "sent": row["sent"],
                "last_at": stamp(row["at"]) if row["at"] else None,
                "behaviour": row["behaviour"],
            }
            for row in rows
        ]

    def texts(self, number: str, *, limit: int = 200) -> list[dict[str, Any]]:
        """The last texts on a phone, in both directions, newest last."""
        phone = _phone(number)
        with self._database.transaction() as sql:
            received = sql.execute(
                "SELECT texts.*, batches.reference, batches.plan FROM texts JOIN batches ON batches.id = texts.batch"
                " WHERE phone = ? ORDER BY texts.id DESC LIMIT ?",
                (phone, limit),
            ).fetchall()
            sent = sql.execute(
                "SELECT * FROM inbounds WHERE phone = ? ORDER BY number DESC LIMIT ?", (phone, limit)
            ).fetchall()
        everything = [(row["at"], row["id"], show_text(row)) for row in received]
        everything += [(row["at"], row["number"], _show_inbound(row)) for row in sent]
        everything.sort(key=lambda entry: entry[:2])
        return [shown for _at, _order, shown in everything[-limit:]]

    def behave(self, number: str, behaviour: str, *, seconds: float | None = None, code: int | None = None) -> None:
        """Choose how a phone takes texts from now on. ``seconds`` is how long it takes for that.

        :raises ValueError: if there is no such behaviour.
        """
        phone = _phone(number)
        if behaviour not in BEHAVIOURS:
            raise ValueError(f"There is no behaviour {behaviour!r}.")
        delay = (3600.0 if behaviour == "slow" else 0.0) if seconds is None else seconds
        with self._database.transaction() as sql:
            sql.execute("DELETE FROM behaviours WHERE phone = ?", (phone,))
            if behaviour != "normal":
                row = (phone, behaviour, delay, BEHAVIOURS[behaviour] if code is None else code)
                sql.execute("INSERT INTO behaviours VALUES (?, ?, ?, ?)", row)

    def text(self, number: str, body: str, *, to: str = "", plan: str = "") -> dict[str, Any]:
        """Send a text from a phone: to ``to``, or to whoever texted it last.

        :raises ValueError: if it is not clear to whom.
        """
        phone = _phone(number)
        now = self._clock.now()
        with self._database.transaction() as sql:
            last = self._last_heard(sql, phone, to.removeprefix("+"))
            plan = plan or (last["plan"] if last else "") or self._plans.only()
            recipient = to.removeprefix("+") or (last["sender"] if last else "")
            if not plan or not recipient:
                raise ValueError("Nobody has texted this phone: say to which number of which plan it writes.")
            row = (self._new_id(), plan, phone, recipient, body, now)
            sql.execute("INSERT INTO inbounds (id, plan, phone, recipient, body, at) VALUES (?, ?, ?, ?, ?, ?)", row)
            inbound = sql.execute("SELECT * FROM inbounds WHERE id = ?", (row[0],)).fetchone()
            callback_url = self._plans.get(plan).callback_url
            if callback_url:
                self._lifecycle.call_back(sql, plan, callback_url, inbound_payload(inbound))
        return _show_inbound(inbound)

    def inbounds(
        self, plan: str, *, to: str | None, start: float | None, end: float | None, page: int, page_size: int
    ) -> dict[str, Any]:
        """One page of what people texted to a plan, newest first, as the SMS API shows it."""
        now = self._clock.now()
        with self._database.transaction() as sql:
            rows = sql.execute(
                "SELECT * FROM inbounds WHERE plan = :plan AND at >= :start AND at < :end"
                " AND (:to IS NULL OR recipient = :to) ORDER BY number DESC",
                {"plan": plan, "to": to, "start": now - 24 * 3600 if start is None else start, "end": end or now + 1},
            ).fetchall()
        shown = rows[page * page_size : (page + 1) * page_size]
        inbounds = [inbound_payload(row) for row in shown]
        return {"count": len(rows), "page": page, "page_size": len(shown), "inbounds": inbounds}

    def _last_heard(self, sql: sqlite3.Connection, phone: str, sender: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = sql.execute(
            "SELECT texts.sender, batches.plan FROM texts JOIN batches ON batches.id = texts.batch"
            " WHERE texts.phone = :phone AND (:sender = '' OR texts.sender = :sender) ORDER BY texts.id DESC LIMIT 1",
            {"phone": phone, "sender": sender},
        ).fetchone()
        if row is None and sender:
            row = sql.execute(
                "SELECT texts.sender, batches.plan FROM texts JOIN batches ON batches.id = texts.batch"
                " WHERE texts.sender = ? ORDER BY texts.id DESC LIMIT 1",
                (sender,),
            ).fetchone()
        return row


def inbound_payload(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "type": "mo_text",
        "id": row["id"],
        "from": row["phone"],
        "to": row["recipient"],
        "body": row["body"],
        "received_at": stamp(row["at"]),
        "sent_at": stamp(row["at"]),
        "operator_id": "35000",
    }


def show_text(row: sqlite3.Row) -> dict[str, Any]:
    """A text towards a phone, joined with its batch."""
    return {
        "direction": "to_phone",
        "id": row["id"],
        "phone": f"+{row['phone']}",
        "peer": row["sender"],
        "body": row["body"],
        "state": row["status"].lower(),
        "code": row["code"],
        "parts": row["parts"],
        "at": stamp(row["at"]),
        "batch_id": row["batch"],
        "reference": row["reference"],
    }


def _show_inbound(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "direction": "from_phone",
        "id": row["id"],
        "phone": f"+{row['phone']}",
        "peer": row["recipient"],
        "body": row["body"],
        "state": "sent",
        "at": stamp(row["at"]),
    }


def _phone(number: str) -> str:
    phone = msisdn(number)
    if phone is None:
        raise Refused(400, "invalid_number", f"{number} is not a phone number.")
    return phone
