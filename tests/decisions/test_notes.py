"""Notes of decisions as a line of text: small, read by eye, and read back as they were."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smsflow_plugin.governance.notes import pack, unpack

migration: Any = importlib.import_module("smsflow_plugin.migrations.0011_ledger_rows")

EXAMPLES = [
    ([], ""),
    ([{"rule": "cap_day", "limit": 2, "per": "day"}], "cap_day limit=2 per=day"),
    ([{"used": 1, "limit": 2, "per": "day"}, {"planned": 1}], "used=1 limit=2 per=day; planned=1"),
    ([{"path": "contact.first_name"}], "path=contact.first_name"),
    ([{"rule": "quiet_hours", "until": "2026-03-04T16:00:00+00:00"}], "quiet_hours until=@1772640000"),
    ([{"until": "2026-03-04T16:00:00.000250+00:00"}], "until=@1772640000.000250"),
    ([{"limit": 2, "rule": "cap_day", "of": "12", "scope": "flow"}], 'cap_day limit=2 of="12" scope=flow'),
    ([{"error": "Line 1; a = “b”"}, {"dropped": True}], 'error="Line 1; a = “b”"; dropped=true'),
    ([{"rule": "one text"}], 'rule="one text"'),
]


@pytest.mark.parametrize(("notes", "line"), EXAMPLES)
def test_notes_read_like_this(notes: list[Any], line: str) -> None:
    assert pack(notes) == line
    assert unpack(line) == notes


_text = st.text(st.characters(codec="utf-8"), max_size=20)
_scalars = st.none() | st.booleans() | st.integers(-(10**9), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
_moments = st.datetimes(timezones=st.just(__import__("datetime").UTC)).map(lambda at: at.isoformat())
_values = st.recursive(
    _scalars | _text | _moments, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3)
)
_names = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
_notes = st.lists(st.dictionaries(_names | st.just("rule"), _values, min_size=1, max_size=4), max_size=4)


@given(_notes)
@example([{"rule": "true"}])
@example([{"x": "@12"}, {"y": "a=b"}, {"z": '"'}])
@example([{"at": "0001-01-01T00:00:00+00:00"}])
def test_whatever_was_noted_is_read_back(notes: list[dict[str, Any]]) -> None:
    assert unpack(pack(notes)) == notes


@given(_notes)
def test_the_migration_writes_and_reads_the_same_lines(notes: list[dict[str, Any]]) -> None:
    assert migration._line(notes) == pack(notes)
    assert migration._notes(pack(notes)) == notes


@pytest.mark.parametrize("line", ["=", ";;; ", '"', 'a="b', "a=@x", "\x00", "a=[1,"])
def test_rubbish_breaks_no_page(line: str) -> None:
    assert isinstance(unpack(line), list)
