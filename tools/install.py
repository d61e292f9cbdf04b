"""Install a lock file into the virtualenv of this interpreter, and show how far it is.

    python tools/install.py requirements/demo.txt

Only the standard library: it runs before anything is installed.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PIP = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]


def main(lock: str) -> int:
    total = sum(1 for line in Path(lock).read_text().splitlines() if "==" in line and not line.startswith(" "))
    command = [*PIP, "--progress-bar", "off", "--require-hashes", "-r", lock]
    seen = 0
    lines: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            lines.append(line)
            if package := re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)", line):
                seen += 1
                show(f"  {seen} of {total} packages: {package[1]}")
            elif line.startswith("Installing collected"):
                show("  unpacking …")
    show("")
    if pip.returncode:
        sys.stdout.write("".join(lines[-25:]))
    return pip.returncode


def show(text: str) -> None:
    """Write over the line on a terminal; elsewhere print nothing but what matters."""
    if sys.stdout.isatty():
        sys.stdout.write(f"\r\033[K{text[:78]}")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
