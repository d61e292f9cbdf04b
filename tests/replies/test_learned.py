"""What was learnt has its say where the rules find nothing, and only there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.audience.replies import Verdict, read_reply
from smsflow_plugin.audience.replies.learned import sound, traits, weights
from smsflow_plugin.audience.replies.lexicon import lexicon
from smsflow_plugin.audience.replies.names import somebody_else
from smsflow_plugin.audience.replies.reading import heard, read_by_rules


def score(body: str) -> float:
    return sound(*heard(body), lexicon()).score


@pytest.mark.parametrize("body", ["I aint trying to get no texts", "Mi mamá no quiere recibir estos mensajes"])
def test_an_unheard_wording_that_sounds_like_an_opt_out_is_one(body: str) -> None:
    assert read_by_rules(body).verdict is Verdict.OTHER
    reading = read_reply(body)
    assert reading.verdict is Verdict.OPT_OUT
    assert reading.because.startswith("sounds like an opt-out: ")


@pytest.mark.parametrize(
    "body", ["where is my order", "can I pick it up on Friday?", "merci beaucoup", "wann kommt mein Paket"]
)
def test_everyday_questions_do_not_sound_like_one(body: str) -> None:
    assert score(body) < 0
    assert read_reply(body).verdict is Verdict.OTHER


@pytest.mark.parametrize("body", ["please never take me off this list", "blue", "HELP", "START", "2"])
def test_what_the_rules_are_sure_of_is_not_asked_about(body: str) -> None:
    assert read_reply(body) == read_by_rules(body).reading


@pytest.mark.parametrize(
    "body", ["I am not Veronica!!", "Dit is niet Karin", "je ne suis pas Mme Martin", "Sorry, this isn't Brenda"]
)
def test_whoever_is_taken_for_somebody_else_wants_no_texts(body: str) -> None:
    assert read_reply(body).verdict is Verdict.OPT_OUT


@pytest.mark.parametrize(
    "body", ["I'm not sure", "I'm not Ready yet", "Not Friday", "Not Happy", "is this not Brenda?", "i am not veronica"]
)
def test_without_a_name_nobody_is_somebody_else(body: str) -> None:
    assert somebody_else(body, lexicon()) is None


def test_in_german_where_all_nouns_have_capitals_a_person_reads_it() -> None:
    reading = somebody_else("ich bin nicht Thomas", lexicon())
    assert reading is not None
    assert reading.verdict is Verdict.DOUBTFUL


def test_the_weights_are_readable_and_sorted() -> None:
    known = list(weights())
    assert known == sorted(known)
    assert "bias" in known


@given(st.text(max_size=300))
def test_any_text_can_be_weighed_and_is_weighed_alike_twice(body: str) -> None:
    parts, plain = heard(body)
    assert traits(parts, plain, lexicon()) == traits(parts, plain, lexicon())
    assert abs(score(body)) < 1_000
    assert read_reply(body) == read_reply(body)
