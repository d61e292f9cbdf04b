"""Parts, as the air counts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.integrations.simulator.network.texts import UnmatchedParameter, msisdn, parts_of, render


@pytest.mark.parametrize(
    ("body", "parts", "encoding"),
    [
        ("a" * 160, 1, "GSM"),
        ("a" * 161, 2, "GSM"),
        ("a" * 306, 2, "GSM"),
        ("a" * 307, 3, "GSM"),
        ("€" * 80, 1, "GSM"),
        # 152 units, then a character of two: it moves to the next part as a whole
        ("a" * 152 + "€" + "a" * 152, 3, "GSM"),
        ("ж" * 70, 1, "UNICODE"),
        ("ж" * 71, 2, "UNICODE"),
        ("🙂" * 35, 1, "UNICODE"),
        ("🙂" * 66, 2, "UNICODE"),
        ("🙂" * 67, 3, "UNICODE"),
    ],
)
def test_parts_are_counted_as_the_air_counts_them(body: str, parts: int, encoding: str) -> None:
    assert parts_of(body) == (parts, encoding)


@given(st.text())
def test_a_text_with_no_dollar_sign_is_never_changed(body: str) -> None:
    body = body.replace("$", "")
    assert render(body, {"name": {"default": "x"}}, "12025550101") == body


def test_what_has_no_value_is_an_error() -> None:
    with pytest.raises(UnmatchedParameter):
        render("Hi ${name}", {}, "12025550101")


@pytest.mark.parametrize(("given_number", "number"), [("+12025550101", "12025550101"), ("0045", None), ("+1", None)])
def test_numbers_lose_their_plus(given_number: str, number: str | None) -> None:
    assert msisdn(given_number) == number
