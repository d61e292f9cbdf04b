"""A message's way to its reader: the channels it tries, and what its app hears of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from smsflow_plugin.integrations.simulator.network.clock import NetworkClock, stamp
from smsflow_plugin.integrations.simulator.network.conversation.apps import Apps, channels_of
from smsflow_plugin.integrations.simulator.network.conversation.callbacks import Callbacks
from smsflow_plugin.integrations.simulator.network.conversation.contacts import Contacts
from smsflow_plugin.integrations.simulator.network.conversation.content import on_phone
from smsflow_plugin.integrations.simulator.network.conversation.conversations import Conversations
from smsflow_plugin.integrations.simulator.network.conversation.messages import Message, Messages, identity_of
from smsflow_plugin.integrations.simulator.network.conversation.send_request import SendRequest, invalid
from smsflow_plugin.integrations.simulator.network.lifecycle import (
    ACCOUNT_BLOCKED,
    EXPIRED,
    NOT_PROVISIONED,
    REJECTED,
    TEMPORARY,
    UNROUTABLE,
    Lifecycle,
    Move,
    NewText,
    Status,
)
from smsflow_plugin.integrations.simulator.network.storage import Database
from smsflow_plugin.integrations.simulator.network.texts import msisdn, parts_of

#: How long a message is tried that has no ``ttl``.
MAX_LIFE = 3 * 24 * 3600.0
#: Channels on which a person is known by a telephone number.
BY_NUMBER = ("SMS", "MMS", "RCS", "WHATSAPP", "VIBER", "VIBERBM")
PROGRESS = {
    Status.DISPATCHED: "QUEUED_ON_CHANNEL",
    Status.DELIVERED: "DELIVERED",
    Status.READ: "READ",
}
#: What the API says of a channel's own code; of all others, that the reader can't be reached.
REASONS = {
    UNROUTABLE: "RECIPIENT_NOT_REACHABLE",
    TEMPORARY: "CHANNEL_FAILURE",
    EXPIRED: "DELIVERY_TIMED_OUT",
    REJECTED: "CHANNEL_REJECT",
    NOT_PROVISIONED: "CHANNEL_BAD_CONFIGURATION",
    ACCOUNT_BLOCKED: "CHANNEL_REJECT",
}


class Sending:
    """Takes messages from apps; hears from the lifecycle what became of them."""

    def __init__(
        self,
        database: Database,
        clock: NetworkClock,
        lifecycle: Lifecycle,
        apps: Apps,
        contacts: Contacts,
        conversations: Conversations,
        messages: Messages,
        callbacks: Callbacks,
        new_id: Callable[[], str],
    ) -> None:
        self._database = database
        self._clock = clock
        self._lifecycle = lifecycle
        self._apps = apps
        self._contacts = contacts
        self._conversations = conversations
        self._messages = messages
        self._callbacks = callbacks
        self._new_id = new_id

    def accept(self, project: str, request: SendRequest) -> dict[str, Any]:
        """Take a message. What becomes of it is told by callbacks, even that nobody can be reached."""
        now = self._clock.now()
        with self._database.transaction() as sql:
            app = self._apps.row(sql, project, request.app)
            mode = "DISPATCH" if request.dispatch_only else json.loads(app["content"])["processing_mode"]
            if mode == "DISPATCH" and request.contact:
                raise invalid("recipient.contact_id can't be used in dispatch mode.")
            identifier = self._new_id()
            contact = request.contact
            if contact:
                self._contacts.row(sql, project, contact)
            elif mode == "CONVERSATION":
                contact = self._contacts.meet(sql, project, request.identities)
            route = self._route(sql, app, request, contact)
            channel, identity = route[0] if route else next(iter(request.identities.items()), ("", ""))
            message = Message(
                id=identifier,
                app=app["id"],
                project=project,
                direction="TO_CONTACT",
                channel=channel,
                identity=identity,
                content=request.message,
                at=now,
                mode=mode,
                conversation=self._conversations.open(sql, app, contact) if mode == "CONVERSATION" else "",
                contact=contact if mode == "CONVERSATION" else "",
                metadata=request.metadata,
                correlation=request.correlation,
            )
            self._messages.add(sql, message)
            self._add_batch(sql, app, request, message, route)
            if route:
                self._try(sql, identifier, 0, now)
            else:
                known = set(channels_of(app)) & set(request.identities)
                code = "NO_CHANNEL_IDENTITY_FOR_CONTACT" if known or contact else "CHANNEL_CONFIGURATION_MISSING"
                self._report(sql, identifier, "FAILED", _reason(code, "No channel of the app leads to the recipient."))
        return {"message_id": identifier, "accepted_time": stamp(now)}

    def moved(self, sql: sqlite3.Connection, batch: sqlite3.Row, moves: list[Move], now: float) -> None:
        """Hear what became of a text of a message, and try the next channel if it failed."""
        for move in moves:
            if move.status == Status.DISPATCHED:
                self._submitted(sql, batch["id"])
            if move.status in PROGRESS:
                self._report(sql, batch["id"], PROGRESS[move.status])
                continue
            route = json.loads(batch["content"])["route"]
            step = [channel for channel, _identity in route].index(move.text["channel"]) + 1
            reason = _reason(_reason_code(move), f"{move.text['channel']} code {move.code}: {move.status}")
            # the API never fails over once the time for a message is up
            self._fail(sql, batch["id"], step, reason, now, final=move.status == Status.EXPIRED)

    def _fail(
        self,
        sql: sqlite3.Connection,
        message: str,
        step: int,
        reason: dict[str, str],
        now: float,
        *,
        final: bool = False,
    ) -> None:
        """End the attempt before ``step``."""
        batch = sql.execute("SELECT * FROM batches WHERE id = ?", (message,)).fetchone()
        if final or step >= len(json.loads(batch["content"])["route"]):
            self._report(sql, message, "FAILED", reason)
            return
        self._report(sql, message, "SWITCHING_CHANNEL", reason)
        self._try(sql, message, step, now)

    def _try(self, sql: sqlite3.Connection, message: str, step: int, now: float) -> None:
        """Set off on one channel of the route."""
        batch = sql.execute("SELECT * FROM batches WHERE id = ?", (message,)).fetchone()
        content = json.loads(batch["content"])
        channel, identity = content["route"][step]
        self._messages.moved_to(sql, message, channel, identity)
        if channel in BY_NUMBER and msisdn(identity) is None:
            reason = _reason("RECIPIENT_INVALID_CHANNEL_IDENTITY", f"{identity} is no telephone number.")
            self._fail(sql, message, step + 1, reason, now)
            return
        shown = on_phone(content["message"], channel)
        parts, encoding = parts_of(shown.body)
        text = NewText(
            phone=identity,
            sender=content["sender"],
            body=shown.body,
            parts=parts if channel == "SMS" else 1,
            encoding=encoding,
            channel=channel,
            media=shown.media,
        )
        self._lifecycle.begin(sql, message, [text], now=now, send_at=now)

    def _route(
        self, sql: sqlite3.Connection, app: sqlite3.Row, request: SendRequest, contact: str
    ) -> list[tuple[str, str]]:
        """Return the channels to try, with the reader's identity on each."""
        identities: Mapping[str, str] = request.identities
        preferred: list[str] = []
        if contact:
            identities = request.identities or self._contacts.identities(sql, contact)
            preferred = self._contacts.show(sql, contact)["channel_priority"]
        order = list(request.order or preferred) or channels_of(app)
        return [
            (channel, identities[channel]) for channel in order if channel in identities and channel in channels_of(app)
        ]

    def _add_batch(
        self,
        sql: sqlite3.Connection,
        app: sqlite3.Row,
        request: SendRequest,
        message: Message,
        route: list[tuple[str, str]],
    ) -> None:
        content = {
            "app": app["id"],
            "route": route,
            "sender": request.sender or app["sender"] or app["id"],
            "message": request.message,
        }
        sql.execute(
            "INSERT INTO batches (id, plan, kind, reference, created_at, modified_at, expire_at, delivery_report,"
            " callback_url, content) VALUES (?, ?, 'conversation', ?, ?, ?, ?, 'none', ?, ?)",
            (
                message.id,
                f"app:{app['id']}",
                request.correlation,
                message.at,
                message.at,
                message.at + (MAX_LIFE if request.ttl is None else request.ttl),
                request.callback_url,
                json.dumps(content),
            ),
        )

    def _submitted(self, sql: sqlite3.Connection, message: str) -> None:
        row = self._messages.find(sql, message)
        app = self._apps.find(sql, row["app"])
        if app is None:
            return
        news = {**_facts(row), "submitted_message": json.loads(row["content"])}
        self._callbacks.tell(
            sql,
            app,
            "MESSAGE_SUBMIT",
            {"message_submit_notification": news},
            accepted_at=row["at"],
            metadata=row["metadata"],
            correlation=row["correlation"],
            phones=[row["identity"]],
        )

    def _report(self, sql: sqlite3.Connection, message: str, status: str, reason: dict[str, str] | None = None) -> None:
        row = self._messages.find(sql, message)
        app = self._apps.find(sql, row["app"])
        if app is None:
            return
        batch = sql.execute("SELECT callback_url FROM batches WHERE id = ?", (message,)).fetchone()
        report = {**_facts(row), "status": status} | ({"reason": reason} if reason else {})
        self._callbacks.tell(
            sql,
            app,
            "MESSAGE_DELIVERY",
            {"message_delivery_report": report},
            accepted_at=row["at"],
            metadata=row["metadata"],
            correlation=row["correlation"],
            instead=batch["callback_url"],
            phones=[row["identity"]],
        )


def _facts(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "message_id": row["id"],
        "conversation_id": row["conversation"],
        "channel_identity": identity_of(row),
        "contact_id": row["contact"],
        "metadata": row["metadata"],
        "processing_mode": row["mode"],
    }


def _reason_code(move: Move) -> str:
    if move.status == Status.DELETED:
        return "RECIPIENT_INVALID_CHANNEL_IDENTITY"
    return REASONS.get(move.code, "RECIPIENT_NOT_REACHABLE")


def _reason(code: str, description: str) -> dict[str, str]:
    return {"code": code, "description": description, "sub_code": "UNSPECIFIED_SUB_CODE"}
