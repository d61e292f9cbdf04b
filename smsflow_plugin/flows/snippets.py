"""Takes shared snippets into copy: ``{% render 'name' %}`` becomes the snippet's text. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

#: A call for a snippet; the group ``name`` is its name.
RENDER = re.compile(r"""\{%-?\s*render\s+(['"])(?P<name>[^'"]{1,60})\1\s*-?%\}""")

#: Returns a snippet's texts by language ("" is its main text), None if there is no such snippet.
Find = Callable[[str], Mapping[str, str] | None]


class UnknownSnippet(Exception):
    """Copy calls for a snippet that the store does not have. ``name`` is its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)


def expand(text: str, language: str, find: Find) -> str:
    """Return ``text`` with its snippets in ``language``, or else in their main language.

    One level only: what a snippet's own text calls for stays, and is refused by the check of copy.

    :raises UnknownSnippet: for the first that ``find`` does not know.
    """

    def replace(match: re.Match[str]) -> str:
        texts = find(match["name"])
        if texts is None:
            raise UnknownSnippet(match["name"])
        return texts.get(language) or texts.get("", "")

    return RENDER.sub(replace, text) if "render" in text else text


def names_in(text: str) -> list[str]:
    """Return the names of the snippets that ``text`` calls for."""
    return [match["name"] for match in RENDER.finditer(text)]
