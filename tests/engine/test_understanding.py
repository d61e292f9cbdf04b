"""What an answer means: which choice, what is remembered of it, and what it is worth. Pure."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.audience.answers import only_number, yes_or_no
from smsflow_plugin.audience.answers.spelling import meant
from smsflow_plugin.engine.answers import understand
from smsflow_plugin.flows.program import (
    Agree,
    Choice,
    Exit,
    Jump,
    Listen,
    Program,
    Send,
    Tag,
    Trigger,
    Wait,
    binding_targets,
)

A, B, C = Choice(1, ("a",), value="A"), Choice(2, ("b",), value="B"), Choice(3, ("c",), value="C")
LETTERS = (A, B, C)
NUMBERS = (
    Choice(1, ("1", "one", "en", "eins", "uno", "un"), value="1"),
    Choice(2, ("2", "two", "to", "zwei", "dos", "deux"), value="2"),
)
DRINKS = (
    Choice(1, ("a", "tea"), value="tea"),
    Choice(2, ("b", "coffee"), value="coffee"),
    Choice(3, ("c", "chocolate"), value="chocolate"),
)
YES_NO = (Choice(1, means="yes", value="yes"), Choice(2, means="no", value="no"))
LOW, HIGH = Choice(1, low=0, high=6), Choice(2, low=7, high=10, value="fan")
SCORE = (Choice(1, low=0, high=6), Choice(2, low=7, high=10))
ANY = Choice(3)


def value(body: str, choices: Any, language: str = "") -> str | None:
    found = understand(body, choices, language)
    return found.value if found else None


@pytest.mark.parametrize(
    ("body", "choices", "choice", "kept"),
    [
        ("A", DRINKS, DRINKS[0], "tea"),
        ("  coffee!! ", DRINKS, DRINKS[1], "coffee"),
        ("b please", LETTERS, B, "B"),
        ("Ａ", LETTERS, A, "A"),
        ("9", (LOW, HIGH), HIGH, "fan"),
        ("a 5, thanks", (LOW, HIGH), LOW, "5"),
        ("7 7", (LOW, HIGH), HIGH, "fan"),
        ("١٠", (LOW, HIGH), HIGH, "fan"),
        ("ten", (LOW, HIGH), HIGH, "fan"),
        ("Because. ", (LOW, HIGH, ANY), ANY, "Because."),
        ("A", (ANY, A), A, "A"),
        ("👍", (ANY,), ANY, "👍"),
    ],
)
def test_an_answer_means_one_choice_and_is_remembered(body: str, choices: Any, choice: Choice, kept: str) -> None:
    found = understand(body, choices)
    assert found is not None and (found.choice, found.value) == (choice, kept)


@pytest.mark.parametrize(
    ("body", "choices"),
    [
        ("maybe a", LETTERS), ("ab", LETTERS), ("", LETTERS), ("👍", LETTERS), ("9 or 10", SCORE), ("11", SCORE),
        ("-3", SCORE), ("9.5", SCORE), ("9:30", SCORE), ("2 / 5", SCORE), ("at 12:05", SCORE), (" ", (ANY,)),
    ],
)  # fmt: skip
def test_what_means_nothing_clear_is_no_answer(body: str, choices: Any) -> None:
    assert understand(body, choices) is None


# Menus -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "b", "B)", "(b)", "B.", "B!!!", "option b", "Option B please", "svar b", "Antwort B", "la b", "2", "two", "2.",
        "#2", "no. 2", "number 2", "the second one", "second", "2nd", "den anden", "die zweite", "la segunda",
        "le deuxième", "B, can't make it", "can't make it, B", "B can't make it sorry", "Hi! B", "b sorry", "🅱️", "2️⃣",
        "I'd go with b", "jeg tager b", "my answer is B", "B - see you another day", "B\nSent from my phone",
    ],
)  # fmt: skip
def test_a_letter_of_a_menu_may_be_said_in_many_ways(body: str) -> None:
    assert value(body, LETTERS) == "B"


@pytest.mark.parametrize(
    "body",
    [
        "A person please", "a lot", "a.m. works for me", "A-ok", "c u there", "C you tomorrow", "2:30 works", "1/2",
        "A or B", "A, B", "a and b", "A, but only if it is early", "not b", "bb", "d", "4", "the fourth", "1-2",
        "which one?", "I want to", "see you then", "can I get a refund", "what is b like?", "b there at eight",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_letter_chooses_nothing(body: str) -> None:
    assert value(body, LETTERS) is None


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("1", "1"), ("one", "1"), ("1, thanks", "1"), ("1 thanks", "1"), ("the first one", "1"), ("a", "1"),
        ("2!!!", "2"), ("to tak", "2"), ("b", "2"), ("nr. 2", "2"), ("the second one", "2"), ("the last one", "2"),
        ("option to", "2"), ("jeg vælger 2", "2"), ("I want to", None), ("1 item is broken", None),
        ("2 of them are broken", None), ("1, but the box was damaged", None), ("1 or 2", None), ("12", None),
        ("no one called me", None), ("3", None), ("the third", None),
    ],
)  # fmt: skip
def test_numbers_of_a_menu_are_its_labels(body: str, kept: str | None) -> None:
    assert value(body, NUMBERS) == kept


def test_a_place_in_the_row_counts_only_where_no_number_is_a_label_for_something_else() -> None:
    sizes = (Choice(1, ("2",)), Choice(2, ("5",)))
    assert value("the second one", sizes) is None and value("2", sizes) == "2"
    assert value("b", sizes) is None


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("I'd like tea", "tea"), ("tea, no milk", "tea"), ("coffee with tea", None), ("a strong coffee", "coffee"),
        ("not coffee", None), ("ikke coffee", None), ("tea or coffee", None), ("what is coffee?", None),
        ("Chocolate of course", "chocolate"), ("the coffee", "coffee"),
    ],
)  # fmt: skip
def test_the_words_of_an_answer_may_stand_in_a_sentence(body: str, kept: str | None) -> None:
    assert value(body, DRINKS) == kept


def test_words_mean_the_same_however_they_are_spelt() -> None:
    size = Choice(1, ("størrelse", "L'XL"))
    for body in ("Størrelse", "STORRELSE", "lxl", "l’xl."):
        assert understand(body, (size,)) is not None, body


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("cofee", "coffee"), ("coffe", "coffee"), ("cofffee", "coffee"), ("cfofee", "coffee"),
        ("choclate", "chocolate"),
        ("chocolste please", "chocolate"), ("te", None), ("tae", None), ("toffee", None), ("coffer", None),
        ("boffee", None), ("cofe", None), ("chocolates", "chocolate"),
    ],
)  # fmt: skip
def test_one_mistake_in_a_long_word_is_put_right(body: str, kept: str | None) -> None:
    assert value(body, DRINKS) == kept


def test_a_mistake_between_two_choices_chooses_neither() -> None:
    close = (Choice(1, ("marine",)), Choice(2, ("marina",)))
    assert understand("marins", close) is None
    assert value("marine", close) == "marine"


@given(
    st.sampled_from(["late", "prize", "prince", "while", "block", "brown", "side", "quite", "angle", "stop", "form"])
)
def test_a_real_word_is_never_taken_for_another_one(word: str) -> None:
    known = ["later", "price", "white", "black", "size", "quiet", "angel", "stoop", "from", "latter", "blocks"]
    assert meant(word, known) is None


@given(st.text("abcdefgh", min_size=1, max_size=3), st.lists(st.text("abcdefgh", min_size=1, max_size=4), max_size=4))
def test_short_words_are_never_put_right(word: str, known: list[str]) -> None:
    assert meant(word, known) is None


# Yes and no --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "yes", "Yep", "yesss", "y", "ok", "sure", "of course", "I think so", "yes please", "Yes! What time is it?",
        "yes but I'll be late", "👍", "👍🏽", "✅ see you", "great 👍", "ja", "ja gerne", "Ja tak!", "jo",
        "selvfølgelig",
        "ja det gør jeg", "Ja, sehr gerne!", "na klar", "jawohl", "sí", "si claro", "claro que sí", "vale", "oui",
        "Oui merci", "bien sûr", "d'accord", "ouais", "well yes", "ja ja",
    ],
)  # fmt: skip
def test_a_yes_in_its_common_forms(body: str) -> None:
    assert yes_or_no(body) is True
    assert value(body, YES_NO) == "yes"


@pytest.mark.parametrize(
    "body",
    [
        "no", "Nope", "nah", "n", "no thanks", "No, I can't", "not really", "of course not", "not yet", "👎", "❌",
        "I don't think so", "nej", "nej tak", "neeej", "Nej, desværre ikke", "ikke endnu", "nein", "nein danke", "nö",
        "auf keinen Fall", "no gracias", "claro que no", "creo que no", "non", "non merci", "pas encore",
    ],
)  # fmt: skip
def test_a_no_in_its_common_forms(body: str) -> None:
    assert yes_or_no(body) is False
    assert value(body, YES_NO) == "no"


@pytest.mark.parametrize(
    "body",
    [
        "", "hello", "yes and no", "yes no", "ja og nej", "oui et non", "sí y no", "👍👎", "maybe", "måske",
        "yes, unless it rains", "hvis ja, hvornår", "no idea", "no problem", "ved ikke", "je ne sais pas", "weiß nicht",
        "are you sure, yes or no?", "jein", "yes not", "42",
        "we were there yesterday and the shop told us that everything would arrive before the weekend yes",
    ],
)  # fmt: skip
def test_both_and_neither_are_no_answer(body: str) -> None:
    assert yes_or_no(body) is None
    assert value(body, YES_NO) is None


def test_a_menu_with_a_plain_yes_understands_the_other_ways_of_saying_it() -> None:
    menu = (Choice(1, ("a", "yes"), value="A"), Choice(2, ("b", "no"), value="B"), Choice(3, ("c",), value="C"))
    assert [value(body, menu) for body in ("yep", "ja tak", "👍", "nej", "No, I can't", "c", "the third")] == [
        "A", "A", "A", "B", "B", "C", "C",
    ]  # fmt: skip


# Agreement ---------------------------------------------------------------------------------------

CONFIRM = Choice(2, ("yes", "y", "ja", "si", "oui", "ok"), value="yes")


@pytest.mark.parametrize("body", ["YES", "yes please", "Ja tak", "y", "👍", "yep", "I agree", "ok thanks"])
def test_a_plain_yes_agrees_to_texts(body: str) -> None:
    assert understand(body, (CONFIRM,), binding=frozenset({2})) is not None


@pytest.mark.parametrize(
    "body",
    [
        "yes but not daily", "ja men ikke hver dag", "yes, what is it?", "ok what is this", "yes I was there yesterday",
        "y u text me", "first", "1", "option 1", "I think yes", "tes", "yeah right", "no", "si me llamas", "maybe yes",
    ],
)  # fmt: skip
def test_nothing_else_does_however_it_would_be_understood(body: str) -> None:
    for choice in (CONFIRM, Choice(2, means="yes")):
        assert understand(body, (choice,), binding=frozenset({2})) is None


@pytest.mark.parametrize(("body", "agrees"), [("1", True), (" 1 ", True), ("1 question: when?", False), ("1!", False)])
def test_a_number_agrees_only_if_it_is_the_whole_answer(body: str, agrees: bool) -> None:
    found = understand(body, (Choice(2, low=1, high=1),), binding=frozenset({2}))
    assert (found is not None) is agrees


def test_nobody_agrees_by_writing_anything() -> None:
    assert understand("what is this?", (Choice(2),)) is not None
    assert understand("what is this?", (Choice(2),), binding=frozenset({2})) is None


def test_answers_that_lead_to_an_agreement_are_known_from_the_program() -> None:
    listen = Listen("q", (Choice(3, ("yes",)), Choice(2, ("no",)), Choice(6, ("later",))), 1, "days", on_timeout=2)
    program = Program(
        (Trigger("opted_in"),),
        (
            Send("q", {"": "?"}), listen, Exit("x"), Tag("t", "in"), Wait("w", 1, "days"), Agree("a"),
            Listen("r", (Choice(7, ("yes",)),), 1, "days", on_timeout=8), Agree("b"), Exit("y"),
        ),
    )  # fmt: skip
    assert binding_targets(program) & {2, 3, 6, 7, 8} == {3, 7}
    assert binding_targets(Program((Trigger("opted_in"),), (Jump("j", 2), Exit("x"), Agree("a")))) == {0, 2}


# Numbers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "language", "number"),
    [
        ("ten", "", 10), ("9/10", "", 9), ("9 / 10", "", 9), ("10/10!!!", "", 10), ("9 out of 10", "", 9),
        ("nine out of ten", "", 9), ("9 out of ten", "", 9), ("9 of 10", "", 9), ("10!!", "", 10), ("zehn", "de", 10),
        ("Zehn von zehn", "de", 10), ("ti", "da", 10), ("ni ud af ti", "da", 9), ("neuf sur dix", "fr", 9),
        ("diez", "es", 10), ("nul", "da", 0), ("zero", "", 0), ("fire", "da", 4), ("fire", "en", None), ("٩", "", 9),
        ("９", "", 9), ("🔟", "", 10), ("9️⃣", "", 9), ("⭐⭐⭐⭐", "", 4), ("a solid 9", "", 9), ("I'd say 8", "", 8),
        ("a ten from me!", "", 10), ("one", "", 1), ("8, shipping took 3 weeks", "", 8), ("8. Nice jacket!", "", 8),
        ("to be honest 9", "da", 9), ("9+", "", 9), ("no 7", "", 7), ("zehn", "en", 10), ("zwölf", "de", 12),
        ("8-9", "", None), ("8 - 9", "", None), ("8–9", "", None), ("8 to 9", "", None), ("9 or ten", "", None),
        ("eight or nine", "", None), ("7/5", "", None), ("5/5", "", None), ("9/10/2026", "", None), ("10%", "", None),
        ("not a 10", "", None), ("ikke 10", "da", None), ("less than 5", "", None), ("I waited 10 days", "", None),
        ("$10", "", None), ("9th", "", None), ("no one", "", None), ("the best one", "", None), ("great", "", None),
        ("one of my parcels never came", "", None), ("½", "", None), ("", "", None), ("9,5", "", None),
    ],
)  # fmt: skip
def test_the_one_number_of_an_answer(body: str, language: str, number: int | None) -> None:
    assert only_number(body, language, 10) == number


@pytest.mark.parametrize("language", ["en", "da", "de", "es", "fr"])
def test_number_words_from_nought_to_twenty(language: str) -> None:
    words = {
        "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty",
        "da": "nul en to tre fire fem seks syv otte ni ti elleve tolv tretten fjorten femten seksten sytten atten "
        "nitten tyve",
        "de": "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn "
        "siebzehn achtzehn neunzehn zwanzig",
        "es": "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis "
        "diecisiete dieciocho diecinueve veinte",
        "fr": "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept "
        "dix-huit dix-neuf vingt",
    }[language].split()
    assert [only_number(word, language, 20) for word in words] == list(range(21))
    assert [only_number(word.upper(), f"{language}-XX", 20) for word in words] == list(range(21))


def test_an_answer_is_worth_its_number_or_its_points() -> None:
    menu = (Choice(1, ("good",), points=5), Choice(2, ("bad",), points=-1), Choice(3, ("none",)))
    scores = [found.score for body in ("good", "bad", "none") if (found := understand(body, menu))]
    assert scores == [5, -1, None]
    high = understand("9/10", (LOW, HIGH))
    assert high is not None and (high.value, high.score) == ("fan", 9)
    worth = understand("3", (Choice(1, low=0, high=6, points=-1),))
    assert worth is not None and (worth.value, worth.score) == ("3", -1)


# Rules -------------------------------------------------------------------------------------------

bodies = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from(
            ["a", "b", "1", "2", "9", "ten", "/", "10", "yes", "no", "not", "or", "👍", "👎", ",", ".", "coffee", "the",
             "second", "one", "\n", "?", "ja", "nej", "option", "٩", "🔟"]
        ),
        max_size=7,
    ).map(" ".join),
)  # fmt: skip


@given(bodies, st.sampled_from(["", "en", "da-DK", "xx"]))
def test_no_text_breaks_the_understanding(body: str, language: str) -> None:
    for choices in (LETTERS, NUMBERS, DRINKS, YES_NO, SCORE, (*DRINKS, *SCORE, *YES_NO)):
        found = understand(body, choices, language)
        assert found is None or found.choice in choices
        assert found == understand(f" {body}\n", choices, language) or body != body.strip()
    number = only_number(body, language)
    assert number is None or abs(number) < 10**6


@given(st.integers(0, 10), st.integers(0, 10), st.sampled_from([" or ", " and ", "-", " - ", ", ", " to ", " maybe "]))
def test_two_different_numbers_are_none(one: int, other: int, between: str) -> None:
    found = only_number(f"{one}{between}{other}", "", 10)
    assert found is None or one == other


@given(bodies)
def test_what_is_no_plain_yes_never_agrees(body: str) -> None:
    for choice in (CONFIRM, Choice(2, means="yes")):
        if understand(body, (choice,), binding=frozenset({2})) is not None:
            assert yes_or_no(body) is True or body.strip().casefold() in CONFIRM.words


@given(st.permutations(["yes", "no"]), st.text(" ,.!", min_size=1, max_size=3))
def test_yes_and_no_together_are_neither(words: list[str], between: str) -> None:
    assert yes_or_no(between.join(words)) is None
