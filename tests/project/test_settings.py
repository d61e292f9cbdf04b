"""The bundled site's settings: safe unless told otherwise, and everything from the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from smsflow_site import env

TOP = Path(__file__).resolve().parent.parent.parent
PRODUCTION = {
    "SECRET_KEY": "not-a-secret-but-long-enough-and-with-many-different-characters-0123456789",
    "SMSFLOW_ENCRYPTION_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
    "SMSFLOW_PHONE_PEPPER": "tests-only",
    "ALLOWED_HOSTS": "texts.example.com",
    "PUBLIC_URL": "https://texts.example.com",
}


def manage(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return python(folder, "manage.py", *arguments, **environment)


def python(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project with this environment and no other."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=TOP,
        env={**kept, "SMSFLOW_VAR": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def read(folder: Path, *names: str, **environment: str) -> dict[str, Any]:
    """Return settings as a new process sees them."""
    code = (
        "import json, smsflow_site.settings as settings;"
        f"print(json.dumps({{name: getattr(settings, name) for name in {names}}}, default=str))"
    )
    done = python(folder, "-c", code, **environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_production_site_passes_every_deployment_check(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr


def test_the_demo_must_not_be_deployed(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", "--deploy", **{**PRODUCTION, "SMSFLOW_DEMO": "1"})
    assert done.returncode == 1
    assert "smsflow.E010" in done.stderr


def test_without_a_secret_key_nothing_starts(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", **{**PRODUCTION, "SECRET_KEY": ""})
    assert done.returncode != 0
    assert "Set SECRET_KEY" in done.stderr


def test_a_misspelt_flag_is_refused(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", **{**PRODUCTION, "SMSFLOW_DEMO": "fasle"})
    assert done.returncode != 0
    assert "SMSFLOW_DEMO must be 1 or 0" in done.stderr


def test_the_environment_sets_the_site_up(tmp_path: Path) -> None:
    names = ("SECURE_SSL_REDIRECT", "CSRF_TRUSTED_ORIGINS", "WAGTAILADMIN_BASE_URL", "HUEY", "SMSFLOW", "DATABASES")
    found = read(
        tmp_path,
        *names,
        **PRODUCTION,
        DATABASE_URL="postgres://anna:p%40ss@db.example.com:5433/texts?sslmode=require",
        HUEY_URL="redis://queue.example.com:6379/2",
        HUEY_WORKERS="8",
        HUEY_WORKER_TYPE="process",
    )
    assert found["SECURE_SSL_REDIRECT"] is True
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://texts.example.com"]
    assert found["SMSFLOW"]["PUBLIC_URL"] == found["WAGTAILADMIN_BASE_URL"] == "https://texts.example.com"
    assert not found["SMSFLOW"]["DEMO"] and not found["SMSFLOW"]["SIMULATOR"] and "CLOCK" not in found["SMSFLOW"]
    assert found["HUEY"]["huey_class"] == "huey.RedisHuey"
    assert found["HUEY"]["connection"] == {"url": "redis://queue.example.com:6379/2"}
    assert found["HUEY"]["consumer"]["workers"] == 8
    assert found["HUEY"]["consumer"]["worker_type"] == "process"
    database = found["DATABASES"]["default"]
    assert (database["USER"], database["PASSWORD"], database["PORT"]) == ("anna", "p@ss", "5433")
    assert database["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize(
    ("url", "huey_class", "connection"),
    [
        ("sqlite:////srv/queue.sqlite3", "huey.SqliteHuey", {"filename": "/srv/queue.sqlite3"}),
        ("redis://localhost/1", "huey.RedisHuey", {"url": "redis://localhost/1"}),
        ("postgres://localhost/queue", "huey.PostgresHuey", {"dsn": "postgres://localhost/queue"}),
    ],
)
def test_the_queue_is_chosen_by_its_url(url: str, huey_class: str, connection: dict[str, str]) -> None:
    setting = env.queue(url, name="smsflow", workers=2, worker_type="thread")
    assert (setting["huey_class"], setting["connection"]) == (huey_class, connection)
    assert setting["immediate"] is False


def test_huey_takes_what_the_settings_make(tmp_path: Path) -> None:
    from huey.utils import load_class

    setting = env.queue(f"sqlite:///{tmp_path}/q.sqlite3", name="smsflow", workers=2, worker_type="thread")
    huey = load_class(setting["huey_class"])(setting["name"], **setting["connection"])
    try:
        huey.storage.put_data("key", b"value")
        assert huey.storage.peek_data("key") == b"value"
    finally:
        huey.storage.close()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://anna:p%40ss@mail.example.com", ("mail.example.com", 587, "p@ss", True, False)),
        ("smtps://mail.example.com", ("mail.example.com", 465, "", False, True)),
        ("smtp://localhost:25?tls=0", ("localhost", 25, "", False, False)),
    ],
)
def test_the_mail_server_is_chosen_by_its_url(url: str, expected: tuple[Any, ...]) -> None:
    made = env.email(url)
    names = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_PASSWORD", "EMAIL_USE_TLS", "EMAIL_USE_SSL")
    assert tuple(made[name] for name in names) == expected


def test_emails_can_be_kept_as_files() -> None:
    assert env.email("file:///srv/mail")["EMAIL_FILE_PATH"] == "/srv/mail"


@pytest.mark.parametrize(
    "broken",
    [
        lambda: env.email("imap://localhost"),
        lambda: env.database("mysql://localhost/texts"),
        lambda: env.database("sqlite://"),
        lambda: env.queue("amqp://localhost", name="smsflow", workers=1, worker_type="thread"),
    ],
)
def test_what_is_not_understood_is_refused(broken: Any) -> None:
    with pytest.raises(ImproperlyConfigured):
        broken()
