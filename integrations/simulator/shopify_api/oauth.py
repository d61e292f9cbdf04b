"""How an app gets into a shop: approval, tokens of every kind, and their renewal."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from smsflow_plugin.integrations.simulator.network.storage import Database
from smsflow_plugin.integrations.simulator.shopify_api.scopes import split

CODE_LIVES = 60.0
EXPIRING = 3600
REFRESH_LIVES = 90 * 86_400
CREDENTIALS_LIVE = 86_399
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


class Denied(Exception):
    """An OAuth error; what goes back is its ``body``."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whose token it is, and what it may do."""

    client_id: str
    scopes: tuple[str, ...]


class Tokens:
    def __init__(self, database: Database) -> None:
        self._database = database

    def app(self, client_id: str) -> dict[str, Any] | None:
        with self._database.transaction() as sql:
            row = sql.execute("SELECT * FROM apps WHERE client_id = ?", (client_id,)).fetchone()
        return {**json.loads(row["doc"]), "secret": row["secret"], "client_id": client_id} if row else None

    def authorize(self, shop: int, domain: str, query: dict[str, str], now: float) -> str:
        """Approve at once, and return where to go back to."""
        app = self.app(query.get("client_id", ""))
        if app is None:
            raise Denied(400, "invalid_request", "Could not find Shopify API application with api_key")
        target = query.get("redirect_uri", "")
        if not target or (app["redirect_uris"] and target not in app["redirect_uris"]):
            raise Denied(400, "invalid_request", "The redirect_uri is not whitelisted")
        scopes = split(query.get("scope", "")) or app["scopes"]
        code = secrets.token_hex(16)
        with self._database.transaction() as sql:
            row = (code, shop, app["client_id"], ",".join(scopes), now + CODE_LIVES)
            sql.execute("INSERT INTO grants VALUES (?, ?, ?, ?, ?)", row)
        name = domain.removesuffix(".myshopify.com")
        host = base64.b64encode(f"admin.shopify.com/store/{name}".encode()).decode().rstrip("=")
        answer = {"code": code, "host": host, "shop": domain, "timestamp": str(int(now))}
        if "state" in query:
            answer["state"] = query["state"]
        answer["hmac"] = sign_query(answer, app["secret"])
        return f"{target}{'&' if '?' in target else '?'}{urlencode(answer)}"

    def grant(self, shop: int, domain: str, asked: dict[str, str], now: float) -> dict[str, Any]:
        """Answer a POST to ``access_token``.

        :raises Denied: as Shopify would.
        """
        app = self.app(asked.get("client_id", ""))
        if app is None or not hmac.compare_digest(app["secret"].encode(), asked.get("client_secret", "").encode()):
            raise Denied(401, "invalid_client", "Client authentication failed due to unknown client or wrong secret.")
        kind = asked.get("grant_type", "authorization_code" if "code" in asked else "")
        with self._database.transaction() as sql:
            if kind == "authorization_code":
                return self._from_code(sql, shop, app, asked, now)
            if kind == "refresh_token":
                return self._refreshed(sql, shop, app, asked, now)
            if kind == "client_credentials":
                scopes = self._installed(sql, shop, app, "invalid_request")
                return self._issue(sql, shop, app, scopes, now, lives=CREDENTIALS_LIVE)
            if kind == EXCHANGE:
                check_id_token(asked.get("subject_token", ""), app, domain, now)
                scopes = self._installed(sql, shop, app, "invalid_subject_token")
                return self._of_wanted_kind(sql, shop, app, scopes, asked, now)
        raise Denied(400, "unsupported_grant_type", "The grant type is not supported.")

    def _installed(self, sql: sqlite3.Connection, shop: int, app: dict[str, Any], error: str) -> list[str]:
        query = "SELECT scopes FROM installs WHERE shop = ? AND client_id = ?"
        row = sql.execute(query, (shop, app["client_id"])).fetchone()
        if row is None:
            raise Denied(400, error, "The app is not installed on this shop.")
        return split(row["scopes"])

    def _from_code(
        self, sql: sqlite3.Connection, shop: int, app: dict[str, Any], asked: dict[str, str], now: float
    ) -> dict[str, Any]:
        query = "SELECT * FROM grants WHERE code = ? AND shop = ? AND client_id = ? AND due_at > ?"
        row = sql.execute(query, (asked.get("code", ""), shop, app["client_id"], now)).fetchone()
        if row is None:
            raise Denied(400, "invalid_request", "The authorization code was not found or was already used")
        sql.execute("DELETE FROM grants WHERE code = ?", (row["code"],))
        install(sql, shop, app["client_id"], split(row["scopes"]))
        return self._of_wanted_kind(sql, shop, app, split(row["scopes"]), asked, now)

    def _of_wanted_kind(
        self,
        sql: sqlite3.Connection,
        shop: int,
        app: dict[str, Any],
        scopes: list[str],
        asked: dict[str, str],
        now: float,
    ) -> dict[str, Any]:
        if asked.get("expiring") in ("1", "true"):
            return self._issue(sql, shop, app, scopes, now, lives=EXPIRING, renewable=True)
        return self._issue(sql, shop, app, scopes, now)

    def _refreshed(
        self, sql: sqlite3.Connection, shop: int, app: dict[str, Any], asked: dict[str, str], now: float
    ) -> dict[str, Any]:
        query = "SELECT * FROM tokens WHERE refresh = ? AND shop = ? AND client_id = ? AND refresh_expires_at > ?"
        row = sql.execute(query, (asked.get("refresh_token", ""), shop, app["client_id"], now)).fetchone()
        if row is None:
            raise Denied(400, "invalid_grant", "The refresh token is invalid, expired or was replaced.")
        _retire(sql, row["replaces"])
        scopes = self._installed(sql, shop, app, "invalid_grant")
        return self._issue(sql, shop, app, scopes, now, lives=EXPIRING, renewable=True, replaces=row["refresh"])

    def _issue(
        self,
        sql: sqlite3.Connection,
        shop: int,
        app: dict[str, Any],
        scopes: list[str],
        now: float,
        *,
        lives: float | None = None,
        renewable: bool = False,
        replaces: str | None = None,
    ) -> dict[str, Any]:
        token = f"shpat_{secrets.token_hex(16)}"
        refresh = f"shprt_{secrets.token_hex(16)}" if renewable else None
        ends = (now + lives if lives else None, now + REFRESH_LIVES if renewable else None)
        kind = "expiring" if lives else "static"
        sql.execute(
            "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (token, shop, app["client_id"], kind, ",".join(scopes), ends[0], refresh, ends[1], replaces),
        )
        answer: dict[str, Any] = {"access_token": token, "scope": ",".join(scopes)}
        if lives:
            answer["expires_in"] = int(lives)
        if refresh:
            answer |= {"refresh_token": refresh, "refresh_token_expires_in": REFRESH_LIVES}
        return answer

    def static(self, shop: int, client_id: str, token: str) -> None:
        """Let an old token go on: one that was made in the admin and never ends."""
        with self._database.transaction() as sql:
            sql.execute(
                "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, 'static', '', NULL, NULL, NULL, NULL)",
                (token, shop, client_id),
            )

    def bearer(self, shop: int, token: str, now: float) -> Bearer | None:
        """Return who comes with a token, if it is good. The first use of a renewed one ends the old."""
        with self._database.transaction() as sql:
            row = sql.execute(
                "SELECT tokens.*, installs.scopes AS granted FROM tokens JOIN installs"
                " ON installs.shop = tokens.shop AND installs.client_id = tokens.client_id"
                " WHERE token = ? AND tokens.shop = ? AND (expires_at IS NULL OR expires_at > ?)",
                (token, shop, now),
            ).fetchone()
            if row is None:
                return None
            _retire(sql, row["replaces"])
        return Bearer(row["client_id"], tuple(split(row["granted"])))


