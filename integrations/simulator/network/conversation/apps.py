"""Apps of a project, and the webhooks by which they hear of things."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from smsflow_plugin.integrations.simulator.network.conversation.send_request import CHANNELS, invalid
from smsflow_plugin.integrations.simulator.network.refusals import Refused
from smsflow_plugin.integrations.simulator.network.storage import Database

MAX_WEBHOOKS, MAX_TARGET = 5, 742
TRIGGERS = (
    "MESSAGE_DELIVERY",
    "MESSAGE_SUBMIT",
    "MESSAGE_INBOUND",
    "MESSAGE_INBOUND_SMART_CONVERSATION_REDACTION",
    "EVENT_DELIVERY",
    "EVENT_INBOUND",
    "CONVERSATION_START",
    "CONVERSATION_STOP",
    "CONVERSATION_DELETE",
    "CONTACT_CREATE",
    "CONTACT_UPDATE",
    "CONTACT_DELETE",
    "CONTACT_MERGE",
    "CONTACT_IDENTITIES_DUPLICATION",
    "SMART_CONVERSATIONS",
    "CAPABILITY",
    "OPT_IN",
    "OPT_OUT",
    "CHANNEL_EVENT",
    "UNSUPPORTED",
)
#: Of the webhook that the operator makes.
USUAL_TRIGGERS = ("MESSAGE_DELIVERY", "MESSAGE_INBOUND")
DEFAULTS: Mapping[str, Any] = {
    "conversation_metadata_report_view": "NONE",
    "processing_mode": "CONVERSATION",
    "retention_policy": {"retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": 180},
    "dispatch_retention_policy": {"retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": 0},
    "smart_conversation": {"enabled": False},
}
#: What the network says of every app, and nobody may change.
STANDING: Mapping[str, Any] = {
    "rate_limits": {"inbound": 25, "outbound": 25, "webhooks": 25},
    "queue_stats": {"outbound_size": 0, "outbound_limit": 500_000},
}


class Apps:
    def __init__(self, database: Database, new_id: Callable[[], str]) -> None:
        self._database = database
        self._new_id = new_id

    def configure(
        self,
        app: str,
        project: str,
        *,
        channels: Sequence[str] = ("SMS",),
        sender: str = "",
        region: str = "",
        mode: str = "CONVERSATION",
        callback_url: str = "",
        callback_secret: str = "",
        triggers: Sequence[str] = USUAL_TRIGGERS,
        keeps_days: int = 0,
    ) -> None:
        """Make or change an app, as its owner does in Sinch's dashboard.

        :param channels: in the order in which they are tried.
        :param sender: the number from which it texts if a message names none.
        :param keeps_days: for how long it lists messages of the mode ``DISPATCH``; Sinch's default is not at all.
        """
        credentials = [
            {"channel": name, "static_bearer": {"claimed_identity": sender or app, "token": "secret"}}
            for name in channels
        ]
        content = {
            "display_name": app,
            "channel_credentials": credentials,
            "processing_mode": mode,
            "dispatch_retention_policy": {"retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": keeps_days},
            "callback_settings": {"secret_for_overridden_callback_urls": callback_secret},
        }
        self._check(content)
        hook = {"target": callback_url, "target_type": "HTTP", "triggers": list(triggers), "secret": callback_secret}
        with self._database.transaction() as sql:
            sql.execute("DELETE FROM apps WHERE id = ?", (app,))
            sql.execute("DELETE FROM webhooks WHERE id = ?", (f"{app}-OPERATOR",))
            sql.execute(
                "INSERT INTO apps (id, project, sender, region, content) VALUES (?, ?, ?, ?, ?)",
                (app, project, sender.removeprefix("+"), region, json.dumps({**DEFAULTS, **content})),
            )
            if callback_url:
                sql.execute(
                    "INSERT INTO webhooks (id, project, app, content) VALUES (?, ?, ?, ?)",
                    (f"{app}-OPERATOR", project, app, json.dumps(hook)),
                )

    def create(self, project: str, data: Mapping[str, Any]) -> dict[str, Any]:
        if not data.get("display_name") or not data.get("channel_credentials"):
            raise invalid("display_name and channel_credentials are required.")
        content = {**DEFAULTS, **data}
        self._check(content)
        with self._database.transaction() as sql:
            row = (self._new_id(), project, json.dumps(content))
            sql.execute("INSERT INTO apps (id, project, content) VALUES (?, ?, ?)", row)
            return show_app(self.row(sql, project, row[0]))

    def update(self, project: str, app: str, data: Mapping[str, Any], mask: Sequence[str]) -> dict[str, Any]:
        with self._database.transaction() as sql:
            content = changed(json.loads(self.row(sql, project, app)["content"]), data, mask)
            self._check(content)
            sql.execute("UPDATE apps SET content = ? WHERE id = ?", (json.dumps(content), app))
            return show_app(self.row(sql, project, app))

    def delete(self, project: str, app: str) -> None:
        with self._database.transaction() as sql:
            self.row(sql, project, app)
            sql.execute("DELETE FROM apps WHERE id = ?", (app,))
            sql.execute("DELETE FROM webhooks WHERE app = ?", (app,))

    def get(self, project: str, app: str) -> dict[str, Any]:
        with self._database.transaction() as sql:
            return show_app(self.row(sql, project, app))

    def listed(self, project: str) -> list[dict[str, Any]]:
        with self._database.transaction() as sql:
            rows = sql.execute("SELECT * FROM apps WHERE project = ? ORDER BY number", (project,)).fetchall()
        return [show_app(row) for row in rows]

    def everything(self) -> list[dict[str, Any]]:
        """All apps for the operator, without their secrets."""
        with self._database.transaction() as sql:
            rows = sql.execute("SELECT * FROM apps ORDER BY id").fetchall()
        return [
            {"app": row["id"], "project": row["project"], "sender": row["sender"], "region": row["region"]}
            | {"channels": channels_of(row)}
            for row in rows
        ]

    def row(self, sql: sqlite3.Connection, project: str, app: str) -> sqlite3.Row:
        """Return the app. :raises Refused: with 404 if the project has no such app."""
        row: sqlite3.Row | None = sql.execute(
            "SELECT * FROM apps WHERE project = ? AND id = ?", (project, app)
        ).fetchone()
        if row is None:
            raise Refused(404, "NOT_FOUND", "There is no such app.")
        return row

    def find(self, sql: sqlite3.Connection, app: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = sql.execute("SELECT * FROM apps WHERE id = ?", (app,)).fetchone()
        return row

    def of_number(self, sql: sqlite3.Connection, number: str) -> str:
        """Return the one app that texts from a number, or that is the only one if no number is given; else ""."""
        rows = sql.execute("SELECT id FROM apps WHERE :number = '' OR sender = :number", {"number": number}).fetchall()
        return str(rows[0]["id"]) if len(rows) == 1 else ""

    def _check(self, content: Mapping[str, Any]) -> None:
        credentials = content.get("channel_credentials")
        entries = credentials if isinstance(credentials, list) else [None]
        if any(not isinstance(one, Mapping) or one.get("channel") not in CHANNELS for one in entries):
            raise invalid("channel_credentials must be a list that names channels.")
        if content.get("processing_mode") not in ("CONVERSATION", "DISPATCH"):
            raise invalid("processing_mode must be CONVERSATION or DISPATCH.")


class Webhooks:
    """At most five an app."""

    def __init__(self, database: Database, apps: Apps, new_id: Callable[[], str]) -> None:
        self._database = database
        self._apps = apps
        self._new_id = new_id

    def create(self, project: str, data: Mapping[str, Any]) -> dict[str, Any]:
        app = str(data.get("app_id", ""))
        content = {
            "target_type": "HTTP",
            **{name: value for name, value in data.items() if name not in ("id", "app_id")},
        }
        _check_webhook(content)
        with self._database.transaction() as sql:
            self._apps.row(sql, project, app)
            if sql.execute("SELECT COUNT(*) FROM webhooks WHERE app = ?", (app,)).fetchone()[0] >= MAX_WEBHOOKS:
                raise Refused(400, "FAILED_PRECONDITION", f"An app has at most {MAX_WEBHOOKS} webhooks.")
            row = (self._new_id(), project, app, json.dumps(content))
            sql.execute("INSERT INTO webhooks (id, project, app, content) VALUES (?, ?, ?, ?)", row)
            return show_webhook(self._row(sql, project, row[0]))

    def update(self, project: str, webhook: str, data: Mapping[str, Any], mask: Sequence[str]) -> dict[str, Any]:
        with self._database.transaction() as sql:
            content = changed(json.loads(self._row(sql, project, webhook)["content"]), data, mask)
            _check_webhook(content)
            sql.execute("UPDATE webhooks SET content = ? WHERE id = ?", (json.dumps(content), webhook))
            return show_webhook(self._row(sql, project, webhook))

    def delete(self, project: str, webhook: str) -> None:
        with self._database.transaction() as sql:
            self._row(sql, project, webhook)
            sql.execute("DELETE FROM webhooks WHERE id = ?", (webhook,))

    def get(self, project: str, webhook: str) -> dict[str, Any]:
        with self._database.transaction() as sql:
            return show_webhook(self._row(sql, project, webhook))

    def listed(self, project: str, app: str) -> list[dict[str, Any]]:
        with self._database.transaction() as sql:
            self._apps.row(sql, project, app)
            return [show_webhook(row) for row in self.of_app(sql, app)]

    def of_app(self, sql: sqlite3.Connection, app: str) -> list[sqlite3.Row]:
        return sql.execute("SELECT * FROM webhooks WHERE app = ? ORDER BY number", (app,)).fetchall()

    def secret(self, webhook: str) -> str:
        """Return what signs the callbacks of a webhook, or "" if nothing does."""
        with self._database.transaction() as sql:
            row = sql.execute("SELECT content FROM webhooks WHERE id = ?", (webhook,)).fetchone()
        return str(json.loads(row["content"]).get("secret") or "") if row else ""

    def _row(self, sql: sqlite3.Connection, project: str, webhook: str) -> sqlite3.Row:
        row: sqlite3.Row | None = sql.execute(
            "SELECT * FROM webhooks WHERE project = ? AND id = ?", (project, webhook)
        ).fetchone()
        if row is None:
            raise Refused(404, "NOT_FOUND", "There is no such webhook.")
        return row


def _check_webhook(content: Mapping[str, Any]) -> None:
    target, triggers = content.get("target"), content.get("triggers")
    if not isinstance(target, str) or not 1 <= len(target) <= MAX_TARGET:
        raise invalid(f"target must be an address of at most {MAX_TARGET} characters.")
    if not isinstance(triggers, list) or not triggers or any(trigger not in TRIGGERS for trigger in triggers):
        raise invalid("triggers must name triggers.")


def changed(content: dict[str, Any], data: Mapping[str, Any], mask: Sequence[str]) -> dict[str, Any]:
    """Return ``content`` after a PATCH: with a mask, only what the mask names changes."""
    names = {path.split(".")[0] for path in mask} or set(data)
    return content | {name: data.get(name) for name in names if name not in ("id", "app_id")}


def channels_of(app: sqlite3.Row) -> list[str]:
    """Return the channels of an app, in the order in which it prefers them."""
    return [one["channel"] for one in json.loads(app["content"])["channel_credentials"]]


def show_app(row: sqlite3.Row) -> dict[str, Any]:
    return {"id": row["id"], **json.loads(row["content"]), **STANDING}


def show_webhook(row: sqlite3.Row) -> dict[str, Any]:
    return {"id": row["id"], "app_id": row["app"], **json.loads(row["content"])}
