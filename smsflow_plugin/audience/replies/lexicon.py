"""The word lists of all languages, read once. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from smsflow_plugin.audience.replies.folding import spoken
from smsflow_plugin.audience.replies.grammar import Classes, classes
from smsflow_plugin.audience.replies.patterns import BadPattern, compile_pattern
from smsflow_plugin.audience.replies.verdicts import Verdict

_WORDS = "smsflow_plugin.audience.replies"
_LISTS = ("firm", "unclear_first", "harmless", "opt_out", "weak", "unclear", "hedged", "fond")
_MESSAGES = {
    "stop": Verdict.OPT_OUT,
    "help": Verdict.HELP,
    "start": Verdict.OPT_IN,
    "not_wanted": Verdict.OPT_OUT,
    "unclear_messages": Verdict.DOUBTFUL,
}


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What people write, folded.

    ``messages``: whole messages, of all languages. ``local``: the same by language, for words that are
    ordinary ones elsewhere. ``patterns``: by name of the list.
    """

    messages: Mapping[str, Verdict]
    local: Mapping[str, Mapping[str, Verdict]]
    soft: frozenset[str]
    polite: frozenset[str]
    filler: frozenset[str]
    no: frozenset[str]
    articles: frozenset[str]
    joining: frozenset[str]
    nobody_knows: frozenset[str]
    turning: frozenset[str]
    not_before_last: frozenset[str]
    not_mistyped: frozenset[str]
    typos: Mapping[str, str]
    vocabulary: frozenset[str]
    strong: re.Pattern[str]
    contained: re.Pattern[str]
    contained_harmless: re.Pattern[str]
    grammar: tuple[Classes, ...]
    patterns: Mapping[str, re.Pattern[str]] = field(default_factory=dict)


@cache
def lexicon() -> Lexicon:
    """Read the lists: a few tenths of a second, once in a process, and only where a reply is read."""
    books = {
        file.name.removesuffix(".toml"): tomllib.loads(file.read_text("utf-8"))
        for file in sorted(files(_WORDS).joinpath("words").iterdir(), key=lambda file: file.name)
        if file.name.endswith(".toml")
    }
    polite = _words(books, "polite")
    filler = _words(books, "filler") | polite
    typos = {wrong: right for book in books.values() for right, wrongs in book.get("typos", {}).items()
             for wrong in wrongs.split()}  # fmt: skip
    messages = _messages(books.values(), _MESSAGES)
    local = {name: _messages([book], _here()) for name, book in books.items()}
    patterns = {name: _patterns(books, name) for name in _LISTS}
    known = " ".join([*messages, *filler, *(f for book in local.values() for f in book), _plain_words(books)])
    return Lexicon(
        messages=messages,
        local=local,
        soft=_set(word for book in books.values() for name in ("soft", "not_wanted") for word in book.get(name, ())),
        polite=polite,
        filler=filler,
        no=_words(books, "no"),
        articles=_words(books, "articles"),
        joining=_words(books, "joining"),
        nobody_knows=_words(books, "nobody_knows"),
        turning=_words(books, "turning"),
        not_before_last=_words(books, "not_before_last"),
        not_mistyped=_words(books, "not_mistyped"),
        typos=typos,
        vocabulary=frozenset(known.split()),
        strong=_list(books, lambda book: book.get("strong", ())),
        contained=_anywhere(books, "contains"),
        contained_harmless=_anywhere(books, "contains_harmless"),
        grammar=_grammar(books),
        patterns=patterns,
    )


def _here() -> dict[str, Verdict]:
    return {f"{name}_here": verdict for name, verdict in _MESSAGES.items()}


def _grammar(books: Mapping[str, Mapping[str, Any]]) -> tuple[Classes, ...]:
    real = _words(books, "not_mistyped")
    kinds = {name: book["classes"] for name, book in books.items() if "classes" in book}
    both = [kinds[name] for name in ("en", "es")]  # “no quiero your texts”
    mixed = {name: " ".join(book.get(name, "") for book in both) for name in {**both[0], **both[1]}}
    return tuple(classes(entries, real) for entries in (*kinds.values(), mixed))


def _words(books: Mapping[str, Mapping[str, Any]], name: str) -> frozenset[str]:
    return _set(word for book in books.values() for word in book.get(name, "").split())


def _set(words: Iterable[str]) -> frozenset[str]:
    return frozenset(" ".join(spoken(word)) for word in words) - {""}


def _messages(books: Iterable[Mapping[str, Any]], lists: Mapping[str, Verdict]) -> dict[str, Verdict]:
    found: dict[str, Verdict] = {}
    for name, verdict in reversed(list(lists.items())):
        for book in books:
            found.update(dict.fromkeys(_set(book.get(name, ())), verdict))
    return found


def _patterns(books: Mapping[str, Mapping[str, Any]], name: str) -> re.Pattern[str]:
    return _list(books, lambda book: book.get("patterns", {}).get(name, ()))


def _list(books: Mapping[str, Mapping[str, Any]], wanted: Any) -> re.Pattern[str]:
    """Compile one list of all languages to one expression."""
    ways = []
    for language, book in books.items():
        names: dict[str, str] = {}
        for key, words in book.get("names", {}).items():
            names[key] = compile_pattern(" ".join(words.split()), names)
        for pattern in wanted(book):
            try:
                ways.append(compile_pattern(pattern, names))
            except (BadPattern, KeyError, IndexError) as error:
                raise BadPattern(f"{language}: “{pattern}”: {error}") from error
    return re.compile(r"(?<= )(?:" + "|".join(ways) + ")" if ways else r"(?!)")


def _anywhere(books: Mapping[str, Mapping[str, Any]], name: str) -> re.Pattern[str]:
    ways = [
        r"\w{0,8}?".join(re.escape("".join(spoken(part))) for part in entry.split("~"))
        for book in books.values()
        for entry in book.get(name, ())
    ]
    return re.compile("|".join(ways) or r"(?!)")


def _plain_words(books: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the words that patterns are made of, for telling "stooop" from "stoop"."""
    texts = [
        text
        for book in books.values()
        for text in (*book.get("names", {}).values(), *(p for ps in book.get("patterns", {}).values() for p in ps))
    ]
    return " ".join(" ".join(spoken(word)) for text in texts for word in re.findall(r"[^\W\d_]+(?![\w*])", text))
