"""Child processes that live and die with their parent, on Linux and macOS.

Every child is started through this module: a thread in it reads a pipe whose other
end only the parent holds. When the parent goes, however it goes, the pipe ends and
the child stops itself and its own children.
"""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

#: Seconds between asking a process to stop and ending it.
GRACE = 10.0


class Child:
    """A Python module that runs as a process group of its own, so that Ctrl-C reaches the parent only."""

    def __init__(self, name: str, module: str, arguments: Sequence[str], *, environment: Mapping[str, str]) -> None:
        self.name = name
        ours, self._lifeline = os.pipe()
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", __name__, str(ours), module, *arguments],
                pass_fds=[ours],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                env=dict(environment),
            )
        finally:
            os.close(ours)

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return self.process.poll()

    def terminate(self) -> None:
        if self.exit_code is None:
            _signal_group(self.process.pid, signal.SIGTERM)

    def finish(self, deadline: float) -> None:
        """Wait until ``deadline`` (monotonic seconds), then end whatever is left of the group."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, deadline - time.monotonic()))
        _signal_group(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._lifeline)


def stop(children: Sequence[Child]) -> None:
    """Ask all children to stop, wait for them together, and leave none behind."""
    for child in children:
        child.terminate()
    deadline = time.monotonic() + GRACE
    for child in children:
        child.finish(deadline)


def _signal_group(pid: int, number: signal.Signals) -> None:
    # nobody may be left; macOS says "not permitted" of a group of zombies
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _follow_parent(lifeline: int) -> None:
    os.read(lifeline, 1)  # returns when the other end is closed: the parent is gone
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Run ``module`` with ``arguments`` as if by ``python -m``, tied to the parent."""
    lifeline, module, *arguments = sys.argv[1:]
    threading.Thread(target=_follow_parent, args=[int(lifeline)], daemon=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
