"""Projects and their access keys: who may call, by which token."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from smsflow_plugin.integrations.simulator.network.clock import NetworkClock
from smsflow_plugin.integrations.simulator.network.refusals import Refused
from smsflow_plugin.integrations.simulator.network.storage import Database

#: How long a token is good for, in seconds.
TOKEN_LIFE = 3599


@dataclass(frozen=True, slots=True)
class Project:
    project: str
    key_id: str
    key_secret: str


class Projects:
    def __init__(self, database: Database, clock: NetworkClock) -> None:
        self._database = database
        self._clock = clock

    def configure(self, project: Project) -> None:
        """Make or change a project; its tokens stay good."""
        with self._database.transaction() as sql:
            row = (project.project, project.key_id, project.key_secret)
            sql.execute("INSERT OR REPLACE INTO projects VALUES (?, ?, ?)", row)

    def exists(self, project: str) -> bool:
        with self._database.transaction() as sql:
            return sql.execute("SELECT 1 FROM projects WHERE project = ?", (project,)).fetchone() is not None

    def issue(self, authorization: str) -> dict[str, Any]:
        """Return a token for the access key of a Basic authorization. :raises Refused: if there is no such key."""
        key_id, secret = _basic(authorization)
        with self._database.transaction() as sql:
            rows = sql.execute("SELECT * FROM projects WHERE key_id = ?", (key_id,)).fetchall()
            row = next((one for one in rows if hmac.compare_digest(one["key_secret"].encode(), secret.encode())), None)
            if row is None:
                raise Refused(401, "invalid_client", "Client authentication failed.")
            token = secrets.token_urlsafe(32)
            expires_at = self._clock.now() + TOKEN_LIFE
            sql.execute("INSERT INTO tokens VALUES (?, ?, ?)", (token, row["project"], expires_at))
            sql.execute("DELETE FROM tokens WHERE expires_at < ?", (self._clock.now() - TOKEN_LIFE,))
        return {"access_token": token, "expires_in": TOKEN_LIFE, "scope": "", "token_type": "bearer"}

    def authorized(self, project: str, authorization: str) -> None:
        """Let a caller in who has a token of this project, or its access key. :raises Refused: with 401 or 403."""
        scheme, _, given = authorization.partition(" ")
        with self._database.transaction() as sql:
            if scheme.lower() == "basic":
                key_id, secret = _basic(authorization)
                row = sql.execute("SELECT * FROM projects WHERE project = ?", (project,)).fetchone()
                if row and row["key_id"] == key_id and hmac.compare_digest(row["key_secret"], secret):
                    return
                raise Refused(401, "UNAUTHENTICATED", "The access key is not valid for this project.")
            row = sql.execute("SELECT * FROM tokens WHERE token = ?", (given,)).fetchone()
        if scheme.lower() != "bearer" or row is None:
            raise _unauthenticated("invalid_token", "The token is unknown.")
        if row["expires_at"] <= self._clock.now():
            raise _unauthenticated("invalid_token", "The token is expired.")
        if row["project"] != project:
            raise Refused(403, "PERMISSION_DENIED", "The token is not valid for this project.")

    def expire_tokens(self) -> None:
        """Let no token be good any more; a client that knows its trade asks for a new one."""
        with self._database.transaction() as sql:
            sql.execute("UPDATE tokens SET expires_at = ?", (self._clock.now(),))

    def list(self) -> list[str]:
        with self._database.transaction() as sql:
            return [row["project"] for row in sql.execute("SELECT project FROM projects ORDER BY project")]


def _unauthenticated(error: str, words: str) -> Refused:
    headers = {"WWW-Authenticate": f'Bearer error="{error}", error_description="{words}"'}
    return Refused(401, "UNAUTHENTICATED", words, headers=headers)


def _basic(authorization: str) -> tuple[str, str]:
    """Return the name and secret of a Basic authorization; of another one, two empty strings."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, secret
