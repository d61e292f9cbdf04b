"""Reads the environment for the settings. Whatever cannot be understood is refused by name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE = ("1", "true", "yes", "on")
FALSE = ("0", "false", "no", "off", "")


def flag(name: str, default: bool = False) -> bool:
    """Return a yes or no. A misspelt "yes" must not silently mean "no"."""
    value = os.environ.get(name)
    if value is None:
        return default
    if value.lower() not in TRUE + FALSE:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")
    return value.lower() in TRUE


def number(name: str, default: int) -> int:
    value = os.environ.get(name, "")
    try:
        return int(value) if value else default
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from error


def words(name: str, default: str = "") -> list[str]:
    """Return the parts of a list that is separated by commas or spaces."""
    return os.environ.get(name, default).replace(",", " ").split()


def database(url: str) -> dict[str, Any]:
    """Turn ``sqlite:///path`` or ``postgres://user:password@host:port/name`` into Django's setting."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": sqlite_path(url),
            "OPTIONS": {
                # autosave and preview write at the same moment: take the write lock first, and wait for it
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
            },
        }
    if parts.scheme in ("postgres", "postgresql"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""),
            "OPTIONS": dict(parse_qsl(parts.query)),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }
    raise ImproperlyConfigured(f"DATABASE_URL must start with sqlite:// or postgres://, not {parts.scheme}://.")


def email(url: str) -> dict[str, Any]:
    """Turn ``smtp://user:password@host:port`` or ``file:///folder`` into Django's settings.

    ``smtps://`` is TLS from the start; ``smtp://`` asks for TLS after the greeting, unless the
    address ends with ``?tls=0``.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        return {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend", "EMAIL_FILE_PATH": parts.path}
    if parts.scheme not in ("smtp", "smtps"):
        raise ImproperlyConfigured(f"EMAIL_URL must start with smtp://, smtps:// or file://, not {parts.scheme}://.")
    own_tls = parts.scheme == "smtps"
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or (465 if own_tls else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": own_tls,
        "EMAIL_USE_TLS": not own_tls and dict(parse_qsl(parts.query)).get("tls", "1") != "0",
        "EMAIL_TIMEOUT": 10,
    }


def queue(url: str, *, name: str, workers: int, worker_type: str) -> dict[str, Any]:
    """Turn ``sqlite:///path``, ``redis://…`` or ``postgres://…`` into Huey's setting."""
    huey_class, connection = _queue_storage(url)
    return {
        "huey_class": huey_class,
        "name": name,
        # never inside a request: a webhook must be answered before its work begins
        "immediate": False,
        "connection": connection,
        "consumer": {
            "workers": workers,
            "worker_type": worker_type,
            "initial_delay": 0.05,
            "max_delay": 0.5,
            # what systemd, Docker and Kubernetes send; the tasks that run are finished first
            "graceful_signal": "TERM",
            "shutdown_timeout": 20,
        },
    }


def _queue_storage(url: str) -> tuple[str, dict[str, Any]]:
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        return "huey.SqliteHuey", {"filename": sqlite_path(url)}
    if scheme in ("redis", "rediss", "unix"):
        return "huey.RedisHuey", {"url": url}
    if scheme in ("postgres", "postgresql"):
        return "huey.PostgresHuey", {"dsn": url}
    raise ImproperlyConfigured(f"HUEY_URL must start with sqlite://, redis:// or postgres://, not {scheme}://.")


def sqlite_path(url: str) -> str:
    """Return the file that a URL names; the folder is made when it is missing."""
    path = unquote(urlsplit(url).path[1:])
    if not path:
        raise ImproperlyConfigured(f"{url} names no file.")
    if path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    return path


def origin(url: str) -> str:
    """Return the scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
