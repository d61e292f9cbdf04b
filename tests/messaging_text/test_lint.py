"""What the editor would say about a text, and what it would keep to itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.messaging.lint import lint
from smsflow_plugin.messaging.parts import count_parts

GOOD = "Hi {{ contact.first_name | default: 'there' }}, 20% off {{ cart.first_item }} today: {{ cart.url }}"


def codes(text: str, language: str = "en", **options: object) -> set[str]:
    return {hint.code for hint in lint(text, language, **options)}  # type: ignore[arg-type]


def test_a_good_text_gets_no_hint() -> None:
    assert lint(GOOD, "en", optional={"contact.first_name"}, parts=count_parts("short")) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Sale: https://bit.ly/x ends today", "shortener"),
        ("20% off at www.tinyurl.com/abc now", "shortener"),
        ("20% off: http://10.0.0.1/sale", "shortener"),
        ("20% off {{ cart.url }} or https://a.example/b", "many_calls"),
        ("20% off {{ cart.url }} or {{ order.url }}", "many_calls"),
        ("20% OFF EVERYTHING IN THE SHOP TODAY", "all_caps"),
        ("20% off today!!!!", "all_caps"),
        ("Hi {{ contact.first_name }}, 20% off", "missing_fallback"),
        ("We have been thinking about you and the shop for a very long time now", "late_value"),
        ("20% off all vodka today", "prohibited"),
    ],
)
def test_what_costs_trust_or_gets_filtered_is_hinted_at(text: str, code: str) -> None:
    assert code in codes(text, optional={"contact.first_name"})


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("da", "20% på alle cigaretter i dag"),
        ("de", "20% auf alle Zigaretten heute"),
        ("es", "20% en cigarrillos hoy"),
        ("fr", "20% sur les cigarettes ce jour"),
        ("fr-CA", "20% sur les cigarettes ce jour"),
    ],
)
def test_words_that_networks_filter_are_known_in_every_language_of_the_product(language: str, text: str) -> None:
    (hint,) = [hint for hint in lint(text, language) if hint.code == "prohibited"]
    assert text[hint.start : hint.end].casefold().startswith("cigar") or "Zigarett" in text


@pytest.mark.parametrize(
    "text",
    [
        "OK, VIP: 20% off",
        "Begin now: 20% off",
        "Our wineglass collection: 20% off",
        "{{ CART_URL_IN_CAPITALS_HERE }} 5% hi",
    ],
)
def test_innocent_texts_get_no_hint(text: str) -> None:
    assert codes(text) == set()


def test_a_missing_value_is_no_trouble_where_another_text_stands_in() -> None:
    assert "missing_fallback" not in codes(
        "Hi {{ contact.first_name }}, 5%", optional={"contact.first_name"}, has_fallback=True
    )


def test_news_about_an_order_need_not_promise_anything() -> None:
    text = "We would like to tell you that somebody will be with you before long, so please stay near"
    assert "late_value" in codes(text)
    assert "late_value" not in codes(text, marketing=False)


def test_the_price_of_a_second_part_is_named_with_what_would_save_it() -> None:
    (hint,) = [h for h in lint("5% off", "en", parts=count_parts("a" * 165)) if h.code == "many_parts"]
    assert "2 parts" in hint.message and "5 characters less" in hint.message


def test_a_character_that_makes_a_second_part_is_named() -> None:
    (hint,) = [h for h in lint("5% off", "en", parts=count_parts("a" * 100 + "ж")) if h.code == "many_parts"]
    assert "Without ж" in hint.message


@given(st.text(st.sampled_from("aB 5%!{}|'. /:htps\n…"), max_size=200), st.sampled_from(["en", "da", "xx", ""]))
def test_hints_never_fail_and_point_into_the_text(text: str, language: str) -> None:
    for hint in lint(text, language, optional={"a"}, parts=count_parts(text)):
        assert 0 <= hint.start <= hint.end <= len(text)
        assert hint.message.endswith((".", "…"))
