"""Every template, run to its end by the real interpreter, on many paths. The table is ``paths.txt``."""

from __future__ import annotations

from pathlib import Path

import pytest

from smsflow_plugin.flows.library import TEMPLATES
from tests.library.driver import PLACES, Scene, outcome

NEEDED = {"happy path", "no reply", "opt-out midway", "purchase midway", "missing data"}


def rows() -> list[tuple[str, str, str, str]]:
    """Return (template, path, script, outcome)."""
    found = []
    key = ""
    for line in (Path(__file__).parent / "paths.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            key = line.split()[2]
        elif key and line.strip():
            name, script, expected = line.split(" | ")
            found.append((key, name, script, expected))
    return found


ROWS = rows()


@pytest.mark.parametrize(("key", "script", "expected"), [pytest.param(k, s, e, id=f"{k}: {n}") for k, n, s, e in ROWS])
def test_a_template_does_on_this_path_what_the_table_says(key: str, script: str, expected: str) -> None:
    assert outcome(TEMPLATES[key], script) == expected


@pytest.mark.parametrize("key", TEMPLATES)
def test_the_table_has_the_five_paths_of_each_template(key: str) -> None:
    assert {name for template, name, _script, _outcome in ROWS if template == key} >= NEEDED


@pytest.mark.parametrize("country", PLACES)
@pytest.mark.parametrize("key", TEMPLATES)
def test_left_alone_every_template_ends_in_every_country(key: str, country: str) -> None:
    walked = Scene.read(f"in:{country} orders:9 end").play(TEMPLATES[key])
    assert walked.over
    for moment in walked.texts:
        assert (moment.encoding, moment.parts <= 2) == ("GSM-7", True), moment.text
        assert moment.text.startswith("Sierra Gear"), moment.text
        assert not set("{}[]") & set(moment.text), moment.text


@pytest.mark.parametrize("key", TEMPLATES)
def test_who_has_opted_out_gets_nothing(key: str) -> None:
    assert Scene.read("as:opted_out orders:9 end").play(TEMPLATES[key]).texts == []


@pytest.mark.parametrize("key", [key for key, template in TEMPLATES.items() if template.message_class == "marketing"])
def test_who_never_agreed_gets_no_marketing(key: str) -> None:
    assert Scene.read("as:no_consent orders:9 end").play(TEMPLATES[key]).texts == []


@pytest.mark.parametrize("key", TEMPLATES)
def test_after_stop_nothing_more_is_sent(key: str) -> None:
    walked = Scene.read("orders:9 next stop").play(TEMPLATES[key]) if _waits_twice(key) else None
    if walked is not None:
        stop = next(place for place, moment in enumerate(walked.moments) if moment.kind == "reply")
        assert walked.over
        assert [moment for moment in walked.moments[stop:] if moment.kind == "text"] == []


def _waits_twice(key: str) -> bool:
    """Return whether the run is still going on after the first thing that it waited for."""
    first = Scene.read("orders:9").play(TEMPLATES[key])
    return not first.over and not Scene.read("orders:9 next").play(TEMPLATES[key]).over
