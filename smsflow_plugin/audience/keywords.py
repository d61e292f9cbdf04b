"""Recognises STOP, HELP and START in what people write back, in many languages. Pure: no Django.

Only a message that is a keyword as a whole counts, give or take politeness: "when does
the sale end" is no STOP. There is no edit distance: "shop", "step" and "send" are one
letter away from STOP. What people mistype often stands in a table instead.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

from smsflow_plugin.audience.keyword_replies import help_reply, start_reply, stop_reply

__all__ = ["Keyword", "classify", "fold", "help_reply", "start_reply", "stop_reply"]


class Keyword(StrEnum):
    STOP = "stop"
    HELP = "help"
    START = "start"


# Every line holds whole messages, folded: no accents, no punctuation, lower case.
# English words count in every language, and so do all others that mean nothing else elsewhere.
_STOP = """
stop|stopall|stop all|unsubscribe|unsub|unsubscribe me|cancel|end|quit|revoke|optout|opt out|opt me out|remove
remove me|stop texting|stop texting me|stop messaging me|stop sending|stop messages|stop texts
stop sms|stop it|no more texts|no more messages|take me off|take me off this list|take me off your list
do not text me|dont text me|leave me alone|wrong number
arret|arreter|arretez|stopper|desabonner|desabonnement|me desabonner|desinscrire|desinscription
baja|darme de baja|dar de baja|parar|cancelar|no mas|no mas mensajes
stopp|abmelden|abbestellen|austragen|abmeldung|keine sms mehr
afmelden|uitschrijven|stoppen
afmeld|frameld|afmeld mig|frameld mig|stop sms er
avsluta|avregistrera|avmeld|avslutt
lopeta
annulla|disiscrivi|disiscrivimi|sair|remover|cancellami
rezygnuje|wypisz|odhlasit|zrusit|iptal
"""
_HELP = """
help|info|help me|aide|ayuda|hilfe|hjaelp|hjalp|hjelp|apua|aiuto|ajuda|pomoc|yardim
"""
_START = """
start|unstop|subscribe|join|resubscribe|opt in|optin|debut|demarrer|nonarret|inicio|anmelden|aanmelden|tilmeld
starta|aloita|inizia|iniciar
"""
# Mistyped often enough to be told apart from other words by eye, never by distance.
_TYPOS = """
sotp|stpo|tsop|stopo|sttop|stoop it|stopp it|stip texting|unsuscribe|unsubcribe|unsubscibe|unsubsribe|unsubscrbe
unscribe|unsubscribed|unsuscribed|cancle|canel|opt ot|otp out|arrett|arrete|abmeldn|afmled|desabone
"""
# Ordinary words elsewhere (a country, "enough", "high"): only for people who use the language.
_LOCAL = {
    "fi": {"peru": Keyword.STOP},
    "it": {"basta": Keyword.STOP},
    "pt": {"basta": Keyword.STOP},
    "tr": {"ret": Keyword.STOP},
    "fr": {"td": Keyword.STOP},
    "es": {"alto": Keyword.STOP, "alta": Keyword.START},
}
# May stand around a keyword without changing what it means.
_POLITE = """
please pls plz thanks thank you thx ty now sorry hi hello hey ok okay sir madam team immediately already asap
merci svp stp sil vous te plait bonjour gracias por favor hola bitte danke hallo graag dank je wel bedankt
tak venligst hej snalla tack takk vennligst kiitos grazie obrigado obrigada dziekuje prosim dekuji lutfen
"""
_STOP_SIGNS = frozenset("🛑⛔🚫")
#: Longer than any keyword with its politeness, and than STOP said thirty times.
MAX_LENGTH = 200

_LETTERS = str.maketrans({"æ": "ae", "ø": "o", "œ": "oe", "ł": "l", "đ": "d", "ı": "i", "ß": "ss"})
_APOSTROPHE = re.compile("['’‘`´]")
_NO_WORD = re.compile(r"[\W_]+")


def _messages(lines: str) -> list[str]:
    return [message.strip() for message in lines.replace("\n", "|").split("|") if message.strip()]


_KEYWORDS: dict[str, Keyword] = {
    **dict.fromkeys(_messages(_START), Keyword.START),
    **dict.fromkeys(_messages(_HELP), Keyword.HELP),
    **dict.fromkeys(_messages(_TYPOS), Keyword.STOP),
    **dict.fromkeys(_messages(_STOP), Keyword.STOP),
}
_POLITE_WORDS = frozenset(_POLITE.split())


def classify(body: str, language: str = "") -> Keyword | None:
    """Return the keyword that ``body`` as a whole is, or None.

    ``language`` is the contact's, for words that are keywords in one language only.
    """
    text = body.strip()
    if not text or len(text) > MAX_LENGTH:
        return None
    if _STOP_SIGNS & set(text) and not fold(text):
        return Keyword.STOP
    words = fold(text).split()
    return _lookup(words, language) or _lookup(_without_politeness(words), language)


def fold(text: str) -> str:
    """Return ``text`` as plain lower-case words: no accents, punctuation or emoji."""
    lower = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
    bare = "".join(c for c in unicodedata.normalize("NFD", lower) if unicodedata.category(c) not in ("Mn", "Cf"))
    return _NO_WORD.sub(" ", _APOSTROPHE.sub("", bare)).strip()


def _lookup(words: list[str], language: str) -> Keyword | None:
    message = " ".join(words)
    local = _LOCAL.get(re.split("[-_]", language.casefold())[0], {})
    spelt = "".join(words) if all(len(word) == 1 for word in words) else message
    return local.get(message) or _KEYWORDS.get(message) or _KEYWORDS.get(spelt) or _repeated(words)


def _repeated(words: list[str]) -> Keyword | None:
    """STOP STOP STOP."""
    return _KEYWORDS.get(words[0]) if len(words) > 1 and len(set(words)) == 1 else None


def _without_politeness(words: list[str]) -> list[str]:
    return [word for word in words if word not in _POLITE_WORDS]