def _retire(sql: sqlite3.Connection, refresh: str | None) -> None:
    if refresh:
        sql.execute("UPDATE tokens SET refresh = NULL WHERE refresh = ?", (refresh,))
        sql.execute("UPDATE tokens SET replaces = NULL WHERE replaces = ?", (refresh,))


def install(sql: sqlite3.Connection, shop: int, client_id: str, scopes: list[str]) -> None:
    sql.execute("INSERT OR REPLACE INTO installs VALUES (?, ?, ?)", (shop, client_id, ",".join(scopes)))


def sign_query(query: dict[str, str], secret: str) -> str:
    """Return the ``hmac`` of a query: hex, over its sorted pairs."""
    text = "&".join(f"{name}={value}" for name, value in sorted(query.items()) if name != "hmac")
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def make_id_token(app: dict[str, Any], domain: str, now: float) -> str:
    """Make what App Bridge would give to an embedded app's page."""
    claims = {
        "iss": f"https://{domain}/admin",
        "dest": f"https://{domain}",
        "aud": app["client_id"],
        "sub": "1",
        "exp": int(now) + 60,
        "nbf": int(now),
        "iat": int(now),
        "jti": secrets.token_hex(8),
    }
    head = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    return f"{head}.{_jwt_signature(head, app['secret'])}"


def check_id_token(token: str, app: dict[str, Any], domain: str, now: float) -> None:
    """:raises Denied: if it does not stand for a person of this shop in this app."""
    head, _dot, signature = token.rpartition(".")
    try:
        padded = head.split(".")[1] + "=="
        claims = json.loads(base64.urlsafe_b64decode(padded))
        good = (
            hmac.compare_digest(_jwt_signature(head, app["secret"]).encode(), signature.encode())
            and claims["aud"] == app["client_id"]
            and claims["dest"] == f"https://{domain}"
            and claims["exp"] > now
        )
    except (IndexError, KeyError, TypeError, ValueError):
        good = False
    if not good:
        raise Denied(400, "invalid_subject_token", "The subject token is invalid or has expired.")


def _part(data: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")


def _jwt_signature(head: str, secret: str) -> str:
    digest = hmac.new(secret.encode(), head.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
