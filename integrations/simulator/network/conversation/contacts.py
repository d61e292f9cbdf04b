"""Contacts of a project: people, by the identities that they have on channels."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from smsflow_plugin.integrations.simulator.network.conversation.apps import changed
from smsflow_plugin.integrations.simulator.network.conversation.callbacks import Callbacks
from smsflow_plugin.integrations.simulator.network.conversation.send_request import invalid, read_identities
from smsflow_plugin.integrations.simulator.network.refusals import Refused
from smsflow_plugin.integrations.simulator.network.storage import Database

DEFAULTS: Mapping[str, Any] = {
    "channel_priority": [],
    "display_name": "Unknown",
    "email": "",
    "external_id": "",
    "metadata": "",
    "language": "UNSPECIFIED",
}


class Contacts:
    def __init__(self, database: Database, callbacks: Callbacks, new_id: Callable[[], str]) -> None:
        self._database = database
        self._callbacks = callbacks
        self._new_id = new_id

    def create(self, project: str, data: Mapping[str, Any]) -> dict[str, Any]:
        given = data.get("channel_identities")
        if not read_identities(given):
            raise invalid("channel_identities must have at least one item.")
        with self._database.transaction() as sql:
            return self.show(sql, self._add(sql, project, data, list(given or [])))

    def update(self, project: str, contact: str, data: Mapping[str, Any], mask: Sequence[str]) -> dict[str, Any]:
        with self._database.transaction() as sql:
            content = changed(json.loads(self.row(sql, project, contact)["content"]), data, mask)
            given = content.pop("channel_identities", None)
            if given is not None:
                read_identities(given)
                self._set_identities(sql, project, contact, given)
            sql.execute("UPDATE contacts SET content = ? WHERE id = ?", (json.dumps(content), contact))
            shown = self.show(sql, contact)
            self._callbacks.tell_project(
                sql, project, "CONTACT_UPDATE", {"contact_update_notification": {"contact": shown}}
            )
            return shown

    def delete(self, project: str, contact: str) -> None:
        with self._database.transaction() as sql:
            self.row(sql, project, contact)
            news = {"contact_delete_notification": {"contact": self.show(sql, contact)}}
            self._forget(sql, contact)
            self._callbacks.tell_project(sql, project, "CONTACT_DELETE", news)

    def merge(self, project: str, kept: str, gone: str) -> dict[str, Any]:
        """Give one contact the identities, messages and conversations of another, which is no more."""
        with self._database.transaction() as sql:
            self.row(sql, project, kept)
            self.row(sql, project, gone)
            if kept == gone:
                raise invalid("A contact can't be merged with itself.")
            lost = self.show(sql, gone)
            for table in ("identities", "conversations", "messages"):
                sql.execute(f"UPDATE {table} SET contact = ? WHERE contact = ?", (kept, gone))  # noqa: S608
            self._forget(sql, gone)
            shown = self.show(sql, kept)
            news = {"contact_merge_notification": {"preserved_contact": shown, "deleted_contact": lost}}
            self._callbacks.tell_project(sql, project, "CONTACT_MERGE", news)
            return shown

    def get(self, project: str, contact: str) -> dict[str, Any]:
        with self._database.transaction() as sql:
            return self.show(sql, self.row(sql, project, contact)["id"])

    def listed(
        self, project: str, *, external_id: str = "", channel: str = "", identity: str = ""
    ) -> list[dict[str, Any]]:
        if bool(channel) != bool(identity) or (external_id and identity):
            raise invalid("Give either external_id, or channel and identity.")
        with self._database.transaction() as sql:
            rows = sql.execute(
                "SELECT id FROM contacts WHERE project = :project"
                " AND (:external = '' OR json_extract(content, '$.external_id') = :external)"
                " AND (:identity = '' OR id IN (SELECT contact FROM identities"
                " WHERE project = :project AND channel = :channel AND identity = :identity)) ORDER BY number",
                {
                    "project": project,
                    "external": external_id,
                    "channel": channel,
                    "identity": identity.strip().removeprefix("+"),
                },
            ).fetchall()
            return [self.show(sql, row["id"]) for row in rows]

    def conflicts(self, project: str) -> list[dict[str, Any]]:
        """Return identities that more than one contact has."""
        with self._database.transaction() as sql:
            rows = sql.execute("SELECT * FROM identities WHERE project = ? ORDER BY rowid", (project,)).fetchall()
        owners: dict[str, dict[str, None]] = defaultdict(dict)
        channels: dict[str, dict[str, None]] = defaultdict(dict)
        for row in rows:
            owners[row["identity"]][row["contact"]] = None
            channels[row["identity"]][row["channel"]] = None
        return [
            {"identity": identity, "channels": list(channels[identity]), "contact_ids": list(contacts)}
            for identity, contacts in owners.items()
            if len(contacts) > 1
        ]

    def row(self, sql: sqlite3.Connection, project: str, contact: str) -> sqlite3.Row:
        """Return the contact. :raises Refused: with 404 if the project has no such contact."""
        row: sqlite3.Row | None = sql.execute(
            "SELECT * FROM contacts WHERE project = ? AND id = ?", (project, contact)
        ).fetchone()
        if row is None:
            raise Refused(404, "NOT_FOUND", "There is no such contact.")
        return row

    def meet(self, sql: sqlite3.Connection, project: str, identities: Mapping[str, str]) -> str:
        """Return the contact with one of these identities; there is one afterwards."""
        for channel, identity in identities.items():
            row = sql.execute(
                "SELECT contact FROM identities WHERE project = ? AND channel = ? AND identity = ? ORDER BY rowid",
                (project, channel, identity),
            ).fetchone()
            if row is not None:
                return str(row["contact"])
        given = [{"channel": channel, "identity": identity} for channel, identity in identities.items()]
        return self._add(sql, project, {}, given)

    def identities(self, sql: sqlite3.Connection, contact: str) -> dict[str, str]:
        rows = sql.execute("SELECT * FROM identities WHERE contact = ? ORDER BY rowid DESC", (contact,))
        return {row["channel"]: row["identity"] for row in rows}

    def show(self, sql: sqlite3.Connection, contact: str) -> dict[str, Any]:
        row = sql.execute("SELECT * FROM contacts WHERE id = ?", (contact,)).fetchone()
        identities = sql.execute("SELECT * FROM identities WHERE contact = ? ORDER BY rowid", (contact,)).fetchall()
        shown = [{"channel": one["channel"], "identity": one["identity"], "app_id": one["app"]} for one in identities]
        return {"id": contact, "channel_identities": shown, **json.loads(row["content"])}

    def _add(self, sql: sqlite3.Connection, project: str, data: Mapping[str, Any], given: list[Any]) -> str:
        contact = self._new_id()
        content = {name: data.get(name) or default for name, default in DEFAULTS.items()}
        row = (contact, project, json.dumps(content))
        sql.execute("INSERT INTO contacts (id, project, content) VALUES (?, ?, ?)", row)
        self._set_identities(sql, project, contact, given)
        news = {"contact_create_notification": {"contact": self.show(sql, contact)}}
        self._callbacks.tell_project(sql, project, "CONTACT_CREATE", news)
        return contact

    def _set_identities(
        self, sql: sqlite3.Connection, project: str, contact: str, given: Sequence[Mapping[str, Any]]
    ) -> None:
        sql.execute("DELETE FROM identities WHERE contact = ?", (contact,))
        sql.executemany(
            "INSERT INTO identities (contact, project, channel, identity, app) VALUES (?, ?, ?, ?, ?)",
            [
                (contact, project, one["channel"], one["identity"].removeprefix("+"), one.get("app_id") or "")
                for one in given
            ],
        )

    def _forget(self, sql: sqlite3.Connection, contact: str) -> None:
        for table, column in (("identities", "contact"), ("conversations", "contact"), ("contacts", "id")):
            sql.execute(f"DELETE FROM {table} WHERE {column} = ?", (contact,))  # noqa: S608 - our own names
