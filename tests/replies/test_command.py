"""``smsflow_read_reply``: a line in, a line out, whatever is in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(tmp_path: Path, said: bytes, *options: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command as on a fresh checkout: no secrets, no database, and a machine that knows no UTF-8."""
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "COVERAGE_PROCESS_START")}
    return subprocess.run(
        [sys.executable, "manage.py", "smsflow_read_reply", *options],
        cwd=ROOT,
        input=said,
        capture_output=True,
        env={**clean, "LC_ALL": "C", "SMSFLOW_VAR": str(tmp_path), **environment},
        check=False,
    )


def answers(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, str]]:
    return [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]


def test_every_line_is_answered_in_order_even_an_empty_or_a_broken_one(tmp_path: Path) -> None:
    done = run(tmp_path, "STOP\n\narrêtez svp\r\nhi ".encode() + b"\xff there\n\xe2\x80\xa8help me\nno end")
    assert (done.returncode, done.stderr) == (0, b"")
    assert [answer["verdict"] for answer in answers(done)] == ["opt_out", "other", "opt_out", "other", "help", "other"]
    assert [answer["text"] for answer in answers(done)][:4] == ["STOP", "", "arrêtez svp", "hi � there"]
    assert all(answer["because"] for answer in answers(done))
    assert not [path for path in tmp_path.rglob("*.sqlite3") if path.name != "huey.sqlite3"], "no database is needed"


def test_json_strings_hold_texts_of_several_lines_and_what_is_none_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, b'"STOP\\nnow"\n{bad\n12\n"\\ud83d"\n"help"\n', "--jsonl", SMSFLOW_DEMO="1")
    assert done.returncode == 1
    assert [answer["verdict"] for answer in answers(done)] == ["opt_out", "other", "help"]
    assert b"Line 2: " in done.stderr
    assert b"Line 3: " in done.stderr


@pytest.mark.parametrize(("language", "verdict"), [("fi", "opt_out"), ("es", "other")])
def test_the_language_is_that_of_the_people_who_wrote(tmp_path: Path, language: str, verdict: str) -> None:
    (answer,) = answers(run(tmp_path, b"Peru\n", "--language", language))
    assert answer["verdict"] == verdict


def test_each_line_is_answered_at_once(tmp_path: Path) -> None:
    environment = {**os.environ, "SMSFLOW_VAR": str(tmp_path), "SMSFLOW_DEMO": "1"}
    with subprocess.Popen(
        [sys.executable, "manage.py", "smsflow_read_reply"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    ) as asked:
        assert asked.stdin is not None and asked.stdout is not None
        for said, verdict in ((b"STOP\n", "opt_out"), (b"hello\n", "other")):
            asked.stdin.write(said)
            asked.stdin.flush()
            assert json.loads(asked.stdout.readline())["verdict"] == verdict
        asked.stdin.close()
