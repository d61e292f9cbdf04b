"""Say what texts that people wrote mean for consent: for support, and for tests of the word lists."""

from __future__ import annotations

import io
import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand

from smsflow_plugin.audience.replies import read_reply

#: What some readers take for the end of a line.
_LINE_ENDS = {0x85: r"\u0085", 0x2028: r"\u2028", 0x2029: r"\u2029"}


class BadLine(ValueError):
    """A line that is no JSON string."""


class Command(BaseCommand):
    help = (
        "Reads texts from standard input, one a line, and prints a JSON line for each: the verdict (opt_out, help, "
        "opt_in, doubtful, other), because of what, and the text. Needs no database."
    )
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--jsonl", action="store_true", help="Each line is a JSON string: texts of several lines.")
        parser.add_argument("--language", default="", help="The language of the people who wrote (en).")

    def handle(self, *args: Any, **options: Any) -> None:
        bad = 0
        for number, line in enumerate(_lines(_bytes(options.get("stdin") or sys.stdin)), start=1):
            try:
                text = _text(line) if options["jsonl"] else line
            except BadLine as error:
                bad += 1
                self.stderr.write(f"Line {number}: {error}")
                continue
            self._print(text, options["language"])
        if bad:
            sys.exit(1)

    def _print(self, text: str, language: str) -> None:
        reading = read_reply(text, language)
        answer = {"verdict": reading.verdict.value, "because": reading.because, "text": text}
        # a lone surrogate can be in a JSON string, and not in UTF-8
        said = json.dumps(answer, ensure_ascii=False).encode("utf-8", "backslashreplace").decode("utf-8")
        _write(self.stdout, said.translate(_LINE_ENDS))


def _bytes(stream: Any) -> BinaryIO | io.StringIO:
    return getattr(stream, "buffer", stream)  # type: ignore[no-any-return]


def _lines(stream: Any) -> Iterator[str]:
    """Yield each line as it comes: only line feeds end one, whatever the machine's encoding is."""
    for raw in iter(stream.readline, type(stream.readline(0))()):
        line = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
        yield line.removesuffix("\n").removesuffix("\r")


def _text(line: str) -> str:
    try:
        text = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadLine(f"this is no JSON: {error}") from error
    if not isinstance(text, str):
        raise BadLine(f"a JSON string is wanted, not {type(text).__name__}")
    return text


def _write(stdout: Any, line: str) -> None:
    """Write in UTF-8 and at once, so that whoever asks line by line gets an answer to each."""
    raw = getattr(getattr(stdout, "_out", stdout), "buffer", None)
    if raw is None:
        stdout.write(line)
        return
    raw.write(f"{line}\n".encode())
    raw.flush()
