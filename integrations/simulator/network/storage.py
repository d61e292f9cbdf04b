"""Where the network keeps what it knows: SQLite, in a file so that it outlives every kill."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from types import MappingProxyType

# All times are seconds since the epoch by the network's clock; phone numbers have no "+".
SCHEMA = """
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS plans (
    plan TEXT PRIMARY KEY, token TEXT NOT NULL, callback_url TEXT NOT NULL, callback_secret TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS batches (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, plan TEXT NOT NULL, reference TEXT NOT NULL,
    created_at REAL NOT NULL, modified_at REAL NOT NULL, canceled INTEGER NOT NULL DEFAULT 0,
    expire_at REAL NOT NULL, delivery_report TEXT NOT NULL, callback_url TEXT NOT NULL, content TEXT NOT NULL,
    kind TEXT NOT NULL DEFAULT 'sms'
);
CREATE INDEX IF NOT EXISTS batches_reference ON batches (plan, reference);
CREATE INDEX IF NOT EXISTS batches_created ON batches (plan, created_at);
-- A text towards a phone. due_at is when its state changes next, NULL once it is final.
CREATE TABLE IF NOT EXISTS texts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, batch TEXT NOT NULL, phone TEXT NOT NULL, sender TEXT NOT NULL,
    body TEXT NOT NULL, parts INTEGER NOT NULL, encoding TEXT NOT NULL,
    status TEXT NOT NULL, code INTEGER NOT NULL, doomed INTEGER, at REAL NOT NULL, changed_at REAL NOT NULL,
    due_at REAL, channel TEXT NOT NULL DEFAULT 'SMS', media TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS texts_batch ON texts (batch, phone);
CREATE INDEX IF NOT EXISTS texts_phone ON texts (phone);
CREATE INDEX IF NOT EXISTS texts_due ON texts (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS sms_groups (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, plan TEXT NOT NULL, name TEXT,
    auto_update TEXT, created_at REAL NOT NULL, modified_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS group_members (grp TEXT NOT NULL, phone TEXT NOT NULL, UNIQUE (grp, phone));
CREATE TABLE IF NOT EXISTS group_children (grp TEXT NOT NULL, child TEXT NOT NULL, UNIQUE (grp, child));
-- A text from a phone.
CREATE TABLE IF NOT EXISTS inbounds (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, plan TEXT NOT NULL,
    phone TEXT NOT NULL, recipient TEXT NOT NULL, body TEXT NOT NULL, at REAL NOT NULL,
    channel TEXT NOT NULL DEFAULT 'SMS', media TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS inbounds_phone ON inbounds (phone);
CREATE TABLE IF NOT EXISTS callbacks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, plan TEXT NOT NULL, url TEXT NOT NULL, body TEXT NOT NULL,
    state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, answer INTEGER, due_at REAL NOT NULL,
    seal TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS callbacks_due ON callbacks (due_at) WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS behaviours (
    phone TEXT PRIMARY KEY, behaviour TEXT NOT NULL, seconds REAL NOT NULL, code INTEGER NOT NULL
);
-- What else a phone has beside SMS. reads is how long a text lies there unread, NULL if nobody says.
CREATE TABLE IF NOT EXISTS equipment (phone TEXT PRIMARY KEY, channels TEXT NOT NULL, reads REAL);
CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, operation TEXT NOT NULL,
    remaining INTEGER NOT NULL, seconds REAL NOT NULL, phone TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS calls (operation TEXT, answer TEXT, count INTEGER NOT NULL, PRIMARY KEY (operation, answer));
"""

CLEAR = """
DELETE FROM batches; DELETE FROM texts; DELETE FROM inbounds; DELETE FROM callbacks;
DELETE FROM sms_groups; DELETE FROM group_members; DELETE FROM group_children;
DELETE FROM behaviours; DELETE FROM equipment; DELETE FROM faults; DELETE FROM calls;
"""

#: Columns that a network's file of an earlier version does not have.
ADDED = {
    "batches": {"kind": "TEXT NOT NULL DEFAULT 'sms'"},
    "texts": {"channel": "TEXT NOT NULL DEFAULT 'SMS'", "media": "TEXT NOT NULL DEFAULT ''"},
    "inbounds": {"channel": "TEXT NOT NULL DEFAULT 'SMS'", "media": "TEXT NOT NULL DEFAULT ''"},
    "callbacks": {"seal": "TEXT NOT NULL DEFAULT ''"},
    "faults": {"phone": "TEXT NOT NULL DEFAULT ''"},
}


class Database:
    """One connection, one writer at a time; every thread of the network shares it.

    :param schema: what to create where it does not exist.
    :param clear: what forgets everything that may be forgotten.
    :param added: columns by table, to add to a file that was made before there were any.
    """

    def __init__(
        self,
        path: str | Path = ":memory:",
        *,
        schema: str = SCHEMA,
        clear: str = CLEAR,
        added: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    ) -> None:
        self._clear = clear
        self._lock = RLock()
        self._connection = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None, timeout=20)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(schema)
        for table, columns in added.items():
            self._add_columns(table, columns)

    def _add_columns(self, table: str, columns: Mapping[str, str]) -> None:
        known = {row["name"] for row in self._connection.execute(f"PRAGMA table_info({table})")}
        for name in columns.keys() - known:
            self._connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {columns[name]}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside happens or nothing does. May be nested."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def note(self, name: str) -> str | None:
        with self._lock:
            row = self._connection.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return row["value"] if row else None

    def set_note(self, name: str, value: str) -> None:
        with self.transaction() as sql:
            sql.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))

    def clear(self) -> None:
        """Forget everything but the plans and notes."""
        with self._lock:
            self._connection.executescript(f"BEGIN IMMEDIATE; {self._clear} COMMIT;")

    def close(self) -> None:
        with self._lock:
            self._connection.close()
