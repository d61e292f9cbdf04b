"""A file of any size is read line by line, from any byte on, whatever the server can do."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.integrations.shopify.admin.errors import Unreachable
from smsflow_plugin.integrations.shopify.sync import gathering, stream
from tests.shopify_sync.bulk_file import FileServer, serving

BODY = b'{"a": 1}\n{"b": 2}\n{"c": "\xc3\xa6"}\n'


@pytest.fixture(scope="module")
def server() -> Iterator[FileServer]:
    with serving(FileServer()) as running:
        running.files["/f"] = BODY
        yield running


@pytest.fixture(autouse=True)
def _healthy(server: FileServer) -> None:
    server.ranges, server.cut, server.gone = True, [], set()


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_it_begins_at_any_line(server: FileServer, ranges: bool, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PIECE", piece)
    server.ranges = ranges
    whole = list(stream.lines(f"{server.url}/f", 0))
    assert [json.loads(line) for line, _end in whole] == [{"a": 1}, {"b": 2}, {"c": "æ"}]
    assert whole[-1][1] == len(BODY)
    for place, (_line, end) in enumerate(whole):
        assert list(stream.lines(f"{server.url}/f", end)) == whole[place + 1 :]


def test_a_connection_that_breaks_is_trouble_and_no_end(server: FileServer) -> None:
    server.cut = [12]
    seen: list[tuple[bytes, int]] = []
    with pytest.raises(Unreachable):
        for one in stream.lines(f"{server.url}/f", 0):
            seen.append(one)
    assert [line for line, _end in seen] in ([], [b'{"a": 1}'])


def test_a_last_line_may_lack_its_end_where_the_file_has_one(server: FileServer) -> None:
    server.files["/open"] = BODY.rstrip(b"\n")
    size = len(server.files["/open"])
    assert [line for line, _end in stream.lines(f"{server.url}/open", 0)] == BODY.splitlines()[:2]
    assert list(stream.lines(f"{server.url}/open", 0, size))[-1] == (BODY.splitlines()[-1], size)


def test_a_file_that_is_gone_is_said_to_be(server: FileServer) -> None:
    server.gone = {"/f"}
    with pytest.raises(stream.Gone):
        list(stream.lines(f"{server.url}/f", 0))


def test_a_line_without_an_end_fills_no_memory(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LONGEST", 20)
    server.files["/long"] = b"x" * 400_000
    with pytest.raises(Unreachable):
        list(stream.lines(f"{server.url}/long", 0))


# Gathering ---------------------------------------------------------------------------------------

PARENTS = st.integers(min_value=0, max_value=12)


@st.composite
def files(draw: st.DrawFn) -> list[tuple[bytes, int]]:
    """Orders, and items that stand anywhere after their own."""
    rows: list[dict[str, str]] = []
    for parent in range(draw(PARENTS)):
        rows.append({"id": f"o{parent}"})
    for child in range(draw(st.integers(min_value=0, max_value=25))):
        orders = [place for place, row in enumerate(rows) if "__parentId" not in row]
        if orders:
            own = draw(st.sampled_from(orders))
            place = draw(st.integers(min_value=own + 1, max_value=len(rows)))
            rows.insert(place, {"id": f"i{child}", "__parentId": rows[own]["id"]})
    lines, end = [], 0
    for row in rows:
        line = json.dumps(row).encode()
        end += len(line) + 1
        lines.append((line, end))
    return lines


@given(files(), st.integers(min_value=1, max_value=5), st.integers(min_value=1, max_value=9))
def test_every_item_comes_to_its_order_and_nothing_is_kept(
    lines: list[tuple[bytes, int]], most: int, most_lines: int
) -> None:
    wanted: dict[str, set[str]] = {}
    for line, _end in lines:
        row = json.loads(line)
        if "__parentId" in row:
            wanted[row["__parentId"]].add(row["id"])
        else:
            wanted[row["id"]] = set()
    found: dict[str, set[str]] = {}
    last = 0
    for chunk in gathering.chunks(lines, most, most_lines):
        assert len(chunk.nodes) <= most
        assert chunk.lines <= most_lines
        assert chunk.end > last
        last = chunk.end
        for node in chunk.nodes:
            found[node["id"]] = {child["id"] for child in chunk.children[node["id"]]}
        for parent, children in chunk.stragglers.items():
            assert parent in found, "a straggler's order was handed on before"
            found[parent] |= {child["id"] for child in children}
    assert found == wanted
    assert last == (lines[-1][1] if lines else 0)


def test_what_is_no_object_is_counted() -> None:
    (chunk,) = gathering.chunks([(b"{", 2), (b"[1]", 6), (b"", 7), (b'{"id": "a"}', 19)])
    assert (chunk.broken, len(chunk.nodes), chunk.lines, chunk.end) == (2, 1, 4, 19)
