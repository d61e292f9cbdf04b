"""What copy can speak of: ``contact``, ``store``, what started the flow and what the run has gathered. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from smsflow_plugin.events.kinds import KINDS

CONTACT_FIELDS = ("first_name", "last_name", "email", "language")
#: The address of the person's own page; made only for copy that prints it.
PREFERENCES = "preferences_link"
STORE_FIELDS = ("name", "brand", "url")
#: What a run gathers on its way, and copy may print.
GATHERED = ("answers", "codes", "offers", "offer_kinds", "webhooks")

#: Values for previews. In ``sample_context`` those that may be missing are None instead.
_EXAMPLE_LINK = {PREFERENCES: "https://texts.example/smsflow/preferences/1.Ykq8vXo3TzSkZ0f1p2rB5w~hO3s"}
_EXAMPLE_CONTACT = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.com",
    "language": "en",
    **_EXAMPLE_LINK,
}
_EXAMPLE_STORE = {"name": "Sierra Gear", "brand": "Sierra Gear", "url": "https://sierra-gear.example"}
_EXAMPLE_PARCEL = {
    "tracking_company": "UPS",
    "tracking_number": "1Z999AA10123456784",
    "tracking_url": "https://www.ups.com/track?tracknum=1Z999AA10123456784",
}

#: Names gathered by then, by kind: {"answers": {"size"}, "codes": {"welcome"}}.
Names = Mapping[str, Iterable[str]]


class OwnNames(dict[str, Any]):
    """Values under names that people chose. What is not there is None: Liquid would take ``size`` for a count."""

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: str) -> Any:
        return self.get(key)


class FixedNames(OwnNames):
    """The same where all names are known: any other is a mistake.

    :raises KeyError: for those.
    """

    def __getitem__(self, key: str) -> Any:
        return dict.__getitem__(self, key)


class AnyName(OwnNames):
    """Knows every name, to any depth."""

    def __getitem__(self, key: str) -> Any:
        return self

    def __bool__(self) -> bool:
        return True


def copy_context(
    contact: Mapping[str, Any],
    store: Mapping[str, Any],
    trigger: Mapping[str, Any],
    run: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what a text of this run may use.

    ``trigger`` is the data of the event that started the run, with its own top-level
    names ("cart", "order", "parcel"); ``run`` is what the run has gathered. Empty values
    become None, so that "missing" is one thing for copy, whatever left it out. The
    trigger can never hide what is ours.
    """
    return {
        **trigger,
        **{name: _own((run or {}).get(name)) for name in GATHERED},
        "contact": {
            **{name: contact.get(name) or None for name in (*CONTACT_FIELDS, PREFERENCES)},
            "fields": _own(contact.get("fields")),
        },
        "store": {name: store.get(name) or None for name in STORE_FIELDS},
    }


def _own(values: Mapping[str, Any] | None) -> OwnNames:
    return values if isinstance(values, OwnNames) else OwnNames(values or {})


def sample_context(triggers: str | Sequence[str], names: Names | None = None) -> dict[str, Any]:
    """Return a context for checking copy: what is None in it may be missing for some people.

    ``triggers`` are the kinds of event that start the flow: what only some of them bring may
    be missing. ``names`` is what the run may have gathered by then.
    """
    contact = {"language": _EXAMPLE_CONTACT["language"], **_EXAMPLE_LINK, "fields": OwnNames()}
    gathered = {kind: FixedNames.fromkeys((names or {}).get(kind, ())) for kind in GATHERED}
    return copy_context(contact, {**_EXAMPLE_STORE, "url": None}, _brought(triggers, missing=True), gathered)


def known_context(triggers: str | Sequence[str], names: Names | None = None) -> dict[str, Any]:
    """Return the same with nothing missing: for checking copy that has a fallback."""
    contact = {**_EXAMPLE_CONTACT, "fields": AnyName()}
    gathered = {kind: FixedNames.fromkeys((names or {}).get(kind, ()), AnyName()) for kind in GATHERED}
    return copy_context(contact, _EXAMPLE_STORE, _filled(_brought(triggers, missing=False)), gathered)


def example_context(triggers: str | Sequence[str], store: Mapping[str, Any], *, filled: bool = True) -> dict[str, Any]:
    """Return a context for a preview: everything known, or else (``filled`` False) all that may be missing is."""
    data: dict[str, Any] = {}
    for kind in reversed(_several(triggers)):
        data.update(KINDS[kind].sample if kind in KINDS else {})
    if filled and "parcel" in data:
        data["parcel"] = {**data["parcel"], **_EXAMPLE_PARCEL}
    known_store = {**store, "url": store.get("url") or (_EXAMPLE_STORE["url"] if filled else None)}
    contact = _EXAMPLE_CONTACT if filled else {"language": _EXAMPLE_CONTACT["language"], **_EXAMPLE_LINK}
    return copy_context(contact, known_store, data)


def _several(triggers: str | Sequence[str]) -> tuple[str, ...]:
    return (triggers,) if isinstance(triggers, str) else tuple(dict.fromkeys(triggers))


def _brought(triggers: str | Sequence[str], *, missing: bool) -> dict[str, Any]:
    """Return what the triggers bring, all of it: None where not every one of them does."""
    samples = [_sample(kind, missing=missing) for kind in _several(triggers)]
    merged: dict[str, Any] = samples[0] if samples else {}
    for sample in samples[1:]:
        merged = _both(merged, sample)
    return merged


def _sample(kind: str, *, missing: bool) -> dict[str, Any]:
    sample = dict(KINDS[kind].sample) if kind in KINDS else {}
    if kind == "custom":  # its data is another system's affair
        sample["data"] = OwnNames() if missing else AnyName()
    return sample


def _both(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for key in dict.fromkeys((*one, *other)):
        if key not in one or key not in other:
            merged[key] = _missing(one[key] if key in one else other[key])
        elif isinstance(one[key], OwnNames) or isinstance(other[key], OwnNames):
            merged[key] = one[key] if isinstance(one[key], OwnNames) else other[key]
        elif isinstance(one[key], Mapping) and isinstance(other[key], Mapping):
            merged[key] = _both(one[key], other[key])
        else:
            merged[key] = None if one[key] is None or other[key] is None else one[key]
    return merged


def _missing(value: Any) -> Any:
    if isinstance(value, OwnNames):
        return value
    if not isinstance(value, Mapping):
        return None
    return {key: _missing(inner) for key, inner in value.items()}


def _filled(value: Any) -> Any:
    """Return ``value`` with something in every place."""
    if isinstance(value, OwnNames):
        return value
    if isinstance(value, Mapping):
        return {key: _filled(inner) for key, inner in value.items()}
    return AnyName() if value is None else value
