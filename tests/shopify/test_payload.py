"""JSON in which anything may be missing, or be something else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.events.facts import CannotUnderstand
from smsflow_plugin.integrations.shopify.payload import Payload, parse, parse_time


@pytest.mark.parametrize(
    "body", [b"", b"{", b"not json", b"\xff\xfe", b"NaN", b'{"a": Infinity}', b"[" * 100_000, b"1" * 5000]
)
def test_what_is_not_json_is_refused_with_a_sentence(body: bytes) -> None:
    with pytest.raises(CannotUnderstand, match=r"The body is not JSON\."):
        parse(body)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"12", b"1e999999999999999999999"])
def test_json_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(CannotUnderstand):
        parse(body)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (820982911946154508, "820982911946154508"),
        ("123", "123"),
        ("gid://shopify/Order/123", "123"),
        (0, ""),
        (-1, ""),
        (True, ""),
        (1.5, ""),
        (None, ""),
        ([1], ""),
        (10**30, ""),
    ],
)
def test_ids_are_strings(value: Any, found: str) -> None:
    assert Payload({"id": value}).id("id") == found


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ('"129.00"', "129.00"),
        ('" 0.10 "', "0.10"),
        ("129.10", "129.10"),
        ("129", "129"),
        ("-5.00", "-5.00"),
        ("1e3", None),
        ("1e999", None),
        ('"12,50"', None),
        ('"1e3"', None),
        ('""', None),
        ("null", None),
        ("true", None),
        ("[]", None),
    ],
)
def test_money_stays_the_decimal_string_that_it_is(written: str, found: str | None) -> None:
    assert parse(b'{"price": %s}' % written.encode()).money("price") == found


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-03-04T11:00:00-05:00", datetime(2026, 3, 4, 16, tzinfo=UTC)),
        ("2026-03-04T16:00:00Z", datetime(2026, 3, 4, 16, tzinfo=UTC)),
        ("2026-03-04T16:00:00.123456789Z", datetime(2026, 3, 4, 16, 0, 0, 123456, tzinfo=UTC)),
        ("2026-03-04T16:00:00", datetime(2026, 3, 4, 16, tzinfo=UTC)),
        ("9999-12-31T23:59:59-05:00", None),
        ("0001-01-01T00:00:00+05:00", None),
        ("1900-01-01T00:00:00Z", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_times_are_in_utc_and_within_reason(written: str, moment: datetime | None) -> None:
    assert parse_time(written) == moment


def test_web_addresses_lead_to_the_web() -> None:
    payload = Payload(
        {"a": "https://shop.example/c/1", "b": "javascript:alert(1)", "c": 5, "d": "https://x/" + "y" * 3000}
    )
    assert [payload.url(key) for key in "abcd"] == ["https://shop.example/c/1", None, None, None]


def test_text_is_fit_for_any_database() -> None:
    payload = parse(b'{"a": " A\\u0000da ", "b": "half \\ud83d", "c": "%s"}' % (b"x" * 300))
    assert payload.text("a") == "Ada"
    assert payload.text("b").encode() == b"half ?"
    assert len(payload.text("c")) == 255


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_no_value_surprises_any_reader(value: Any) -> None:
    payload = Payload({"key": value})
    readers = (payload.text, payload.id, payload.money, payload.count, payload.url, payload.is_true)
    assert all(isinstance(reader("key"), str | int | bool | None) for reader in readers)
    assert all(isinstance(item, Payload) for item in [payload.object("key"), *payload.objects("key")])
    assert json.dumps([reader("key") for reader in readers]).encode()
    assert payload.time("key") is None or payload.time("key").tzinfo is UTC  # type: ignore[union-attr]
