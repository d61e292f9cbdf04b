"""The catalogues of the admin's words are complete, and reach the screens."""

from __future__ import annotations

import ast
import gettext
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from wagtail.users.models import UserProfile

from tests.flows.people import STORE_ADMIN, person, saved_flow
from tests.flows.test_editor import signed_in, url

LOCALE = Path(__file__).resolve().parent.parent.parent / "locale"
LANGUAGES = sorted(path.parent.parent.name for path in LOCALE.glob("*/LC_MESSAGES/django.po"))
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%")


@dataclass
class Entry:
    """One message of a .po file: its keywords (``msgid``, ``msgstr[1]``…) with their texts, and its flags."""

    texts: dict[str, str] = field(default_factory=dict)
    fuzzy: bool = False

    @property
    def originals(self) -> list[str]:
        return [self.texts[name] for name in ("msgid", "msgid_plural") if name in self.texts]

    @property
    def translations(self) -> list[str]:
        return [text for name, text in self.texts.items() if name.startswith("msgstr")]


def catalogue(language: str) -> list[Entry]:
    """Return the messages of a language, without the header and what is no longer used."""
    source = (LOCALE / language / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8")
    entries = [_entry(block) for block in source.split("\n\n")]
    return [entry for entry in entries if entry.texts.get("msgid")]


def _entry(block: str) -> Entry:
    entry, name = Entry(), ""
    for line in block.splitlines():
        if line.startswith("#"):
            entry.fuzzy |= line.startswith("#,") and "fuzzy" in line
            continue
        keyword, quote, rest = line.partition('"')
        name = keyword.strip() or name
        entry.texts[name] = entry.texts.get(name, "") + ast.literal_eval(quote + rest)
    return entry


def test_danish_is_there_and_english_stands_in_the_code() -> None:
    assert "da" in LANGUAGES
    assert "en" not in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated_and_none_is_a_guess(language: str) -> None:
    entries = catalogue(language)
    assert len(entries) > 700
    assert [entry.originals for entry in entries if entry.fuzzy] == []
    assert [entry.originals for entry in entries if not all(text.strip() for text in entry.translations)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_placeholder_stands_in_the_translation_and_no_other(language: str) -> None:
    for entry in catalogue(language):
        # the singular may spell its number out: "one text", "up to %(number)s texts"
        known = [set(PLACEHOLDER.findall(text)) for text in entry.originals]
        assert set(PLACEHOLDER.findall(entry.translations[0])) in known, entry.texts
        for text in entry.translations[1:]:
            assert set(PLACEHOLDER.findall(text)) == known[-1], entry.texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_spaces_at_the_ends_stay_because_words_are_joined_with_them(language: str) -> None:
    for entry in catalogue(language):
        first = entry.originals[0]
        for text in entry.translations:
            assert (text[0].isspace(), text[-1].isspace()) == (first[0].isspace(), first[-1].isspace()), entry.texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_says_what_its_source_says(language: str) -> None:
    with (LOCALE / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for entry in catalogue(language):
        context, words = entry.texts.get("msgctxt"), entry.originals
        if len(words) == 2:
            said = [compiled.ngettext(*words, 1), compiled.ngettext(*words, 2)]
        else:
            said = [compiled.pgettext(context, words[0]) if context else compiled.gettext(words[0])]
        assert said == entry.translations, "run compilemessages"


def speaking(language: str, user: Any) -> Client:
    UserProfile.objects.create(user=user, preferred_language=language)
    return signed_in(user)


@pytest.mark.django_db
def test_the_list_of_flows_speaks_the_language_of_its_reader(store: Any) -> None:
    saved_flow(store)
    danish = speaking("da", person("Mette", (store, STORE_ADMIN)))
    english = speaking("en", person("Ines", (store, STORE_ADMIN)))
    words = {"Starts when": "Starter ved", "In the flow now": "I flowet nu", "Sent in 30 days": "Sendt på 30 dage"}

    read_in_danish = danish.get(url("list")).content.decode()
    read_in_english = english.get(url("list")).content.decode()

    for original, translation in words.items():
        assert translation in read_in_danish and original not in read_in_danish
        assert original in read_in_english and translation not in read_in_english
