"""``smsflow_serve``: one command, everything runs; one signal, nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.site import TOP, Site, eventually, storage

pytestmark = pytest.mark.e2e


@contextmanager
def served(folder: Path) -> Iterator[tuple[Site, subprocess.Popen[bytes]]]:
    """A site that one command runs: the demo's web, worker and phone network."""
    site = Site(folder)
    port = site.url.rpartition(":")[2]
    with storage("sqlite", folder), (folder / "serve.log").open("wb") as log:
        command = [sys.executable, "manage.py", "smsflow_serve", "--port", port]
        process = subprocess.Popen(command, cwd=TOP, env=site.environment, stdout=log, stderr=log)
    try:
        eventually(
            lambda: process.poll() is not None or "SMSFlow runs at" in site.logs("serve"), "the site runs", seconds=120
        )
        assert process.poll() is None, site.logs("serve")
        site.wait_until_up()
        yield site, process
    finally:
        process.kill()
        process.wait()


def children(pid: int, *matching: str) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid), *matching], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def gone(pids: list[int]) -> bool:
    listed = subprocess.run(
        ["ps", "-o", "stat=", "-p", ",".join(map(str, pids))], capture_output=True, text=True, check=False
    )
    return all(state.startswith("Z") for state in listed.stdout.split())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything(tmp_path: Path, number: signal.Signals) -> None:
    with served(tmp_path) as (site, process):
        started = children(process.pid)
        assert len(started) == 3
        process.send_signal(number)
        assert process.wait(60) == 0, site.logs("serve")
        assert "Stopped." in site.logs("serve")
        assert gone(started)


def test_when_the_worker_dies_the_site_does_not_pretend_to_run(tmp_path: Path) -> None:
    with served(tmp_path) as (site, process):
        started = children(process.pid)
        [worker] = children(process.pid, "-f", "run_huey")
        os.kill(worker, signal.SIGKILL)
        assert process.wait(60) != 0
        assert "The worker ended by itself" in site.logs("serve")
        assert gone(started)


def test_no_part_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    with served(tmp_path) as (site, process):
        started = children(process.pid)
        process.kill()
        process.wait()
        eventually(lambda: gone(started), "all parts stop")
        assert not site.answers(site.url + "/admin/login/")


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with served(tmp_path) as (site, _process):
        port = site.url.rpartition(":")[2]
        command = [sys.executable, "manage.py", "smsflow_serve", "--port", port]
        second = subprocess.run(command, cwd=TOP, env=site.environment, capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert f"Something already listens on 127.0.0.1:{port}" in second.stderr
