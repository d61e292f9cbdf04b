"""Run all tests: on PostgreSQL and Redis where they answer, and on SQLite.

    python tools/test.py [arguments for pytest]

``SMSFLOW_TEST_POSTGRES`` and ``SMSFLOW_TEST_REDIS`` name the services by URL. Without
them the usual local ones are tried. What is missing is skipped and said; with
``CI=true`` it is an error.
"""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import sys

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
#: Tests that start the site choose their database themselves, and need the machine for themselves.
PROCESSES = "e2e or chaos or browser"


def main(arguments: list[str]) -> int:
    environment = {**os.environ, "PYTHONDEVMODE": "1", "PYTHONMALLOC": "default"}
    environment.pop("DATABASE_URL", None)
    found = {"PostgreSQL": postgres(), "Redis": redis(), "a browser (Chromium)": browser()}
    for name, variable in zip(found, ("SMSFLOW_TEST_POSTGRES", "SMSFLOW_TEST_REDIS", "CHROMIUM"), strict=True):
        if found[name]:
            environment[variable] = found[name]
        else:
            print(f"No {name} was found: the tests that need it are skipped (name it in {variable}).")
    if os.environ.get("CI") == "true" and not all(found.values()):
        print("In CI all of them are needed.")
        return 1

    several = ["-n", str(min(os.cpu_count() or 1, 8)), "--dist", "loadfile", "-m", f"not ({PROCESSES})"]
    rounds = {
        "The tests on SQLite": (environment, several),
        "The tests that start the site": (environment, ["-m", PROCESSES]),
    }
    if found["PostgreSQL"]:
        on_postgres = {**environment, "DATABASE_URL": found["PostgreSQL"]}
        # what touches no database runs in the round on SQLite
        several = [*several[:-1], f"not ({PROCESSES} or pure)"]
        rounds = {"The tests on PostgreSQL": (on_postgres, several), **rounds}
    failed = []
    for title, (variables, options) in rounds.items():
        print(f"\n{title}:", flush=True)
        if pytest(variables, [*options, *arguments]):
            failed.append(title)
    for title in failed:
        print(f"FAILED, see above: {title}.")
    return 1 if failed else 0


def pytest(environment: dict[str, str], arguments: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    return subprocess.run(command, env=environment, check=False).returncode


def postgres() -> str:
    """Return the URL of a PostgreSQL in which we may create databases, or ""."""
    import psycopg

    given = os.environ.get("SMSFLOW_TEST_POSTGRES")
    for url in [given] if given else [f"postgres://{getpass.getuser()}@127.0.0.1/postgres", "postgres:///postgres"]:
        try:
            with psycopg.connect(url, connect_timeout=3) as connection:
                row = connection.execute(
                    "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
                ).fetchone()
                if row and row[0]:
                    return url
        except psycopg.Error:
            continue
    return ""


def redis() -> str:
    """Return the URL of a Redis database that tests may empty, or ""."""
    from redis import Redis, RedisError

    url = os.environ.get("SMSFLOW_TEST_REDIS") or "redis://127.0.0.1:6379/15"
    try:
        with Redis.from_url(url, socket_connect_timeout=3) as client:
            client.ping()
    except RedisError:
        return ""
    return url


def browser() -> str:
    """Return the path of a Chromium, or ""."""
    given = os.environ.get("CHROMIUM")
    return given or next(filter(None, map(shutil.which, BROWSERS)), "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
