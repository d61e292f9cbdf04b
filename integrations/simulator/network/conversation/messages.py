"""Messages of both directions, as the API lists them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from smsflow_plugin.integrations.simulator.network.clock import stamp
from smsflow_plugin.integrations.simulator.network.refusals import Refused
from smsflow_plugin.integrations.simulator.network.storage import Database

#: The processing mode of the messages that a source has.
SOURCES = {"CONVERSATION_SOURCE": "CONVERSATION", "DISPATCH_SOURCE": "DISPATCH"}


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is kept. ``direction`` is TO_CONTACT or TO_APP."""

    id: str
    app: str
    project: str
    direction: str
    channel: str
    identity: str
    content: Mapping[str, Any]
    at: float
    mode: str
    conversation: str = ""
    contact: str = ""
    sender: str = ""
    metadata: str = ""
    correlation: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list asks for; an empty field asks for nothing."""

    source: str = "CONVERSATION_SOURCE"
    app: str = ""
    contacts: Collection[str] = ()
    conversation: str = ""
    channel: str = ""
    identities: Collection[str] = ()
    direction: str = ""
    start: float | None = None
    end: float | None = None

    def fits(self, row: sqlite3.Row) -> bool:
        return (
            row["mode"] == SOURCES.get(self.source, "CONVERSATION")
            and self.app in ("", row["app"])
            and self.conversation in ("", row["conversation"])
            and self.channel in ("", row["channel"])
            and self.direction in ("", row["direction"])
            and (not self.contacts or row["contact"] in self.contacts)
            and (not self.identities or row["identity"] in self.identities)
        )


class Messages:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, sql: sqlite3.Connection, message: Message) -> None:
        sql.execute(
            "INSERT INTO messages (id, project, app, conversation, contact, direction, channel, identity, sender,"
            " mode, metadata, correlation, at, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                message.id,
                message.project,
                message.app,
                message.conversation,
                message.contact,
                message.direction,
                message.channel,
                message.identity,
                message.sender,
                message.mode,
                message.metadata,
                message.correlation,
                message.at,
                json.dumps(message.content),
            ),
        )

    def moved_to(self, sql: sqlite3.Connection, message: str, channel: str, identity: str) -> None:
        """Note that a message went on to another channel."""
        sql.execute("UPDATE messages SET channel = ?, identity = ? WHERE id = ?", (channel, identity, message))

    def find(self, sql: sqlite3.Connection, message: str) -> sqlite3.Row:
        row: sqlite3.Row = sql.execute("SELECT * FROM messages WHERE id = ?", (message,)).fetchone()
        return row

    def get(self, project: str, message: str, source: str = "CONVERSATION_SOURCE") -> dict[str, Any]:
        with self._database.transaction() as sql:
            return show(self._row(sql, project, message, source))

    def update(self, project: str, message: str, metadata: str, source: str = "CONVERSATION_SOURCE") -> dict[str, Any]:
        with self._database.transaction() as sql:
            self._row(sql, project, message, source)
            sql.execute("UPDATE messages SET metadata = ? WHERE id = ?", (metadata, message))
            return show(self._row(sql, project, message, source))

    def delete(self, project: str, message: str, source: str = "CONVERSATION_SOURCE") -> None:
        """Forget a message. What is on its way to a phone arrives all the same."""
        with self._database.transaction() as sql:
            self._row(sql, project, message, source)
            sql.execute("UPDATE messages SET deleted = 1 WHERE id = ?", (message,))

    def listed(self, project: str, wanted: Wanted) -> list[dict[str, Any]]:
        """All that fit, newest first."""
        with self._database.transaction() as sql:
            rows = sql.execute(
                "SELECT * FROM messages WHERE project = :project AND deleted = 0 AND (:app = '' OR app = :app)"
                " AND (:start IS NULL OR at >= :start) AND (:end IS NULL OR at < :end) ORDER BY number DESC",
                {"project": project, "app": wanted.app, "start": wanted.start, "end": wanted.end},
            ).fetchall()
        return [show(row) for row in rows if wanted.fits(row)]

    def last(self, project: str, wanted: Wanted) -> list[dict[str, Any]]:
        """Of each identity's messages that fit, the newest."""
        newest: dict[str, dict[str, Any]] = {}
        for shown in self.listed(project, wanted):
            newest.setdefault(shown["channel_identity"]["identity"], shown)
        return list(newest.values())

    def _row(self, sql: sqlite3.Connection, project: str, message: str, source: str) -> sqlite3.Row:
        row: sqlite3.Row | None = sql.execute(
            "SELECT * FROM messages WHERE project = ? AND id = ? AND deleted = 0", (project, message)
        ).fetchone()
        if row is None or row["mode"] != SOURCES.get(source):
            raise Refused(404, "NOT_FOUND", "There is no such message.")
        return row


def identity_of(row: sqlite3.Row) -> dict[str, str]:
    return {"app_id": "", "channel": row["channel"], "identity": row["identity"]}


def show(row: sqlite3.Row) -> dict[str, Any]:
    kind = "app_message" if row["direction"] == "TO_CONTACT" else "contact_message"
    return {
        "id": row["id"],
        "direction": row["direction"],
        kind: json.loads(row["content"]),
        "channel_identity": identity_of(row),
        "conversation_id": row["conversation"],
        "contact_id": row["contact"],
        "metadata": row["metadata"],
        "accept_time": stamp(row["at"]),
        "sender_id": row["sender"] if row["direction"] == "TO_APP" else "",
        "processing_mode": row["mode"],
        "injected": False,
    }
