"""What holds for any reply, and the words that decide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.audience.replies import Verdict, fold, read_reply, reserved
from smsflow_plugin.audience.replies.lexicon import lexicon
from smsflow_plugin.audience.replies.patterns import BadPattern, compile_pattern
from tests.replies.test_corpus import rows

CLEAR = [row for row in rows("corpus") if row["verdict"] in ("opt_out", "help")]


@given(st.text(max_size=300))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters(), max_size=300), st.text(max_size=5))
def test_any_text_can_be_read_even_half_characters(body: str, language: str) -> None:
    reading = read_reply(body, language)
    assert reading.verdict in Verdict
    assert reading.because


WORDS = st.sampled_from(
    [
        "stop",
        "start",
        "unstop",
        "subscribe",
        "join",
        "help",
        "please",
        "don't",
        "never",
        "when",
        "do",
        "you",
        "the",
        "my",
        "order",
        "yes",
        "again",
        "me",
        "texting",
        "end",
        "?",
        ".",
        ",",
        "cancel",
        "unsubscribe",
        "thanks",
        "no",
        "to",
        "if",
        "i",
        "we",
        "can",
    ]
)


@given(st.lists(WORDS, min_size=1, max_size=9).map(" ".join))
def test_nobody_agrees_but_by_a_word_for_it_that_stands_alone(body: str) -> None:
    if read_reply(body).verdict is Verdict.OPT_IN:
        words = lexicon()
        said = [word for word in fold(body).split() if word not in words.polite]
        assert words.messages[" ".join(dict.fromkeys(said))] is Verdict.OPT_IN
        assert not {"stop", "no", "dont", "never", "when", "end"} & set(said)


@given(
    st.sampled_from(CLEAR),
    st.sampled_from([str.upper, str.lower, str.title, str]),
    st.sampled_from(["", " ", "\n", "!", "...", " 🙏", " 👍", "\u200b", " !!"]),
    st.sampled_from(["", "  ", "\n\n", "\u200b"]),
)
def test_case_and_decoration_do_not_matter(row: dict[str, str], case: object, after: str, before: str) -> None:
    text = row["text"] if "ß" in row["text"] or "İ" in row["text"] else case(row["text"])  # type: ignore[operator]
    if not any(letter.isalpha() for letter in fold(text)):
        return
    assert read_reply(before + text + after, row["language"]).verdict == row["verdict"], text


@pytest.mark.parametrize(
    "text",
    [
        "stop " * 20_000,
        "a" * 100_000,
        "do you stop " * 9_000,
        "🛑" * 100_000,
        "s " * 50_000,
        "!" * 100_000,
        "$0" * 50_000,
    ]
    + ["stop texting " * 8_000, "no more more more " * 6_000, "*" * 100_000, "dont want to " * 8_000],
)
def test_a_text_of_any_length_is_read(text: str) -> None:
    assert read_reply(text).verdict in Verdict


@pytest.mark.parametrize(
    "word", ["shop", "step", "send", "top", "quiet", "spot", "stoop", "stomp", "slop", "quite", "ends"]
)
def test_words_that_are_one_letter_away_are_other_words(word: str) -> None:
    assert read_reply(word).verdict is Verdict.OTHER
    assert read_reply(f"{word} please").verdict is Verdict.OTHER


@pytest.mark.parametrize(
    ("body", "language", "verdict"),
    [
        ("Peru", "fi", "opt_out"),
        ("Peru", "es", "other"),
        ("basta!", "it-IT", "opt_out"),
        ("basta", "en", "other"),
        ("ret", "tr", "opt_out"),
        ("ret", "da", "other"),
        ("TD", "fr_CA", "opt_out"),
        ("td", "", "other"),
        ("Alto", "es", "opt_out"),
        ("alta", "es-MX", "opt_in"),
        ("alta", "", "other"),
        ("red", "en", "other"),
        ("seis", "es", "other"),
        ("stop", "fi", "opt_out"),
        ("slutt", "no", "opt_out"),
    ],
)
def test_some_words_count_in_their_own_language_only(body: str, language: str, verdict: str) -> None:
    assert read_reply(body, language).verdict == verdict


def test_the_words_of_a_second_language_count_as_well() -> None:
    assert read_reply("Peru", "en", "fi").verdict is Verdict.OPT_OUT
    assert read_reply("Peru", "en", "da").verdict is Verdict.OTHER


@pytest.mark.parametrize(
    "body",
    ["when do you start", "start over", "don't start", "no start", "start?", "sign me up", "yes", "start the day"],
)
def test_agreeing_is_never_a_guess(body: str) -> None:
    assert read_reply(body).verdict is not Verdict.OPT_IN


def test_stop_and_help_is_an_opt_out_and_stop_and_start_is_for_a_person() -> None:
    assert read_reply("STOP and HELP").verdict is Verdict.OPT_OUT
    assert read_reply("stop or start").verdict is Verdict.DOUBTFUL


@pytest.mark.parametrize("word", ["STOP", "help", "START", "baja", "peru", "stopp"])
def test_words_of_the_law_are_no_words_of_flows(word: str) -> None:
    assert reserved(word)


@pytest.mark.parametrize("word", ["VIP", "deal", "blue", "red", "yes", "1", "summer", "fine", "son", "off"])
def test_other_words_are_free_for_flows(word: str) -> None:
    assert not reserved(word)


@pytest.mark.parametrize("pattern", ["(stop", "stop)", "stop {nobody}", "..x)"])
def test_a_pattern_that_cannot_be_read_says_so(pattern: str) -> None:
    with pytest.raises((BadPattern, KeyError)):
        compile_pattern(pattern, {})


def test_two_words_that_answer_a_question_are_not_doubted() -> None:
    assert read_reply("un sac", "fr").verdict is Verdict.OTHER
