"""Reads the texts of the templates, and says what is wrong with a file.

One TOML file for each template: a table for each text, with one line for each language, and
``fallback`` for what is said when a value is missing: a table of its own, or the name of another text.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from smsflow_plugin.flows.library.definitions import LANGUAGES, Copy


class BadCopy(ValueError):
    """A file of texts does not have the shape that it must have."""


def read_copy(key: str) -> dict[str, Copy]:
    """Return every text of the template ``key``.

    :raises BadCopy: if a language is missing, or something stands there that has no meaning.
    """
    source = files(__package__).joinpath("copy", f"{key}.toml").read_text(encoding="utf-8")
    return parse_copy(source, key)


def parse_copy(source: str, where: str) -> dict[str, Copy]:
    """Return the texts in ``source``; ``where`` names it in errors."""
    try:
        tables = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise BadCopy(f"{where}: {error}") from error
    return {name: _copy(table, tables, f"{where}.{name}") for name, table in tables.items()}


def _copy(table: Any, tables: Mapping[str, Any], where: str) -> Copy:
    if not isinstance(table, Mapping):
        raise BadCopy(f"{where} is not a table.")
    fallback = table.get("fallback", {})
    if isinstance(fallback, str):
        other = tables.get(fallback)
        if not isinstance(other, Mapping):
            raise BadCopy(f"{where}.fallback names no text: {fallback}.")
        fallback = {name: text for name, text in other.items() if name != "fallback"}
    texts = {name: text for name, text in table.items() if name != "fallback"}
    return Copy(_languages(texts, where), _languages(fallback, f"{where}.fallback") if fallback else {})


def _languages(texts: Any, where: str) -> dict[str, str]:
    if not isinstance(texts, Mapping) or set(texts) != set(LANGUAGES):
        raise BadCopy(f"{where} must have exactly these languages: {', '.join(LANGUAGES)}.")
    for language, text in texts.items():
        if not isinstance(text, str) or not text.strip() or text != text.strip():
            raise BadCopy(f"{where}.{language} must be a text without spaces around it.")
    return {language: texts[language] for language in LANGUAGES}
