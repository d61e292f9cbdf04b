"""The other end: phones, what is on them, how they behave, and what people text back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from typing import Any

from smsflow_plugin.integrations.simulator.network.clock import NetworkClock, stamp
from smsflow_plugin.integrations.simulator.network.conversation.send_request import CHANNELS
from smsflow_plugin.integrations.simulator.network.conversation.service import Conversation
from smsflow_plugin.integrations.simulator.network.groups import Groups
from smsflow_plugin.integrations.simulator.network.lifecycle import REJECTED, TEMPORARY, UNROUTABLE, Lifecycle
from smsflow_plugin.integrations.simulator.network.plans import Plans
from smsflow_plugin.integrations.simulator.network.refusals import Refused, not_found
from smsflow_plugin.integrations.simulator.network.storage import Database
from smsflow_plugin.integrations.simulator.network.texts import msisdn

#: Behaviours, with the error code of those that refuse texts. 15 and below are operators' own codes.
BEHAVIOURS = {
    "normal": 0,
    "undeliverable": 15,
    "landline": UNROUTABLE,
    "slow": 0,
    "invalid": 11,
    "blocked": REJECTED,
    "temporary": TEMPORARY,
}
#: Channels that a phone may have beside SMS and MMS.
EXTRA_CHANNELS = tuple(channel for channel in CHANNELS if channel not in ("SMS", "MMS"))


class Phones:
    def __init__(
        self,
        database: Database,
        clock: NetworkClock,
        plans: Plans,
        conversation: Conversation,
        groups: Groups,
        lifecycle: Lifecycle,
        new_id: Callable[[], str],
    ) -> None:
        self._database = database
        self._clock = clock
        self._plans = plans
        self._conversation = conversation
        self._groups = groups
        self._lifecycle = lifecycle
        self._new_id = new_id

    def everybody(self) -> list[dict[str, Any]]:
        """Every phone that ever had a text or a behaviour, the last one active first."""
        with self._database.transaction() as sql:
            rows = sql.execute(
                "SELECT phone, SUM(received) AS received, SUM(sent) AS sent, MAX(at) AS at,"
                " COALESCE((SELECT behaviour FROM behaviours b WHERE b.phone = p.phone), 'normal') AS behaviour,"
                " (SELECT channels FROM equipment e WHERE e.phone = p.phone) AS channels,"
                " (SELECT reads FROM equipment e WHERE e.phone = p.phone) AS reads FROM ("
                "  SELECT phone, 1 AS received, 0 AS sent, at FROM texts"
                "  UNION ALL SELECT phone, 0, 1, at FROM inbounds"
                "  UNION ALL SELECT phone, 0, 0, NULL FROM equipment"
                "  UNION ALL SELECT phone, 0, 0, NULL FROM behaviours) p GROUP BY phone ORDER BY at DESC, phone"
            ).fetchall()
        return [
            {
                "number": f"+{row['phone']}",
                "received": row["received"],
                "sent": row["sent"],
                "last_at": stamp(row["at"]) if row["at"] else None,
                "behaviour": row["behaviour"],
                "channels": ["SMS", *(row["channels"] or "").split()],
                "reads": row["reads"],
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

    def equip(self, number: str, channels: Collection[str], *, reads: float | None = None) -> None:
        """Say which channels a phone has beside SMS, and after how many seconds its owner reads what comes on them.

        :raises ValueError: if there is no such channel.
        """
        phone = _phone(number)
        extra = [channel for channel in channels if channel not in ("SMS", "MMS")]
        unknown = [channel for channel in extra if channel not in EXTRA_CHANNELS]
        if unknown:
            raise ValueError(f"There is no channel {unknown[0]!r}.")
        with self._database.transaction() as sql:
            sql.execute("INSERT OR REPLACE INTO equipment VALUES (?, ?, ?)", (phone, " ".join(extra), reads))

    def text(
        self, number: str, body: str, *, to: str = "", plan: str = "", app: str = "", channel: str = "", media: str = ""
    ) -> dict[str, Any]:
        """Send a text from a phone: to ``to``, or to whoever texted it last, on the channel of that text.

        :param plan: the service plan that gets it; ``app`` the app.
        :param media: the address of a picture.
        :raises ValueError: if it is not clear to whom.
        """
        phone = _phone(number)
        now = self._clock.now()
        with self._database.transaction() as sql:
            last = self._last_heard(sql, phone, to.removeprefix("+"))
            owner = plan or (f"app:{app}" if app else "") or self._owner(sql, last, to)
            recipient = to.removeprefix("+") or (last["sender"] if last else "")
            if not owner or not recipient:
                raise ValueError("Nobody has texted this phone: say to which number of which plan it writes.")
            if not owner.startswith("app:"):
                channel = "SMS"
            elif not channel:
                channel = last["channel"] if last and last["plan"] == owner else "SMS"
            identifier = self._new_id()
            sql.execute(
                "INSERT INTO inbounds (id, plan, phone, recipient, body, at, channel, media)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (identifier, owner, phone, recipient, body, now, channel, media),
            )
            inbound = sql.execute("SELECT * FROM inbounds WHERE id = ?", (identifier,)).fetchone()
            self._hand_over(sql, inbound)
        return _show_inbound(inbound)

    def _owner(self, sql: sqlite3.Connection, last: sqlite3.Row | None, to: str) -> str:
        """Return the plan or app that gets a text for which nobody named one, or ""."""
        if last:
            return str(last["plan"])
        apps = self._conversation.apps
        app = apps.of_number(sql, to.removeprefix("+")) if to else ""
        app = app or ("" if self._plans.list() else apps.of_number(sql, ""))
        return f"app:{app}" if app else self._plans.only()

    def _hand_over(self, sql: sqlite3.Connection, inbound: sqlite3.Row) -> None:
        """Tell the plan or app of what a phone sent to it."""
        if inbound["plan"].startswith("app:"):
            self._conversation.receiving.received(sql, inbound)
            return
        self._groups.hear(sql, inbound["plan"], phone=inbound["phone"], to=inbound["recipient"], body=inbound["body"])
        callback_url = self._plans.get(inbound["plan"]).callback_url
        if callback_url:
            payload = inbound_payload(inbound)
            self._lifecycle.call_back(sql, inbound["plan"], callback_url, payload, [inbound["phone"]])

    def inbound(self, plan: str, identifier: str) -> dict[str, Any]:
        """What somebody texted to a plan. :raises Refused: with 404 if there is no such text."""
        with self._database.transaction() as sql:
            row = sql.execute("SELECT * FROM inbounds WHERE plan = ? AND id = ?", (plan, identifier)).fetchone()
        if row is None:
            raise not_found("There is no such inbound text.")
        return inbound_payload(row)

    def inbounds(
        self,
        plan: str,
        *,
        to: Collection[str] = (),
        reference: str | None = None,
        start: float | None = None,
        end: float | None = None,
        page: int = 0,
        page_size: int = 30,
    ) -> dict[str, Any]:
        """One page of what people texted to a plan, newest first. No inbound text has a ``reference``."""
        now = self._clock.now()
        with self._database.transaction() as sql:
            rows = sql.execute(
                "SELECT * FROM inbounds WHERE plan = :plan AND at >= :start AND at < :end ORDER BY number DESC",
                {"plan": plan, "start": now - 24 * 3600 if start is None else start, "end": end or now + 1},
            ).fetchall()
        found = [row for row in rows if (not to or row["recipient"] in to) and not reference]
        shown = [inbound_payload(row) for row in found[page * page_size : (page + 1) * page_size]]
        return {"count": len(found), "page": page, "page_size": len(shown), "inbounds": shown}

    def _last_heard(self, sql: sqlite3.Connection, phone: str, sender: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = sql.execute(
            "SELECT texts.sender, texts.channel, batches.plan FROM texts JOIN batches ON batches.id = texts.batch"
            " WHERE texts.phone = :phone AND (:sender = '' OR texts.sender = :sender) ORDER BY texts.id DESC LIMIT 1",
            {"phone": phone, "sender": sender},
        ).fetchone()
        if row is None and sender:
            row = sql.execute(
                "SELECT texts.sender, texts.channel, batches.plan FROM texts JOIN batches ON batches.id = texts.batch"
                " WHERE texts.sender = ? ORDER BY texts.id DESC LIMIT 1",
                (sender,),
            ).fetchone()
        return row


def inbound_payload(row: sqlite3.Row) -> dict[str, Any]:
    """A text from a phone, as the SMS API shows it and calls back with it."""
    content: dict[str, Any] = {"type": "mo_text", "body": row["body"]}
    if row["media"]:
        item = {"url": row["media"], "content_type": "image/jpeg", "status": "Uploaded", "code": 0}
        content = {"type": "mo_media", "body": {"message": row["body"], "media": [item]}}
    return content | {
        "id": row["id"],
        "from": row["phone"],
        "to": row["recipient"],
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
        "channel": row["channel"],
        "media": row["media"],
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
        "channel": row["channel"],
        "media": row["media"],
    }


def _phone(number: str) -> str:
    phone = msisdn(number)
    if phone is None:
        raise Refused(400, "invalid_number", f"{number} is not a phone number.")
    return phone
