"""Words that people text to start a flow or to answer. Pure."""

from __future__ import annotations

from smsflow_plugin.audience.keywords import classify

#: Languages in which ordinary words of others are keywords.
_LANGUAGES = ("", "en", "da", "de", "es", "fi", "fr", "it", "nb", "nl", "pl", "pt", "sv", "tr")


def reserved(word: str) -> bool:
    """Return whether ``word`` opts out or in, or asks for help, in any language: flows never hear of those."""
    return any(classify(word, language) for language in _LANGUAGES)
