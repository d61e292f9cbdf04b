"""The real site as processes: web, worker and phone network on free ports, with a database of their own."""

from __future__ import annotations

import atexit
import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import requests

from smsflow_plugin.integrations.simulator.network.client import NetworkClient

TOP = Path(__file__).resolve().parent.parent.parent
T = TypeVar("T")
#: The site's own database on SQLite, in its folder.
FILE = "smsflow.sqlite3"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(ask: Callable[[], T], what: str, *, seconds: float = 90) -> T:
    """Ask until the answer is true, and return it.

    :raises AssertionError: with ``what`` and the last answer, when the time is up.
    """
    end = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < end, f"In {seconds:.0f} seconds it did not happen that {what}; last: {answer!r}."
        time.sleep(0.2)


class Site:
    """Start its parts by name: ``web``, ``worker``, ``network``."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self.network_url = f"http://127.0.0.1:{free_port()}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "HUEY_URL")},
            "DJANGO_SETTINGS_MODULE": "smsflow_site.settings",
            "SMSFLOW_DEMO": "1",
            "SMSFLOW_VAR": str(folder),
            "PUBLIC_URL": self.url,
            "SMSFLOW_SIMULATOR_URL": self.network_url,
            "PYTHONPATH": str(TOP),
            "PYTHONDEVMODE": "",
            "HUEY_NAME": f"e2e-{secrets.token_hex(4)}",
            **environment,
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.network = NetworkClient(self.network_url)
        self._inside: subprocess.Popen[str] | None = None

    def command(self, name: str) -> list[str]:
        port = str(urlsplit(self.url).port)
        return {
            "web": ["-m", "gunicorn", "smsflow_site.wsgi:application", "--bind", f"127.0.0.1:{port}", "--log-level"]
            + ["warning", "--worker-class", "gthread", "--threads", "8", "--no-control-socket"],
            "worker": ["manage.py", "run_huey", "--skip-checks"],
            "network": ["manage.py", "smsflow_network", "--database", str(self.folder / "network.sqlite3")],
        }[name]

    def start(self, *names: str) -> None:
        for name in names:
            with (self.folder / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    [sys.executable, *self.command(name)],
                    cwd=TOP,
                    env=self.environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def wait_until_up(self) -> None:
        eventually(lambda: self.answers(self.url + "/admin/login/"), f"the site answers {self.logs('web')}")
        eventually(lambda: self.answers(self.network_url + "/_control/health"), "the phone network answers")

    def answers(self, url: str) -> bool:
        try:
            return requests.get(url, timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def kill(self, name: str) -> None:
        """End a part and all of its processes at once, in the middle of whatever they do."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for name in list(self.processes):
            self.kill(name)
        if self._inside is not None:
            self._inside.kill()
            self._inside.communicate()

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=TOP, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{arguments}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done.stdout

    def inside(self, function: str, **arguments: Any) -> Any:
        """Call a function of ``tests.e2e.inside`` in a process of the site, and return its answer."""
        if self._inside is None:
            self._inside = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.inside"],
                cwd=TOP,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._inside.stdin and self._inside.stdout
        self._inside.stdin.write(json.dumps([function, arguments]) + "\n")
        self._inside.stdin.flush()
        line = self._inside.stdout.readline()
        assert line, "The process inside of the site has ended."
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["answer"]

    def logs(self, name: str) -> str:
        log = self.folder / f"{name}.log"
        return log.read_text()[-4000:] if log.exists() else ""


@contextmanager
def running_site(folder: Path, kind: str, **environment: str) -> Iterator[Site]:
    """A migrated site with all parts running; ``kind`` is ``sqlite`` or ``postgres+redis``."""
    with storage(kind, folder) as urls:
        site = Site(folder, **urls, **environment)
        try:
            site.start("network", "web", "worker")
            site.wait_until_up()
            yield site
        finally:
            site.stop()


@contextmanager
def storage(kind: str, folder: Path) -> Iterator[dict[str, str]]:
    """A migrated database for a site in ``folder``, and what names it: a copy of one that is migrated once."""
    if kind == "sqlite":
        shutil.copy(_migrated_file(), folder / FILE)
        yield {}
        return
    import psycopg

    server = os.environ["SMSFLOW_TEST_POSTGRES"]
    name = _new_name()
    template = _migrated_database(server)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield {"DATABASE_URL": _url(server, name), "HUEY_URL": os.environ["SMSFLOW_TEST_REDIS"]}
        finally:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@cache
def _migrated_file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="smsflow-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Site(folder).manage("migrate", "--noinput", "--verbosity", "0")
    with closing(sqlite3.connect(folder / FILE)) as database:
        # everything into the one file that is copied
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder / FILE


@cache
def _migrated_database(server: str) -> str:
    import psycopg

    def drop() -> None:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    name = _new_name()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    atexit.register(drop)
    with tempfile.TemporaryDirectory() as folder:
        Site(Path(folder), DATABASE_URL=_url(server, name)).manage("migrate", "--noinput", "--verbosity", "0")
    return name


def _new_name() -> str:
    return f"smsflow_e2e_{secrets.token_hex(4)}"


def _url(server: str, name: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
