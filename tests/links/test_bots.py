"""Programs that open links are told from people by what they call themselves."""

from __future__ import annotations

import pytest

from smsflow_plugin.links.bots import who
from smsflow_plugin.links.models import Click
from tests.links.people import ANDROID, IPHONE, PEOPLE, PREVIEWS, ROBOTS


@pytest.mark.parametrize("agent", PEOPLE)
def test_people_are_people(agent: str) -> None:
    assert who("GET", {"User-Agent": agent}) == ("human", "")


@pytest.mark.parametrize("agent", PREVIEWS)
def test_previews_are_no_clicks(agent: str) -> None:
    kind, because = who("GET", {"user-agent": agent})
    assert kind == "preview"
    assert because


@pytest.mark.parametrize("agent", ROBOTS)
def test_robots_and_scanners_are_no_clicks(agent: str) -> None:
    kind, because = who("GET", {"User-Agent": agent})
    assert kind == "bot"
    assert because


def test_the_table_is_long_enough() -> None:
    assert len({*PEOPLE, *PREVIEWS, *ROBOTS}) >= 25


def test_a_client_without_a_name_is_a_robot() -> None:
    assert who("GET", {}) == ("bot", "no user agent")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("sec-purpose", "prefetch;anonymous-client-ip"),
        ("X-Purpose", "preview"),
        ("X-moz", "prefetch"),
    ],
)
def test_what_a_browser_fetches_ahead_is_no_click(header: str, value: str) -> None:
    assert who("GET", {"User-Agent": ANDROID, header: value})[0] == "prefetch"


def test_looking_without_opening_is_no_click() -> None:
    assert who("HEAD", {"User-Agent": IPHONE}) == ("head", "HEAD")


def test_the_kinds_are_those_of_clicks_and_the_words_fit() -> None:
    length = Click._meta.get_field("because").max_length
    for agent in (*PEOPLE, *PREVIEWS, *ROBOTS):
        kind, because = who("GET", {"User-Agent": agent})
        assert kind in Click.Kind.values
        assert len(because) <= (length or 0)
    assert {"prefetch", "head"} <= set(Click.Kind.values)
