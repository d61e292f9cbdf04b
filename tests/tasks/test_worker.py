"""A real worker process hears a nudge from another process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("worker_type", ["thread", "process"])
def test_a_nudge_from_another_process_sends_the_text(tmp_path: Path, worker_type: str) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": os.environ.get("SMSFLOW_WORKER_SETTINGS", "tests.tasks.worker_settings"),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'site.sqlite3'}",
        "SMSFLOW_TEST_FOLDER": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    manage = [sys.executable, str(ROOT / "manage.py")]

    def run(*command: str) -> None:
        subprocess.run(command, env=environment, cwd=tmp_path, check=True, timeout=120, capture_output=True)

    run(*manage, "migrate", "--run-syncdb", "--verbosity", "0")
    log = tmp_path / "worker.log"
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [*manage, "run_huey", "--workers", "2", "--worker-type", worker_type],
            env=environment,
            cwd=tmp_path,
            stdout=output,
            stderr=output,
        )
    try:
        run(sys.executable, str(ROOT / "tests" / "tasks" / "outbox_script.py"))
    finally:
        worker.send_signal(signal.SIGINT)
        try:
            worker.wait(15)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
    said = log.read_text()
    assert "Traceback" not in said, said
