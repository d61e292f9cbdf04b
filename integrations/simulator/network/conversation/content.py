"""What a message of the Conversation API looks like on a phone, whatever its kind. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Content = Mapping[str, Any]

#: The kinds of message that an app may send. One message is of one kind.
KINDS = (
    "text_message",
    "media_message",
    "card_message",
    "carousel_message",
    "choice_message",
    "list_message",
    "location_message",
    "contact_info_message",
    "template_message",
)
#: What may stand beside, or instead of, the kind.
OVERRIDES = ("explicit_channel_message", "explicit_channel_omni_message", "channel_specific_message")


class OnPhone(NamedTuple):
    """The words, and the address of a picture or film; either may be empty."""

    body: str
    media: str = ""


def on_phone(message: Content, channel: str) -> OnPhone:
    """Return what a reader on ``channel`` sees. A plain text shows a picture as its address."""
    explicit = _object(message.get("explicit_channel_message")).get(channel)
    if explicit:
        return OnPhone(str(explicit))
    special = _object(_object(message.get("explicit_channel_omni_message")).get(channel))
    source = special or message
    kind = next((kind for kind in KINDS if isinstance(source.get(kind), Mapping)), "")
    shown = _SHOW[kind](source[kind]) if kind else OnPhone("")
    if channel == "SMS" and shown.media:
        return OnPhone("\n".join(filter(None, (shown.body, shown.media))), shown.media)
    return shown


def _object(value: Any) -> Content:
    return value if isinstance(value, Mapping) else {}


def _lines(*pieces: Any) -> str:
    return "\n".join(str(piece) for piece in pieces if piece)


def _text(message: Content) -> OnPhone:
    return OnPhone(str(message.get("text", "")))


def _media(message: Content) -> OnPhone:
    return OnPhone("", str(message.get("url", "")))


def _choices(choices: Any) -> str:
    """The answers to choose from, numbered from 1."""
    listed = choices if isinstance(choices, list) else []
    return _lines(*(f"{number}. {_choice(_object(one))}" for number, one in enumerate(listed, 1)))


def _choice(choice: Content) -> str:
    for kind in ("text_message", "url_message", "call_message", "location_message", "calendar_message"):
        inner = _object(choice.get(kind))
        if inner:
            extra = inner.get("url") or inner.get("phone_number")
            words = str(inner.get("title") or inner.get("text") or "")
            return f"{words} {extra}" if extra else words
    return str(choice.get("title") or choice.get("text") or "")


def _card(message: Content) -> OnPhone:
    picture = str(_object(message.get("media_message")).get("url", ""))
    words = _lines(message.get("title"), message.get("description"), _choices(message.get("choices")))
    return OnPhone(words, picture)


def _carousel(message: Content) -> OnPhone:
    cards = [_card(_object(card)) for card in message.get("cards") or []]
    words = "\n\n".join(card.body for card in cards)
    return OnPhone(_lines(words, _choices(message.get("choices"))), next((c.media for c in cards if c.media), ""))


def _question(message: Content) -> OnPhone:
    return OnPhone(_lines(_object(message.get("text_message")).get("text"), _choices(message.get("choices"))))


def _list(message: Content) -> OnPhone:
    items = [_object(item) for section in message.get("sections") or [] for item in _object(section).get("items") or []]
    choices = [item.get("choice") or item.get("product") or item for item in items]
    picture = str(_object(message.get("media")).get("url", ""))
    return OnPhone(_lines(message.get("title"), message.get("description"), _choices(choices)), picture)


def _location(message: Content) -> OnPhone:
    where = _object(message.get("coordinates"))
    place = f"{where.get('latitude')}, {where.get('longitude')}" if where else ""
    return OnPhone(_lines(message.get("title"), message.get("label"), place))


def _contact(message: Content) -> OnPhone:
    numbers = [_object(one).get("phone_number") for one in message.get("phone_numbers") or []]
    return OnPhone(_lines(_object(message.get("name")).get("full_name"), *numbers))


def _template(message: Content) -> OnPhone:
    reference = _object(message.get("omni_template"))
    by_channel = _object(message.get("channel_template"))
    reference = reference or _object(next(iter(by_channel.values()), {}))
    values = _object(reference.get("parameters")).values()
    return OnPhone(_lines(f"[{reference.get('template_id', '')}]", *values))


_SHOW: dict[str, Callable[[Content], OnPhone]] = {
    "text_message": _text,
    "media_message": _media,
    "card_message": _card,
    "carousel_message": _carousel,
    "choice_message": _question,
    "list_message": _list,
    "location_message": _location,
    "contact_info_message": _contact,
    "template_message": _template,
}
