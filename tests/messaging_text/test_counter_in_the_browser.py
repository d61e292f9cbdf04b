"""The counter in the browser comes to the same result as the server, on the same table and on anything else."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import smsflow_plugin
from smsflow_plugin.messaging.parts import BASIC, EXTENSION, count_parts, stand_in, tables, to_gsm, to_plain
from tests.messaging_text.test_parts import TRICKY

SCRIPT = Path(smsflow_plugin.__file__).parent / "static/smsflow/parts.js"
PROGRAM = """
const fs = require('fs');
require('vm').runInThisContext(fs.readFileSync(process.argv[1], 'utf8'));
const counter = globalThis.smsflowParts.makeCounter(JSON.parse(process.argv[2]));
const answers = JSON.parse(fs.readFileSync(0, 'utf8')).map((text) => ({
  ...counter.count(text),
  gsm: counter.toGsm(text),
  plain: counter.toPlain(text),
  standIns: [...text].map((character) => counter.standIn(character)),
}));
process.stdout.write(JSON.stringify(answers));
"""


def in_node(texts: list[str]) -> list[dict[str, Any]]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed: the browser tests count in Chromium instead.")
    command = [node, "-e", PROGRAM, str(SCRIPT), json.dumps(tables())]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=True, timeout=60)
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def expect_agreement(texts: list[str]) -> None:
    for text, answer in zip(texts, in_node(texts), strict=True):
        counted = count_parts(text)
        assert (answer["encoding"], answer["parts"]) == (counted.encoding, counted.parts), text
        assert (answer["characters"], answer["units"]) == (counted.characters, counted.units), text
        assert tuple(answer["forcedBy"]) == counted.forced_by, text
        assert (answer["gsm"], answer["plain"]) == (to_gsm(text), to_plain(text)), text
        assert answer["standIns"] == [stand_in(character) for character in text], text


def test_both_counters_agree_on_the_tricky_cases() -> None:
    # half of a surrogate pair cannot be sent from one program to the other
    expect_agreement([text for text, _encoding, _parts in TRICKY if "\ud83d" not in text])


def test_both_counters_agree_on_what_they_would_put_in_place() -> None:
    expect_agreement(["“Hello” – it’s 5…", "ça coûte 10\u00a0€ à Łódź", "Привет 👋🏽 ❤️", "naïve e\u0301 œuf ʼ´`"])


# without what this Python has no name for: Node may know a newer Unicode
texts = st.text(
    st.sampled_from(BASIC + EXTENSION + "’“”–…ç😀ж\u00a0")
    | st.characters(codec="utf-8", max_codepoint=0x2FFF, exclude_categories=["Cn"]),
    max_size=400,
)


@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(texts, min_size=20, max_size=30))
def test_both_counters_agree_on_anything(several: list[str]) -> None:
    expect_agreement(several)


@pytest.mark.parametrize(
    ("character", "plain"),
    [
        ("’", "'"),
        ("…", "..."),
        ("\u00a0", " "),
        ("ç", "c"),
        ("œ", "oe"),
        ("Ł", "L"),
        ("😀", ""),
        ("\u200d", ""),
        ("ж", None),
    ],
)
def test_a_stand_in_keeps_a_text_in_the_alphabet_or_says_that_nothing_does(character: str, plain: str | None) -> None:
    assert stand_in(character) == plain


@given(st.characters(codec="utf-8"))
def test_every_stand_in_is_in_the_alphabet(character: str) -> None:
    words = stand_in(character)
    assert words is None or count_parts(words).forced_by == ()
