"""The words of the public pages, in the languages of the templates. Pure.

They stand in ``page_words.toml`` and not in the site's catalogues: a shop writes to its customers in
languages in which nobody works in the admin.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files

LANGUAGES = ("en", "da", "de", "es", "fr")
#: What each language calls itself.
NAMES: Mapping[str, str] = {"en": "English", "da": "Dansk", "de": "Deutsch", "es": "Español", "fr": "Français"}


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Mapping[str, str]]:
    source = files(__package__).joinpath("page_words.toml").read_text(encoding="utf-8")
    table: dict[str, dict[str, str]] = tomllib.loads(source)
    return table


@lru_cache(maxsize=16)
def words(language: str) -> Mapping[str, str]:
    """Return all words by key; a language that is not there is English."""
    language = base(language)
    return {key: by_language[language] for key, by_language in _table().items()}


def base(language: str) -> str:
    """Return the language of the pages that ``language`` ("de-AT") means."""
    found = language.casefold().replace("_", "-").partition("-")[0]
    return found if found in LANGUAGES else "en"


def choose(offered: Sequence[str], *, asked: str, accepted: str) -> str:
    """Return the language of a page: the one asked for, else the first that the browser takes, else the first.

    ``accepted`` is the header Accept-Language.
    """
    if asked in offered:
        return asked
    weighted = []
    for place, part in enumerate(accepted.split(",")):
        tag, _semicolon, weight = part.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        weighted.append((-quality, place, tag.casefold().partition("-")[0]))
    for _quality, _place, language in sorted(weighted):
        if language in offered:
            return language
    return offered[0]
