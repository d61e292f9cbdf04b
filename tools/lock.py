"""Write requirements/*.txt anew from the .in files: newest versions, with hashes, for every platform.

Needs uv on the path. The files name no index: pip asks the one that it is set up with.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
COMMAND = [
    *("uv", "pip", "compile", "--quiet", "--upgrade", "--universal", "--python-version", "3.11"),
    *("--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
    *("--no-emit-package", "wagtail-smsflow"),
]


def main() -> int:
    for name in ("demo", "dev"):
        arguments = [f"requirements/{name}.in", "--output-file", f"requirements/{name}.txt"]
        if subprocess.run([*COMMAND, *arguments], cwd=TOP, check=False).returncode:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
