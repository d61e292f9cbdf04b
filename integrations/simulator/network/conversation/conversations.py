"""Conversations: what an app and a contact said to each other, until somebody stops it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from smsflow_plugin.integrations.simulator.network.clock import stamp
from smsflow_plugin.integrations.simulator.network.conversation.apps import Apps, changed
from smsflow_plugin.integrations.simulator.network.conversation.callbacks import Callbacks
from smsflow_plugin.integrations.simulator.network.refusals import Refused
from smsflow_plugin.integrations.simulator.network.storage import Database


class Conversations:
    def __init__(self, database: Database, apps: Apps, callbacks: Callbacks, new_id: Callable[[], str]) -> None:
        self._database = database
        self._apps = apps
        self._callbacks = callbacks
        self._new_id = new_id

    def open(self, sql: sqlite3.Connection, app: sqlite3.Row, contact: str) -> str:
        """Return the running conversation of an app and a contact; there is one afterwards."""
        row = sql.execute(
            "SELECT id FROM conversations WHERE app = ? AND contact = ? AND active = 1 ORDER BY number DESC",
            (app["id"], contact),
        ).fetchone()
        return str(row["id"]) if row else self._start(sql, app, contact, {})

    def create(self, project: str, data: Mapping[str, Any]) -> dict[str, Any]:
        with self._database.transaction() as sql:
            app = self._apps.row(sql, project, str(data.get("app_id", "")))
            identifier = self._start(sql, app, str(data.get("contact_id", "")), _content(data))
            sql.execute(
                "UPDATE conversations SET active = ?, channel = ? WHERE id = ?",
                (data.get("active", True), data.get("active_channel") or "", identifier),
            )
            return show(self._row(sql, project, identifier))

    def update(self, project: str, identifier: str, data: Mapping[str, Any], mask: Sequence[str]) -> dict[str, Any]:
        with self._database.transaction() as sql:
            row = self._row(sql, project, identifier)
            content = changed(json.loads(row["content"]), _content(data), [m for m in mask if m in _CONTENT])
            sql.execute("UPDATE conversations SET content = ? WHERE id = ?", (json.dumps(content), identifier))
            return show(self._row(sql, project, identifier))

    def stop(self, project: str, identifier: str) -> None:
        self._end(project, identifier, "UPDATE conversations SET active = 0 WHERE id = ?", "STOP")

    def delete(self, project: str, identifier: str) -> None:
        with self._database.transaction() as sql:
            self._end(project, identifier, "DELETE FROM conversations WHERE id = ?", "DELETE")
            sql.execute("UPDATE messages SET deleted = 1 WHERE conversation = ?", (identifier,))

    def get(self, project: str, identifier: str) -> dict[str, Any]:
        with self._database.transaction() as sql:
            return show(self._row(sql, project, identifier))

    def listed(self, project: str, *, app: str, contact: str, only_active: bool) -> list[dict[str, Any]]:
        """All that fit, the last one started first."""
        with self._database.transaction() as sql:
            rows = sql.execute(
                "SELECT * FROM conversations WHERE project = :project AND (:app = '' OR app = :app)"
                " AND (:contact = '' OR contact = :contact) AND (active = 1 OR NOT :active) ORDER BY number DESC",
                {"project": project, "app": app, "contact": contact, "active": only_active},
            ).fetchall()
        return [show(row) for row in rows]

    def heard(self, sql: sqlite3.Connection, identifier: str, channel: str, now: float) -> None:
        """Note that the contact said something."""
        sql.execute("UPDATE conversations SET channel = ?, last_received = ? WHERE id = ?", (channel, now, identifier))

    def _start(self, sql: sqlite3.Connection, app: sqlite3.Row, contact: str, content: Mapping[str, Any]) -> str:
        identifier = self._new_id()
        sql.execute(
            "INSERT INTO conversations (id, project, app, contact, content) VALUES (?, ?, ?, ?, ?)",
            (identifier, app["project"], app["id"], contact, json.dumps(dict(content))),
        )
        shown = show(self._row(sql, app["project"], identifier))
        news = {"conversation_start_notification": {"conversation": shown}}
        self._callbacks.tell(sql, app, "CONVERSATION_START", news)
        return identifier

    def _end(self, project: str, identifier: str, statement: str, what: str) -> None:
        with self._database.transaction() as sql:
            row = self._row(sql, project, identifier)
            news = {f"conversation_{what.lower()}_notification": {"conversation": show(row)}}
            sql.execute(statement, (identifier,))
            app = self._apps.find(sql, row["app"])
            if app is not None:
                self._callbacks.tell(sql, app, f"CONVERSATION_{what}", news)

    def _row(self, sql: sqlite3.Connection, project: str, identifier: str) -> sqlite3.Row:
        row: sqlite3.Row | None = sql.execute(
            "SELECT * FROM conversations WHERE project = ? AND id = ?", (project, identifier)
        ).fetchone()
        if row is None:
            raise Refused(404, "NOT_FOUND", "There is no such conversation.")
        return row


_CONTENT = ("metadata", "metadata_json", "correlation_id")


def _content(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in _CONTENT if data.get(name) is not None}


def show(row: sqlite3.Row) -> dict[str, Any]:
    shown = {
        "id": row["id"],
        "app_id": row["app"],
        "contact_id": row["contact"],
        "active": bool(row["active"]),
        "active_channel": row["channel"] or "CHANNEL_UNSPECIFIED",
        "metadata": "",
        "correlation_id": "",
        **json.loads(row["content"]),
    }
    return shown | ({"last_received": stamp(row["last_received"])} if row["last_received"] else {})
