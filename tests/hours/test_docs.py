"""The page for people names what the table holds."""

from __future__ import annotations

from pathlib import Path

from smsflow_plugin.audience.prefixes import area_codes
from smsflow_plugin.governance.law.table import shipped_rows
from smsflow_plugin.governance.windows import Window

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "quiet-hours.md").read_text(encoding="utf-8")
LINES = [line for line in PAGE.splitlines() if line.startswith("| ")]


def short(window: Window | None) -> str:
    return "closed" if window is None else f"{window[0].hour}–{window[1].hour}"


def test_every_row_stands_on_the_page_with_its_windows_and_its_source() -> None:
    for row in shipped_rows():
        if row.kind == "default":
            continue
        code = f"`{row.region or row.country}`" if row.region or row.country not in ("", "US") else ""
        place = code or ("| everywhere |" if row.country else "| all others |")
        days = [short(row.week[day]) for day in (0, 5, 6)] + ["closed" if row.holidays_off else "open"]
        cells = f"| {' | '.join(days)} |"
        found = [
            line for line in LINES if place in line and cells in line and (not row.since or str(row.since) in line)
        ]
        assert any(row.source.partition(";")[0] in line and row.confidence in line for line in found), row


def test_the_page_counts_the_area_codes() -> None:
    assert f"all {len(area_codes())} codes, overlays included" in PAGE
