"""What a text costs, checked against a slow counter that packs part by part."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_plugin.messaging.parts import BASIC, EXTENSION, GSM, UCS2, count_parts, to_gsm

EURO = "€"
SMILE = "😀"
FAMILY = "👨‍👩‍👧‍👦"


def slow_count(text: str) -> tuple[str, int]:
    """Fill one part after the other, a character at a time."""
    gsm = all(character in BASIC + EXTENSION for character in text)
    if gsm:
        sizes = [2 if character in EXTENSION else 1 for character in text]
    else:
        sizes = [len(character.encode("utf-16-le", "surrogatepass")) // 2 for character in text]
    single, each = (160, 153) if gsm else (70, 67)
    if sum(sizes) <= single:
        return (GSM if gsm else UCS2), min(len(text), 1)
    parts = [0]
    for size in sizes:
        if parts[-1] + size > each:
            parts.append(0)
        parts[-1] += size
    return (GSM if gsm else UCS2), len(parts)


#: Also what the counter in the browser is held to, see ``test_counter_in_the_browser``.
TRICKY = [
    ("", GSM, 0),
    ("a", GSM, 1),
    ("a" * 160, GSM, 1),
    ("a" * 161, GSM, 2),
    ("a" * 306, GSM, 2),
    ("a" * 307, GSM, 3),
    ("a" * 459, GSM, 3),
    ("a" * 460, GSM, 4),
    (EURO * 80, GSM, 1),
    (EURO * 80 + "a", GSM, 2),
    ("a" * 159 + EURO, GSM, 2),
    ("a" * 158 + EURO, GSM, 1),
    # a pair is never cut in two, so it costs a septet at the seam
    ("a" * 152 + EURO + "a" * 151, GSM, 2),
    ("a" * 152 + EURO + "a" * 152, GSM, 3),
    (EURO * 153, GSM, 3),
    (EURO * 152, GSM, 2),
    (EURO * 228, GSM, 3),
    (EURO * 229, GSM, 4),
    ("\n" * 160, GSM, 1),
    ("\r\n" * 80, GSM, 1),
    ("[]{}~^|\\\f€", GSM, 1),
    ("Ç" * 160, GSM, 1),
    ("éèàùñäöüåæøß" * 13, GSM, 1),
    ("ΔΦΓΛΩΠΨΣΘΞ", GSM, 1),
    ("@£$¥¤§¿¡_", GSM, 1),
    ("ç", UCS2, 1),
    ("ê", UCS2, 1),
    ("á", UCS2, 1),
    ("í", UCS2, 1),
    ("œ", UCS2, 1),
    ("`", UCS2, 1),
    ("\t", UCS2, 1),
    ("\u00a0", UCS2, 1),
    ("\x1b", UCS2, 1),
    ("µ", UCS2, 1),
    ("’", UCS2, 1),
    ("…", UCS2, 1),
    ("•", UCS2, 1),
    ("e\u0301", UCS2, 1),
    ("ж" * 70, UCS2, 1),
    ("ж" * 71, UCS2, 2),
    ("ж" * 134, UCS2, 2),
    ("ж" * 135, UCS2, 3),
    (SMILE * 35, UCS2, 1),
    (SMILE * 36, UCS2, 2),
    # 33 emoji fill 66 of 67 units: the last unit of each part stays empty
    (SMILE * 66, UCS2, 2),
    (SMILE * 67, UCS2, 3),
    ("ж" + SMILE * 33 + "ж" + SMILE * 33, UCS2, 2),
    (FAMILY * 6, UCS2, 1),
    (FAMILY * 7, UCS2, 2),
    ("a" * 69 + SMILE, UCS2, 2),
    ("🇩🇰" * 17, UCS2, 1),
    ("\ud83d", UCS2, 1),
]


@pytest.mark.parametrize(("text", "encoding", "parts"), TRICKY)
def test_the_tricky_cases(text: str, encoding: str, parts: int) -> None:
    counted = count_parts(text)
    assert (counted.encoding, counted.parts) == (encoding, parts)
    assert (counted.encoding, counted.parts) == slow_count(text)


@settings(deadline=None, max_examples=300)
@given(st.text(st.sampled_from("ab €^{\n’é😀ж"), max_size=500) | st.text(max_size=300))
def test_the_count_is_that_of_the_slow_counter(text: str) -> None:
    counted = count_parts(text)
    assert (counted.encoding, counted.parts) == slow_count(text)
    assert counted.characters == len(text)


@settings(deadline=None)
@given(st.text(st.sampled_from(BASIC + EXTENSION), min_size=150, max_size=700))
def test_a_text_in_the_gsm_alphabet_is_counted_in_septets(text: str) -> None:
    counted = count_parts(text)
    assert (counted.encoding, counted.parts) == slow_count(text)
    assert counted.units == sum(2 if character in EXTENSION else 1 for character in text)
    assert counted.forced_by == ()


def test_the_characters_that_make_it_dearer_are_named_in_order() -> None:
    assert count_parts("Señor’s “café” 😀 ’").forced_by == ("’", "“", "”", "😀")


@pytest.mark.parametrize(
    ("typographic", "plain"),
    [
        ("It’s ‘here’", "It's 'here'"),
        ("“Hi” „da“ «là»", '"Hi" "da" "là"'),
        ("10–12 — now‑ish −5", "10-12 - now-ish -5"),
        ("Wait…", "Wait..."),
        ("1\u202f299,50\u00a0€", "1 299,50 €"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("Trail™", "TrailTM"),
        ("cafe\u0301", "café"),
        ("• one", "- one"),
    ],
)
def test_typographic_characters_become_plain(typographic: str, plain: str) -> None:
    assert to_gsm(typographic) == plain
    assert count_parts(to_gsm(typographic)).encoding == GSM


@pytest.mark.parametrize("text", ["François’ shop", "It’s 😀", "Łukasz…", "Zoë’s", "œuvre…", "Привет…"])
def test_a_text_that_stays_ucs2_anyway_is_left_alone(text: str) -> None:
    assert to_gsm(text) == text


@given(st.text(max_size=80))
def test_no_letter_is_ever_changed(text: str) -> None:
    def letters(of: str) -> str:
        import unicodedata

        # the sign for "trade mark" and the times sign are written with letters
        return "".join(c for c in unicodedata.normalize("NFC", of) if c.isalpha() and c not in "ʹʼ")

    plain = to_gsm(text)
    if "™" not in text and "×" not in text:
        assert letters(plain) == letters(text)
    assert plain == text or count_parts(plain).encoding == GSM
