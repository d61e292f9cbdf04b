"""What people agree to, word for word: the standard texts by country and language. Pure.

A store may write its own; these hold what the law and the carriers ask for (November 2026): who texts,
that texts are recurring, automated and marketing, cart reminders, that consent is no condition of
purchase, how often, what it may cost, HELP and STOP. Links to terms and privacy follow on the page.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from json import dumps

from smsflow_plugin.signup.page_words import base

#: Where carriers ask for rates and frequency to be spoken of.
NORTH_AMERICA = frozenset({"US", "PR", "CA"})


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Mapping[str, str]]:
    source = files(__package__).joinpath("disclosures.toml").read_text(encoding="utf-8")
    table: dict[str, dict[str, str]] = tomllib.loads(source)
    return table


def standard_disclosure(country: str, language: str, brand: str, programme: str = "") -> str:
    """Return the text of a store in ``country`` for people who read ``language``."""
    kind = "north_america" if country.upper() in NORTH_AMERICA else "elsewhere"
    text = _table()[kind][base(language)]
    return text.replace("{brand}", f"{brand} ({programme})" if programme else brand)


def version_hash(text: str, language: str, html: str) -> str:
    """Return the name of a version: one sign more or less is another version."""
    return sha256(dumps([text, language, html], ensure_ascii=False).encode()).hexdigest()
