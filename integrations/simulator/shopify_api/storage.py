"""What the stand-in Shopify remembers: things of every kind in one table, by shop, and who may ask for them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from smsflow_plugin.integrations.simulator.network.storage import Database
from smsflow_plugin.integrations.simulator.shopify_api.values import seconds_of

Doc = dict[str, Any]

# Times are seconds since the epoch. A thing's columns beside its doc are what it is found and sorted by:
# key is a phone, an order's name, a code in capitals, an inventory item; other an e-mail or sku; parent what it
# belongs to.
SCHEMA = """
-- 32 MB, or the indexes of a large past are read and written over and over
PRAGMA cache_size = -32768;
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS shops (number INTEGER PRIMARY KEY, domain TEXT NOT NULL UNIQUE, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS apps (client_id TEXT PRIMARY KEY, secret TEXT NOT NULL, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS installs (
    shop INTEGER NOT NULL, client_id TEXT NOT NULL, scopes TEXT NOT NULL, PRIMARY KEY (shop, client_id)
);
CREATE TABLE IF NOT EXISTS grants (code TEXT PRIMARY KEY, shop INTEGER NOT NULL, client_id TEXT NOT NULL,
    scopes TEXT NOT NULL, due_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (
    token TEXT PRIMARY KEY, shop INTEGER NOT NULL, client_id TEXT NOT NULL, kind TEXT NOT NULL, scopes TEXT NOT NULL,
    expires_at REAL, refresh TEXT UNIQUE, refresh_expires_at REAL, replaces TEXT
);
CREATE TABLE IF NOT EXISTS things (
    shop INTEGER NOT NULL, kind TEXT NOT NULL, id INTEGER NOT NULL, created_at REAL NOT NULL, updated_at REAL NOT NULL,
    key TEXT, other TEXT, parent INTEGER, state TEXT, doc TEXT NOT NULL, PRIMARY KEY (shop, kind, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS things_created ON things (shop, kind, created_at, id);
CREATE INDEX IF NOT EXISTS things_updated ON things (shop, kind, updated_at, id);
CREATE INDEX IF NOT EXISTS things_key ON things (shop, kind, key) WHERE key IS NOT NULL;
CREATE INDEX IF NOT EXISTS things_other ON things (shop, kind, other) WHERE other IS NOT NULL;
CREATE INDEX IF NOT EXISTS things_parent ON things (shop, kind, parent, id) WHERE parent IS NOT NULL;
CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, shop TEXT NOT NULL, operation TEXT NOT NULL,
    remaining INTEGER NOT NULL, seconds REAL NOT NULL, message TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS calls (
    shop TEXT, operation TEXT, answer TEXT, count INTEGER NOT NULL, PRIMARY KEY (shop, operation, answer)
);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, shop INTEGER NOT NULL, client_id TEXT NOT NULL, subscription INTEGER,
    topic TEXT NOT NULL, url TEXT NOT NULL, headers TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, answer INTEGER, due_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due_at) WHERE state = 'pending';
"""

CLEAR = """
DELETE FROM things; DELETE FROM faults; DELETE FROM calls; DELETE FROM deliveries; DELETE FROM grants;
"""

#: Where the ids of a kind begin; each shop has its own range, so that a mix-up shows.
FIRST_ID = {"customer": 7_100_000_000_000, "checkout": 37_200_000_000_000, "discount": 1_500_000_000_000}
ANY_FIRST_ID = 1_100_000_000_000
IDS_OF_A_SHOP = 1_000_000_000


def open_database(path: str | Path = ":memory:") -> Database:
    return Database(path, schema=SCHEMA, clear=CLEAR)


class Things:
    """The things of one shop. Docs have an ``id``, ``createdAt`` and ``updatedAt``, and hold what GraphQL shows."""

    def __init__(self, database: Database, shop: int) -> None:
        self.database = database
        self.shop = shop

    def get(self, kind: str, number: int | None) -> Doc | None:
        if number is None:
            return None
        return self._one("id = ?", kind, number)

    def by_key(self, kind: str, key: str) -> Doc | None:
        return self._one("key = ?", kind, key)

    def by_other(self, kind: str, other: str) -> Doc | None:
        return self._one("other = ?", kind, other)

    def _one(self, condition: str, kind: str, value: Any) -> Doc | None:
        statement = f"SELECT doc FROM things WHERE shop = ? AND kind = ? AND {condition} ORDER BY id LIMIT 1"  # noqa: S608
        with self.database.transaction() as sql:
            row = sql.execute(statement, (self.shop, kind, value)).fetchone()
        return json.loads(row["doc"]) if row else None

    def children(self, kind: str, parent: int, *, limit: int = -1) -> list[Doc]:
        statement = "SELECT doc FROM things WHERE shop = ? AND kind = ? AND parent = ? ORDER BY id LIMIT ?"
        with self.database.transaction() as sql:
            return [json.loads(row["doc"]) for row in sql.execute(statement, (self.shop, kind, parent, limit))]

    def all(self, kind: str) -> list[Doc]:
        statement = "SELECT doc FROM things WHERE shop = ? AND kind = ? ORDER BY id"
        with self.database.transaction() as sql:
            return [json.loads(row["doc"]) for row in sql.execute(statement, (self.shop, kind))]

    def select(self, kind: str, condition: str, values: Iterable[Any], order: str, limit: int) -> list[sqlite3.Row]:
        """Rows with their columns; ``condition`` and ``order`` come from code, never from a caller."""
        statement = f"SELECT * FROM things WHERE shop = ? AND kind = ? AND ({condition}) ORDER BY {order} LIMIT ?"  # noqa: S608
        with self.database.transaction() as sql:
            return sql.execute(statement, (self.shop, kind, *values, limit)).fetchall()

    def count(self, kind: str, condition: str = "1", values: Iterable[Any] = ()) -> int:
        statement = f"SELECT COUNT(*) FROM things WHERE shop = ? AND kind = ? AND ({condition})"  # noqa: S608
        with self.database.transaction() as sql:
            return int(sql.execute(statement, (self.shop, kind, *values)).fetchone()[0])

    def next_id(self, kind: str) -> int:
        with self.database.transaction() as sql:
            row = sql.execute("SELECT MAX(id) FROM things WHERE shop = ? AND kind = ?", (self.shop, kind)).fetchone()
        return int(row[0]) + 1 if row[0] else FIRST_ID.get(kind, ANY_FIRST_ID) + self.shop * IDS_OF_A_SHOP + 1

    def put(self, kind: str, doc: Doc) -> None:
        """Write a thing, new or changed."""
        self.put_all(kind, [doc])

    def put_all(self, kind: str, docs: Iterable[Doc]) -> None:
        with self.database.transaction() as sql:
            sql.executemany(
                "INSERT OR REPLACE INTO things VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (self._row(kind, doc) for doc in docs),
            )

    def _row(self, kind: str, doc: Doc) -> tuple[Any, ...]:
        key, other, parent, state = COLUMNS[kind](doc)
        created, updated = seconds_of(doc["createdAt"]), seconds_of(doc["updatedAt"])
        # what begins with "_" is said about a thing while a call is answered
        plain = {name: value for name, value in doc.items() if not name.startswith("_")}
        text = json.dumps(plain, separators=(",", ":"))
        return self.shop, kind, doc["id"], created, updated, key, other, parent, state, text

    def delete(self, kind: str, number: int) -> None:
        with self.database.transaction() as sql:
            sql.execute("DELETE FROM things WHERE shop = ? AND kind = ? AND id = ?", (self.shop, kind, number))

    def walk(self, kind: str) -> Iterator[Doc]:
        """All of a kind, a few at a time."""
        last = 0
        while rows := self.select(kind, "id > ?", [last], "id", 500):
            for row in rows:
                yield json.loads(row["doc"])
            last = rows[-1]["id"]


def _order_state(doc: Doc) -> str:
    return "cancelled" if doc["cancelledAt"] else "closed" if doc["closedAt"] else "open"


#: What a thing is found by: (key, other, parent, state).
COLUMNS = {
    "customer": lambda doc: (doc["phone"], (doc["email"] or "").lower() or None, None, doc["state"].lower()),
    "order": lambda doc: (doc["name"], doc["email"], doc["customer"], _order_state(doc)),
    "checkout": lambda doc: (doc["token"], doc["email"], doc["customer"], "closed" if doc["completedAt"] else "open"),
    "product": lambda doc: (doc["handle"], None, None, doc["status"].lower()),
    "variant": lambda doc: (str(doc["item"]), doc["sku"], doc["product"], None),
    "discount": lambda doc: (None, None, None, doc["kind"]),
    "code": lambda doc: (doc["code"].upper(), None, doc["discount"], None),
    "code_batch": lambda doc: (None, None, doc["discount"], "done" if doc["done"] else "open"),
    "webhook": lambda doc: (f"{doc['app']}|{doc['topic']}|{doc['uri']}", doc["topic"], None, doc["app"]),
    "bulk": lambda doc: (None, None, None, doc["status"].lower()),
    "metafield": lambda doc: (f"{doc['owner']}|{doc['namespace']}|{doc['key']}", None, None, None),
    "pixel": lambda doc: (doc["app"], None, None, None),
}
