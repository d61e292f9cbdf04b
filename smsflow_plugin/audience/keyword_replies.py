"""The answers to STOP, HELP and START: short, without advertising, in the GSM alphabet. Pure: no Django.

Carriers fix what they say: the brand, that nothing more comes, how to get help, what
texts may cost, how to leave. So they are not translated along with the screens.
"""

from __future__ import annotations

from collections.abc import Mapping

_HELP_AT = {
    "en": " HELP: {contact}.",
    "da": " Hjælp: {contact}.",
    "de": " Hilfe: {contact}.",
    "es": " Ayuda: {contact}.",
    "fr": " Aide: {contact}.",
}
_STOPPED = {
    "en": "You are unsubscribed and will get no more messages.",
    "da": "Du er afmeldt og får ikke flere beskeder.",
    "de": "Sie sind abgemeldet und erhalten keine Nachrichten mehr.",
    "es": "Baja confirmada. No te enviaremos nuevos mensajes.",
    "fr": "Désinscription confirmée. Vous ne recevrez plus de messages.",
}
_STARTED = {
    "en": "You are subscribed again to recurring texts.",
    "da": "Du er igen tilmeldt vores sms'er.",
    "de": "Sie sind wieder für unsere SMS angemeldet.",
    "es": "Vuelves a recibir nuestros SMS.",
    "fr": "Vous recevrez de nouveau nos SMS.",
}
_SENDER = {
    "en": "Text messages from our shop.",
    "da": "Sms'er fra vores butik.",
    "de": "SMS von unserem Shop.",
    "es": "SMS de nuestra tienda.",
    "fr": "SMS de notre boutique.",
}
_CONFIRMED = {
    "en": "Thank you, you are signed up for recurring texts.",
    "da": "Tak, du er tilmeldt vores sms'er.",
    "de": "Danke, du bist für unsere SMS angemeldet.",
    "es": "Gracias, recibirás nuestros SMS.",
    "fr": "Merci, vous êtes inscrit à nos SMS.",
}
_TERMS = {
    "en": " Msg frequency varies. Msg & data rates may apply. Reply STOP to opt out.",
    "da": " Antallet varierer. Almindelig takst kan gælde. Svar STOP for at afmelde.",
    "de": " Anzahl variiert. Es können SMS-Gebühren anfallen. Antworte STOP zum Abmelden.",
    "es": " Frecuencia variable. Pueden aplicarse tarifas. Responde STOP para darte de baja.",
    "fr": " Fréquence variable. Des frais peuvent s'appliquer. Répondez STOP pour vous désabonner.",
}


def stop_reply(brand: str, help_contact: str, language: str) -> str:
    """Return the one confirmation of an opt-out."""
    return _text(brand, help_contact, language, _STOPPED, _HELP_AT)


def help_reply(brand: str, help_contact: str, language: str) -> str:
    """Return the answer to HELP, which people who opted out get too."""
    return _text(brand, help_contact, language, _SENDER, _HELP_AT, _TERMS)


def start_reply(brand: str, help_contact: str, language: str) -> str:
    """Return the welcome of somebody who came back."""
    return _text(brand, help_contact, language, _STARTED, _HELP_AT, _TERMS)


def confirmed_reply(brand: str, help_contact: str, language: str) -> str:
    """Return the welcome of somebody who has just confirmed that they want texts."""
    return _text(brand, help_contact, language, _CONFIRMED, _HELP_AT, _TERMS)


def _text(brand: str, help_contact: str, language: str, *sentences: Mapping[str, str]) -> str:
    base = language.casefold().replace("_", "-").partition("-")[0]
    said = [by_language.get(base, by_language["en"]) for by_language in sentences]
    if not help_contact:
        said = [sentence for sentence in said if "{contact}" not in sentence]
    text = "".join(said).replace("{contact}", help_contact)
    return f"{brand}: {text}" if brand else text
