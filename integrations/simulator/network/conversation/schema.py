"""What the Conversation API keeps, beside the texts themselves: those are on the same phones as every other."""

from __future__ import annotations

# ``content`` is the API's own object, without its id.
SCHEMA = """
CREATE TABLE IF NOT EXISTS projects (project TEXT PRIMARY KEY, key_id TEXT NOT NULL, key_secret TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, project TEXT NOT NULL, expires_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS apps (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL,
    sender TEXT NOT NULL DEFAULT '', region TEXT NOT NULL DEFAULT '', content TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS webhooks (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL, app TEXT NOT NULL,
    content TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS webhooks_app ON webhooks (app);
CREATE TABLE IF NOT EXISTS contacts (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL, content TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS identities (
    contact TEXT NOT NULL, project TEXT NOT NULL, channel TEXT NOT NULL, identity TEXT NOT NULL,
    app TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS identities_identity ON identities (project, identity, channel);
CREATE INDEX IF NOT EXISTS identities_contact ON identities (contact);
CREATE TABLE IF NOT EXISTS conversations (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL, app TEXT NOT NULL,
    contact TEXT NOT NULL, active INTEGER NOT NULL DEFAULT 1, channel TEXT NOT NULL DEFAULT '',
    last_received REAL, content TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS conversations_contact ON conversations (contact, app);
-- Both directions. A message to a contact is also a batch of the same id, whose texts are on phones.
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL, app TEXT NOT NULL,
    conversation TEXT NOT NULL, contact TEXT NOT NULL, direction TEXT NOT NULL, channel TEXT NOT NULL,
    identity TEXT NOT NULL, sender TEXT NOT NULL, mode TEXT NOT NULL, metadata TEXT NOT NULL,
    correlation TEXT NOT NULL, at REAL NOT NULL, content TEXT NOT NULL, deleted INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS messages_app ON messages (project, app, at);
CREATE INDEX IF NOT EXISTS messages_identity ON messages (project, identity);
"""

#: Projects, apps and webhooks stay, as plans do.
CLEAR = "DELETE FROM contacts; DELETE FROM identities; DELETE FROM conversations; DELETE FROM messages;"
