"""The words of the public pages and the rules by country are complete, and say what they must."""

from __future__ import annotations

import pytest

from smsflow_plugin.audience.opt_in_words import ask_text, says_yes
from smsflow_plugin.messaging.country_rules import Misfit, OptOut, Sender, as_of, misfit, rules_of, sender_kind
from smsflow_plugin.messaging.parts import count_parts, to_gsm
from smsflow_plugin.signup.disclosures import standard_disclosure, version_hash
from smsflow_plugin.signup.numbers import NotUsable, read_number
from smsflow_plugin.signup.page_words import LANGUAGES, _table, choose, words
from smsflow_plugin.stores.crypto import keyed_hash

STOP = {"en": "STOP", "da": "STOP", "de": "STOP", "es": "STOP", "fr": "STOP"}
HELP = {"en": "HELP", "da": "HJÆLP", "de": "HILFE", "es": "AYUDA", "fr": "AIDE"}


def test_every_word_is_there_in_every_language() -> None:
    for key, by_language in _table().items():
        assert set(by_language) == set(LANGUAGES), key
        assert all(text.strip() == text and text for text in by_language.values()), key
        placeholders = {
            language: sorted(part for part in text.split() if "{" in part) for language, text in by_language.items()
        }
        assert len({str(len(each)) for each in placeholders.values()}) == 1, key


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("country", ["US", "DE"])
def test_every_disclosure_says_what_the_law_asks_for(country: str, language: str) -> None:
    text = standard_disclosure(country, language, "Sierra Gear", "Sierra Texts")
    assert "Sierra Gear (Sierra Texts)" in text and "{" not in text
    assert STOP[language] in text and HELP[language] in text


def test_one_sign_more_is_another_version() -> None:
    assert version_hash("a", "en", "b") == version_hash("a", "en", "b")
    assert (
        len({version_hash(*each) for each in (("a", "en", "b"), ("a.", "en", "b"), ("a", "da", "b"), ("ae", "n", "b"))})
        == 4
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_question_says_how_to_leave_and_fits_two_parts(language: str) -> None:
    text = to_gsm(ask_text("Sierra Gear", language, "https://sierra-gear.example/terms"))
    assert "STOP" in text and "{" not in text
    parts = count_parts(text)
    assert parts.parts <= 2 and parts.encoding == "GSM-7"


@pytest.mark.parametrize(
    "body",
    [
        "Y",
        "yes",
        "YES!!",
        "Yes, please",
        "ja",
        "JA TAK",
        "oui merci",
        "Sí, gracias",
        "ok",
        "Ok yes",
        "👍",
        "👍👍",
        "START",
    ],
)
def test_a_yes(body: str) -> None:
    assert says_yes(body)


@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "no",
        "stop",
        "yes but only news",
        "yesterday",
        "please",
        "thanks",
        "tak",
        "oui ou non",
        "ok stop",
        "👎",
        "?",
        "y?n",
        "not ok",
    ],
)
def test_no_yes(body: str) -> None:
    assert not says_yes(body)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("da,en;q=0.8", "da"),
        ("en;q=0.1,de-AT;q=0.9", "de"),
        ("sv", "en"),
        ("", "en"),
        ("da;q=x,de", "de"),
        (";;,,q=", "en"),
    ],
)
def test_the_browsers_language(accepted: str, language: str) -> None:
    assert choose(["en", "da", "de"], asked="", accepted=accepted) == language
    assert choose(["en", "da"], asked="da", accepted=accepted) == "da"
    assert choose(["en", "da"], asked="xx", accepted="") == "en"


def test_a_language_that_is_not_there_is_english() -> None:
    assert words("xx") == words("en") and words("de_AT") == words("de")


@pytest.mark.parametrize(
    ("sender", "country", "wrong"),
    [
        ("+12025550100", "US", None),
        ("SierraGear", "US", Misfit.KIND),
        ("+18335550100", "US", None),
        ("12345", "US", None),
        ("+33612345678", "FR", Misfit.FRENCH_LONG_CODE),
        ("Nordic Tea", "FR", Misfit.NO_REPLIES),
        ("36111", "FR", None),
        ("Nordic Tea", "DK", Misfit.NO_REPLIES),
        ("+4520000099", "DK", None),
        ("+919876543210", "IN", Misfit.BLOCKED),
        ("+5511912345678", "BR", None),
    ],
)
def test_senders_and_countries(sender: str, country: str, wrong: Misfit | None) -> None:
    assert misfit(sender, country) is wrong


def test_a_country_that_nobody_has_looked_up_is_treated_with_the_most_care() -> None:
    rules = rules_of("xx")
    assert not rules.known and rules.opt_out is OptOut.EVERY and rules.brand
    assert rules_of("us").opt_out is OptOut.FIRST and rules_of("us").source
    assert as_of().year >= 2026
    assert sender_kind("Sierra") is Sender.ALPHANUMERIC


def test_numbers_are_read_as_people_write_them() -> None:
    assert read_number("(202) 555-0123", "US").e164 == "+12025550123"
    danish = read_number("+45 20 12 34 56", "US")
    assert (danish.e164, danish.region, danish.dial_code, danish.prefix) == ("+4520123456", "DK", 45, "+452012")
    assert read_number("+44 7911 123456", "GB").region == "GG"
    for text, problem in (
        ("", "number_missing"),
        ("x", "number_wrong"),
        ("9" * 50, "number_wrong"),
        ("+442079460018", "number_landline"),
        ("+18005550199", "number_special"),
    ):
        with pytest.raises(NotUsable, match=problem):
            read_number(text, "US")


def test_keyed_hashes_need_the_key_and_the_purpose(settings: object) -> None:
    first = keyed_hash("phone", "+12025550123")
    assert first == keyed_hash("phone", "+12025550123") and len(first) == 64
    assert first != keyed_hash("ip", "+12025550123")
    settings.SMSFLOW = {**settings.SMSFLOW, "ENCRYPTION_KEYS": ["b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb28="]}  # type: ignore[attr-defined]
    assert first != keyed_hash("phone", "+12025550123")
