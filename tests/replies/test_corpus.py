"""The matcher on labelled replies: how many opt-outs it finds, and whom it stops who meant something else.

``corpus.jsonl`` is what the word lists were written with. ``second.jsonl`` and its followers were written after
the lists had been frozen, and the lists were improved by them later; docs/replies.md has their first scores.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smsflow_plugin.audience.replies import Verdict, read_reply

SETS = ("corpus", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
#: Of all opt-outs; what goes to a person is not counted as found.
RECALL = 0.97
#: Innocent replies that a person has to read. None may be an opt-out.
MOST_DOUBTFUL = 0.03
#: In the sets from the fifth on, where one innocent reply in ten speaks of stopping or unsubscribing.
MOST_DOUBTFUL_OF_HARD_ONES = 0.07


#: Written before and after the last layer was learnt. Hardly an everyday wording of the other sets comes again in them.
LATER = ("eleventh", "twelfth")
RECALL_OF_LATER = 0.94
MOST_STOPPED_OF_LATER = 0.01


def rows(name: str) -> list[dict[str, str]]:
    lines = Path(__file__).with_name(f"{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def verdicts(name: str, wanted: Verdict) -> list[tuple[str, Verdict]]:
    return [
        (row["text"], read_reply(row["text"], row["language"]).verdict)
        for row in rows(name)
        if row["verdict"] == wanted
    ]


@pytest.mark.parametrize("name", SETS)
def test_opt_outs_are_found(name: str) -> None:
    read = verdicts(name, Verdict.OPT_OUT)
    missed = [(text, verdict) for text, verdict in read if verdict is not Verdict.OPT_OUT]
    assert 1 - len(missed) / len(read) >= RECALL, missed


@pytest.mark.parametrize("name", SETS)
def test_nobody_is_stopped_or_subscribed_who_meant_something_else(name: str) -> None:
    read = verdicts(name, Verdict.OTHER)
    wrong = [(text, verdict) for text, verdict in read if verdict in (Verdict.OPT_OUT, Verdict.OPT_IN)]
    assert not wrong
    doubtful = [text for text, verdict in read if verdict is Verdict.DOUBTFUL]
    most = MOST_DOUBTFUL if name in SETS[:4] else MOST_DOUBTFUL_OF_HARD_ONES
    assert len(doubtful) / len(read) <= most, doubtful


@pytest.mark.parametrize("name", LATER)
def test_the_sets_of_the_learned_layer_are_read_about_as_well(name: str) -> None:
    found = [verdict is Verdict.OPT_OUT for _text, verdict in verdicts(name, Verdict.OPT_OUT)]
    stopped = [verdict is Verdict.OPT_OUT for _text, verdict in verdicts(name, Verdict.OTHER)]
    assert sum(found) / len(found) >= RECALL_OF_LATER
    assert sum(stopped) / len(stopped) <= MOST_STOPPED_OF_LATER


@pytest.mark.parametrize("name", (*SETS, *LATER))
def test_nothing_but_a_clear_word_agrees(name: str) -> None:
    for row in rows(name):
        if row["verdict"] != Verdict.OPT_IN:
            assert read_reply(row["text"], row["language"]).verdict is not Verdict.OPT_IN, row["text"]


def test_the_sets_are_large_and_in_many_languages() -> None:
    every = [row for name in SETS for row in rows(name)]
    assert len(every) >= 1000
    assert len([row for row in every if row["verdict"] == Verdict.OTHER]) >= 300
    assert {"en", "fr", "es", "de", "nl", "da", "sv", "nb", "fi", "it", "pt", "pl", "cs", "tr"} <= {
        row["language"] for row in every
    }
