"""The question whether somebody really wants texts, and which answers are a yes. Pure: no Django.

Carriers fix what the question says, as with the answers to STOP and HELP: so it is not
translated along with the screens. A yes counts only while such a question waits for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from smsflow_plugin.audience.replies import fold

#: For how long a question waits for its answer. Afterwards the number is as if nobody had left it.
OPEN_FOR = timedelta(hours=48)

# Whole messages, folded: no accents, no punctuation, lower case. "Tak" is a Dane's thanks, and so no yes.
_YES_WORDS = """
y yes yess yep yeah yup yea ye ok okay sure confirm confirmed agree start unstop join subscribe
ja jo jep jepp jawohl bestatige jatak bekraeft bekreft oui ouais daccord si sim kylla joo evet ano
"""
_YES_PHRASES = "i agree|yes i do|yes i agree|si acepto|sign me up|count me in|va bene|d accord"
# May stand around a yes without changing what it means.
_POLITE_WORDS = """
please pls plz thanks thank you thx ty hi hello hey sir madam merci svp stp sil vous te plait bonjour
gracias por favor hola bitte danke hallo gerne graag tak venligst hej tack takk grazie obrigado
"""
_YES = frozenset(_YES_WORDS.split()) | frozenset(_YES_PHRASES.split("|"))
_POLITE = frozenset(_POLITE_WORDS.split())
_THUMBS = frozenset("👍✅")

_ASK: Mapping[str, str] = {
    "en": "Reply Y to get recurring promo texts & cart reminders. Msg freq varies. Msg&data rates may apply.{terms} "
    "STOP to quit, HELP for help",
    "da": "Svar JA for at få tilbud og påmindelser om din kurv på sms. Antallet varierer.{terms} "
    "STOP for at afmelde, HJÆLP for hjælp",
    "de": "Antworte JA für Angebote und Warenkorb-Erinnerungen per SMS. Anzahl variiert.{terms} "
    "STOP zum Abmelden, HILFE für Hilfe",
    "es": "Responde SI para recibir ofertas y avisos de tu carrito por SMS. Frecuencia variable, pueden aplicarse "
    "tarifas.{terms} STOP para darte de baja, AYUDA para ayuda",
    "fr": "Répondez OUI pour recevoir offres et rappels de panier par SMS. Fréquence variable.{terms} "
    "STOP pour vous désabonner, AIDE pour de l'aide",
}


def ask_text(brand: str, language: str, terms_url: str = "") -> str:
    """Return the question of a double opt-in, with the link to the terms where there is one."""
    base = language.casefold().replace("_", "-").partition("-")[0]
    text = _ASK.get(base, _ASK["en"]).replace("{terms}", f" {terms_url}" if terms_url else "")
    return f"{brand}: {text}" if brand else text


def says_yes(body: str) -> bool:
    """Return whether ``body`` as a whole is a yes, give or take politeness.

    "Yes but not daily" is none: whoever sets conditions has not agreed to ours.
    """
    text = body.strip()
    words = fold(text).split()
    if not words:
        return bool(text) and set(text.replace("\ufe0f", "")) <= _THUMBS
    if " ".join(words) in _YES or set(words) <= _YES:
        return True
    rest = [word for word in words if word not in _POLITE]
    return bool(rest) and (" ".join(rest) in _YES or set(rest) <= _YES)
