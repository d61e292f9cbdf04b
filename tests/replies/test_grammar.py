"""Frames of kinds of words: what nobody has listed is read as well."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.audience.replies import Verdict, read_reply
from smsflow_plugin.audience.replies.folding import clauses
from smsflow_plugin.audience.replies.grammar import LETTERS, classes, revocation
from smsflow_plugin.audience.replies.lexicon import lexicon

ENDING = ["stop", "please quit", "kindly cease", "would you discontinue"]
WRITING = ["texting me", "all those silly messages", "bombarding us", "sending me these", "the constant notifications"]


@pytest.mark.parametrize(("ending", "writing"), list(product(ENDING, WRITING)))
def test_any_word_for_ending_goes_with_any_word_for_texts(ending: str, writing: str) -> None:
    assert read_reply(f"{ending} {writing}", "en").verdict is Verdict.OPT_OUT


@pytest.mark.parametrize(
    ("body", "language"),
    [
        ("hört endlich auf mit euren nervigen Nachrichten", "de"),
        ("je ne souhaite vraiment plus recevoir ces sms", "fr"),
        ("no deseo seguir recibiendo su publicidad", "es"),
        ("jag vill verkligen inte ha era meddelanden", "sv"),
        ("nie życzę sobie waszych reklam", "pl"),
        ("я больше не хочу получать ваши сообщения", "ru"),
        ("no quiero your texts", "en"),
    ],
)
def test_the_frames_hold_in_other_languages_and_between_two(body: str, language: str) -> None:
    assert read_reply(body, language).verdict is Verdict.OPT_OUT


@pytest.mark.parametrize("body", ["please unsbuscribe", "stop conatcting me", "remove my nunmber", "no more mesages"])
def test_one_mistake_in_a_long_word_does_not_matter(body: str) -> None:
    assert read_reply(body, "en").verdict is Verdict.OPT_OUT


@pytest.mark.parametrize(
    "body",
    [
        "I want no massages",
        "remote my number",
        "stop sending me the wrong size",
        "please never discontinue this",
        "don't take me off the list",
        "remove my number from the order",
        "take me off the waiting list for the blue",
        "you never text me",
        "don't send anything until I confirm",
        "my boss says stop",
        "do not text and drive",
        "I never got your message about the delivery",
    ],
)
def test_what_is_about_something_else_or_turned_round_is_no_opt_out(body: str) -> None:
    assert read_reply(body, "en").verdict is not Verdict.OPT_OUT


def test_a_frame_needs_its_words_from_one_language() -> None:
    one = classes({"end": "halt"}, frozenset())
    other = classes({"texts": "sms"}, frozenset())
    both = classes({"end": "halt", "texts": "sms", "light": "the"}, frozenset())
    assert not revocation([["halt", "sms"]], [one, other], frozenset())
    assert revocation([["halt", "the", "sms"]], [both], frozenset()) == "end writing: halt the sms"


def test_an_idiom_counts_as_one_word_and_a_stem_has_any_ending() -> None:
    book = classes({"end": "hold_op", "texts": "bested*"}, frozenset())
    assert revocation([["hold", "op", "bestedeskeder"]], [book], frozenset()) == "end writing: hold op bestedeskeder"


def test_every_book_names_classes_that_there_are() -> None:
    assert len(set(LETTERS.values())) == len(LETTERS)
    assert len(lexicon().grammar) >= 14


CLASS_WORDS = st.sampled_from(sorted({word for book in lexicon().grammar for word in book.words}))


@given(st.lists(CLASS_WORDS, max_size=40).map(" ".join))
def test_any_row_of_class_words_is_read_and_read_alike_twice(body: str) -> None:
    assert read_reply(body, "en") == read_reply(body, "en")


@given(st.text(max_size=200))
def test_frames_read_any_text(body: str) -> None:
    words = lexicon()
    assert isinstance(revocation(clauses(body), words.grammar, words.vocabulary), str)


@pytest.mark.parametrize(
    "body", ["stop the " * 2_000, "do not the the " * 1_500, "want not " * 2_000, "no my me " * 2_000]
)
def test_rows_that_almost_match_cost_no_more(body: str) -> None:
    assert read_reply(body).verdict in Verdict
