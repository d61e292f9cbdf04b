"""The values with which the editor counts a text: those of a typical person, and the longest that really occur.

The longest are not the very longest, which are often nonsense, but those that 95 of 100
people stay below. They are read from a bounded part of the store's data and kept for a
while. A new store has the documented ones in ``LONG_VALUES``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.core.cache import cache

from smsflow_plugin.flows.context import CONTACT_FIELDS, AnyName, copy_context, example_context
from smsflow_plugin.models import Contact, Event, Store

#: Long values by the last word of a name; anything else becomes ``LONG_TEXT``. They stay in the GSM alphabet.
LONG_VALUES: Mapping[str, str] = {
    "first_name": "Maximiliane-Charlotte",
    "last_name": "Schleswig-Andersen-Lindqvist",
    "email": "maximiliane-charlotte.lindqvist@example-company.com",
    "language": "en",
    "title": "Men's Waterproof Insulated Winter Hiking Jacket",
    "first_item": "Men's Waterproof Insulated Winter Hiking Jacket",
    "name": "Sierra Gear Outdoor & Climbing",
    "total": "12999.00",
    "price": "12999.00",
    "currency": "USD",
    "body": "Can you tell me when my order will arrive, please?",
}
LONG_TEXT = "A rather long value of thirty-five!"
#: A link with its tokens.
LONG_LINK = "https://shop.example/checkouts/cn/0a1b2c3d4e5f60718293a4b5c6d7e8f9/recover?key=fedcba98"
LONG_CODE = "WELCOME-7XK2QD9F"
EXAMPLE_CODE = "WELCOME-7XK2"
EXAMPLE_ANSWER = "medium"
#: What a discount takes off, in percent or money: hardly ever longer.
EXAMPLE_OFFER = "15"
EXAMPLE_KIND = "percent"

#: Values that a percentile needs to mean anything.
ENOUGH = 20
PERCENTILE = 0.95
#: Rows that are looked at, and seconds for which the result serves.
CONTACTS, EVENTS, KEPT_FOR = 500, 200, 600

Gathered = Mapping[str, Sequence[str]]


def typical_context(store: Store | None, kinds: Sequence[str], gathered: Gathered) -> dict[str, Any]:
    """Return the example of the triggers, and something for everything that steps gather."""
    context = example_context(kinds, store_facts(store))
    return {**context, **_gathered(gathered, EXAMPLE_ANSWER, EXAMPLE_CODE), **_open(context)}


def longest_context(store: Store | None, kinds: Sequence[str], gathered: Gathered) -> dict[str, Any]:
    """Return the same names with the longest values that occur in ``store``.

    The values are those of real people: never show them, only what they count to.
    """
    known = _known_values(store, kinds) if store else {}

    def longest(path: str, value: Any) -> Any:
        if isinstance(value, str) or value is None:
            return known.get(path) or _long(path, value)
        return value

    context = example_context(kinds, store_facts(store))
    long = {name: _mapped(name, value, longest) for name, value in context.items() if name != "store"}
    return {**context, **long, **_gathered(gathered, LONG_TEXT, LONG_CODE), **_open(long)}


def store_facts(store: Store | None) -> dict[str, str]:
    return {"name": store.name, "brand": store.brand, "url": store.website} if store else {}


def _open(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the contact with something under every name of its own fields."""
    return {"contact": {**context["contact"], "fields": _Says(EXAMPLE_ANSWER)}}


class _Says(AnyName):
    """Has the same words under every name."""

    def __init__(self, words: str) -> None:
        super().__init__(missing=False)
        self.words = words

    def __getitem__(self, key: str) -> str:
        return self.words


def _gathered(gathered: Gathered, answer: str, code: str) -> dict[str, Any]:
    return {
        "answers": dict.fromkeys(gathered.get("answers", ()), answer),
        "codes": dict.fromkeys(gathered.get("codes", ()), code),
        "offers": dict.fromkeys(gathered.get("offers", ()), EXAMPLE_OFFER),
        "offer_kinds": dict.fromkeys(gathered.get("offer_kinds", ()), EXAMPLE_KIND),
        "webhooks": {name: _Says(answer) for name in gathered.get("webhooks", ())},
    }


def _mapped(path: str, value: Any, change: Callable[[str, Any], Any]) -> Any:
    if isinstance(value, AnyName):
        return value
    if isinstance(value, Mapping):
        return {key: _mapped(f"{path}.{key}", inner, change) for key, inner in value.items()}
    if isinstance(value, list):
        return [_mapped(f"{path}[0]", inner, change) for inner in value]
    return change(path, value)


def _long(path: str, value: Any) -> str:
    name = path.rpartition(".")[2]
    if name in LONG_VALUES:
        return LONG_VALUES[name]
    if name.endswith("url") or str(value).startswith("http"):
        return LONG_LINK
    # what has a form of its own (numbers, dates, ids) keeps it
    return LONG_TEXT if value is None or not any(character.isdigit() for character in value) else value


def _known_values(store: Store, kinds: Sequence[str]) -> dict[str, str]:
    key = f"smsflow:longest:{store.pk}:{','.join(kinds)}"
    found: dict[str, str] | None = cache.get(key)
    if found is None:
        found = _longest_values(store, kinds)
        cache.set(key, found, KEPT_FOR)
    return found


def _longest_values(store: Store, kinds: Sequence[str]) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    # in the order of an index, so that nothing is sorted, however large the store is
    people = Contact.objects.filter(store=store, phone__gt="").order_by("phone").values(*CONTACT_FIELDS)
    events = (
        Event.objects.filter(store=store, kind=kind).order_by("key").values_list("data", flat=True) for kind in kinds
    )
    contexts = [copy_context(person, {}, {}) for person in people[:CONTACTS]]
    for rows in events:
        contexts += [dict(data) for data in rows[:EVENTS]]
    for context in contexts:
        for path, text in _texts(context):
            values.setdefault(path, []).append(text)
    return {path: _percentile(texts) for path, texts in values.items() if len(texts) >= ENOUGH}


def _texts(context: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    found: list[tuple[str, str]] = []

    def note(path: str, value: Any) -> Any:
        if isinstance(value, str) and value:
            found.append((path, value))
        return value

    for name, value in context.items():
        if name != "store":
            _mapped(name, value, note)
    return iter(found)


def _percentile(texts: list[str]) -> str:
    ordered = sorted(texts, key=lambda text: (len(text), text))
    return ordered[min(int(len(ordered) * PERCENTILE), len(ordered) - 1)]
