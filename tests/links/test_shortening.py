"""Addresses in texts are found, and short ones stand in their places."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.links.targets import home, is_shops_own, tagged
from smsflow_plugin.messaging.addresses import find, host_of, is_host_name, is_or_under, parts_of
from smsflow_plugin.messaging.copy import compose
from smsflow_plugin.messaging.shortening import ALPHABET, LENGTH, Shortener, cut, new_code

SHOP = "https://sierra-gear.example"
BASE = "https://go.sierra-gear.example/"


def shortener(stays: tuple[str, ...] = ()) -> Shortener:
    numbers = count(1)
    return Shortener(BASE, lambda host: host == ("sierra-gear.example", None), stays, lambda: f"code{next(numbers)}")


def short(source: str, **context: object) -> tuple[str, list[str], dict[str, str]]:
    """Return the text, its slots, and which code leads where."""
    links: dict[str, str] = {}
    made = shortener()
    composed = compose(
        {"": source}, {}, "en", context, brand="", message_class="service", add_opt_out=False,
        shorten=lambda pieces: made.shorten(pieces, links),
    )  # fmt: skip
    slots = [composed.text[start:end] for start, end in composed.slots]
    return composed.text, slots, {code: target for target, code in links.items()}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Look: https://a.example/sale.", ["https://a.example/sale"]),
        ("(https://a.example/x) and http://b.example!", ["https://a.example/x", "http://b.example"]),
        ("https://a.example/x_(y)", ["https://a.example/x_(y)"]),
        ("HTTPS://A.example/Q?a=1&b=2#top, more", ["HTTPS://A.example/Q?a=1&b=2#top"]),
        ("https://a.example?x=1;", ["https://a.example?x=1"]),
        ("“https://a.example/x”…", ["https://a.example/x"]),
        ("a.example/sale and https:// and xhttps://a.example", []),
        ("https://user@a.example/ https://a.example\\@b.example/ https://a.example:port/", []),
        ("", []),
    ],
)
def test_addresses_end_where_the_sentence_goes_on(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in find(text)] == found
    assert "".join(part for part, _address in parts_of(text)) == text
    assert [part for part, is_address in parts_of(text) if is_address] == found


def test_hosts_are_told_apart_by_what_browsers_would_do() -> None:
    assert host_of("https://Sierra-Gear.example.:443/x") == ("sierra-gear.example", None)
    assert host_of("http://a.example:443") == ("a.example", 443)
    assert host_of("https://bücher.example/") == ("xn--bcher-kva.example", None)
    # Cyrillic letters that look like Latin ones are another host
    assert host_of("https://ѕierra-gear.example") != ("sierra-gear.example", None)
    for address in ("javascript:alert(1)", "//a.example", "https://", "https://u:p@a.example", "ftp://a.example"):
        assert host_of(address) is None


def test_a_host_name_is_a_host_name_and_nothing_else() -> None:
    assert is_host_name("go.sierra-gear.example")
    for text in (
        "", "localhost", "https://a.example", "a.example/x", "a.example:80", "10.0.0.1", "a_b.example", "-a.example",
        "a..example", "A.example", "a.example.", "a example.com", f"{'a' * 64}.example",
    ):  # fmt: skip
        assert not is_host_name(text)
    assert is_or_under("www.bit.ly", frozenset({"bit.ly"}))
    assert not is_or_under("orbit.ly", frozenset({"bit.ly"}))


def test_a_short_address_is_a_slot_and_the_target_stays_to_the_letter() -> None:
    text, slots, links = short(f"New: {SHOP}/sale?x=%20a#b. Go!")
    assert text == f"New: {BASE}code1. Go!"
    assert slots == [f"{BASE}code1"]
    assert links == {"code1": f"{SHOP}/sale?x=%20a#b"}


def test_an_address_may_span_words_and_data() -> None:
    text, slots, links = short(
        "Hi {{ name }}: " + SHOP + "/{{ path }}?c={{ code }} bye", name="Ada", path="p", code="X1"
    )
    assert text == f"Hi Ada: {BASE}code1 bye"
    assert slots == ["Ada", f"{BASE}code1"]
    assert links == {"code1": f"{SHOP}/p?c=X1"}


def test_an_address_inside_of_data_is_shortened_there() -> None:
    text, slots, links = short("{{ note }}", note=f"see {SHOP}/a, or {SHOP}/b")
    assert text == f"see {BASE}code1, or {BASE}code2"
    assert slots == [text]
    assert set(links.values()) == {f"{SHOP}/a", f"{SHOP}/b"}


def test_the_same_address_twice_is_one_link() -> None:
    text, _slots, links = short(f"{SHOP}/a {SHOP}/a")
    assert text == f"{BASE}code1 {BASE}code1"
    assert links == {"code1": f"{SHOP}/a"}


def test_other_hosts_and_addresses_that_stay_are_left_alone() -> None:
    text = f"https://evil.example/{SHOP} https://bit.ly/x {BASE}abcdefgh"
    assert short(text) == (text, [], {})
    links: dict[str, str] = {}
    pieces = [(f"{SHOP}/me/1 {SHOP}/you", False)]
    result = shortener((f"{SHOP}/me/",)).shorten(pieces, links)
    assert "".join(piece for piece, _slot in result) == f"{SHOP}/me/1 {BASE}code1"


def test_the_parts_are_those_of_the_short_text() -> None:
    long = f"{SHOP}/" + "x" * 200
    links: dict[str, str] = {}
    made = shortener()
    values = {"brand": "", "message_class": "service", "add_opt_out": False}
    plain = compose({"": f"See {long}"}, {}, "en", {}, **values)  # type: ignore[arg-type]
    shorter = compose({"": f"See {long}"}, {}, "en", {}, shorten=lambda p: made.shorten(p, links), **values)  # type: ignore[arg-type]
    assert (plain.parts.parts, shorter.parts.parts) == (2, 1)


words = st.text(alphabet="ab {}$€h/:.", max_size=12)
piece = st.tuples(
    st.one_of(words, st.just(f"{SHOP}/a"), st.just("https://"), st.just("sierra-gear.example/b")), st.booleans()
)


@given(st.lists(piece, max_size=8))
def test_only_addresses_change_whatever_the_pieces(pieces: list[tuple[str, bool]]) -> None:
    links: dict[str, str] = {}
    result = shortener().shorten(pieces, links)
    text = "".join(part for part, _slot in result)
    back = text
    for target, code in links.items():
        back = back.replace(f"{BASE}{code}", target)
    assert back == "".join(part for part, _slot in pieces)
    assert not [span for span in find(text) if host_of(text[slice(*span)]) == ("sierra-gear.example", None)]
    assert all(slot for part, slot in result if part.startswith(BASE))


@given(st.lists(st.tuples(words, st.booleans()), max_size=6), st.integers(0, 40), st.integers(0, 40))
def test_a_cut_is_the_text_between_two_places(pieces: list[tuple[str, bool]], start: int, end: int) -> None:
    text = "".join(part for part, _slot in pieces)
    assert "".join(part for part, _slot in cut(pieces, start, end)) == text[start:end]


def test_codes_are_long_and_random() -> None:
    codes = {new_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert all(len(code) == LENGTH and set(code) <= set(ALPHABET) for code in codes)


def test_tags_are_added_and_nothing_that_is_there_is_touched() -> None:
    tags = {"utm_source": "smsflow", "utm_campaign": "back & forth", "utm_content": ""}
    assert tagged(SHOP, tags) == f"{SHOP}?utm_source=smsflow&utm_campaign=back%20%26%20forth"
    kept = f"{SHOP}/c?key=a%2Fb+c&UTM_Source=mail#pay"
    assert tagged(kept, tags) == f"{SHOP}/c?key=a%2Fb+c&UTM_Source=mail&utm_campaign=back%20%26%20forth#pay"


def test_the_shops_own_addresses_and_its_home() -> None:
    assert is_shops_own("https://www.sierra-gear.example/x", SHOP)
    assert is_shops_own("https://sierra-gear.myshopify.com/x", "")
    assert not is_shops_own("https://shop.app/x", SHOP)
    assert not is_shops_own("https://myshopify.com.evil.example/", SHOP)
    assert home(SHOP, "https://other.example/x") == SHOP
    assert home("", "https://other.example/x?token=1") == "https://other.example/"
    assert home("", "") == ""
