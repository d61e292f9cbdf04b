"""Child processes stop when they are asked to, and never outlive their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from smsflow_plugin.management import children
from smsflow_plugin.management.children import Child, stop

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


def start(folder: Path, code: str, name: str = "helper") -> Child:
    """A child that runs ``code``, with its process id in a file once it is up."""
    module = folder / f"child_{name}.py"
    module.write_text(f"import os; open({str(folder / name)!r}, 'w').write(str(os.getpid()))\n{code}\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    child = Child(name, module.stem, [], environment=environment)
    until(lambda: (folder / name).exists() and (folder / name).read_text() != "")
    return child


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # a zombie whose parent has not asked for it yet is dead as well
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def test_a_child_that_listens_is_stopped_by_a_signal(tmp_path: Path) -> None:
    child = start(tmp_path, "import time; time.sleep(600)")
    assert child.exit_code is None
    stop([child])
    assert child.exit_code == -signal.SIGTERM


def test_a_child_that_does_not_listen_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "GRACE", 0.5)
    polite, stubborn = start(tmp_path, "import time; time.sleep(600)", "polite"), start(tmp_path, STUBBORN, "stubborn")
    stop([polite, stubborn])
    assert polite.exit_code == -signal.SIGTERM
    assert stubborn.exit_code == -signal.SIGKILL


def test_the_grandchildren_go_too(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "grandchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'grandchild')!r}, 'w').write(str(grandchild.pid))\n"
        "time.sleep(600)"
    )
    child = start(tmp_path, code)
    until(lambda: (tmp_path / "grandchild").exists() and (tmp_path / "grandchild").read_text() != "")
    grandchild = int((tmp_path / "grandchild").read_text())
    assert alive(grandchild)
    stop([child])
    until(lambda: not alive(grandchild))


def test_a_child_that_ends_by_itself_says_how(tmp_path: Path) -> None:
    child = start(tmp_path, "raise SystemExit(3)")
    until(lambda: child.exit_code is not None)
    assert child.exit_code == 3
    stop([child])


def test_nobody_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = tmp_path / "parent.py"
    parent.write_text(
        "import os, sys, time\n"
        "from smsflow_plugin.management.children import Child\n"
        "Child('a', 'orphan', [], environment=os.environ)\n"
        "time.sleep(600)\n"
    )
    (tmp_path / "orphan.py").write_text(
        f"import os, time; open({str(tmp_path / 'orphan')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    process = subprocess.Popen([sys.executable, str(parent)], env=environment)
    until(lambda: (tmp_path / "orphan").exists() and (tmp_path / "orphan").read_text() != "")
    orphan = int((tmp_path / "orphan").read_text())
    assert alive(orphan)
    process.kill()
    process.wait()
    until(lambda: not alive(orphan))
