"""What copy can speak of: ``contact``, ``store`` and what started the flow. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smsflow_plugin.events.kinds import KINDS

CONTACT_FIELDS = ("first_name", "last_name", "email", "language")
STORE_FIELDS = ("name", "brand", "url")

#: Values for previews. In ``sample_context`` those that may be missing are None instead.
_EXAMPLE_CONTACT = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com", "language": "en"}
_EXAMPLE_STORE = {"name": "Sierra Gear", "brand": "Sierra Gear", "url": "https://sierra-gear.example"}
_EXAMPLE_PARCEL = {
    "tracking_company": "UPS",
    "tracking_number": "1Z999AA10123456784",
    "tracking_url": "https://www.ups.com/track?tracknum=1Z999AA10123456784",
}


def copy_context(contact: Mapping[str, Any], store: Mapping[str, Any], trigger: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a text of this run may use.

    ``trigger`` is the data of the event that started the run, with its own top-level
    names ("cart", "order", "parcel"). Empty values become None, so that "missing" is one
    thing for copy, whatever left it out. The trigger can never hide contact or store.
    """
    return {
        **trigger,
        "contact": {name: contact.get(name) or None for name in CONTACT_FIELDS},
        "store": {name: store.get(name) or None for name in STORE_FIELDS},
    }


def sample_context(trigger: str) -> dict[str, Any]:
    """Return a context for checking copy: what is None in it may be missing for some people."""
    return copy_context(
        {"language": _EXAMPLE_CONTACT["language"]},
        {**_EXAMPLE_STORE, "url": None},
        KINDS[trigger].sample if trigger in KINDS else {},
    )


def example_context(trigger: str, store: Mapping[str, Any], *, filled: bool = True) -> dict[str, Any]:
    """Return a context for a preview: everything known, or else (``filled`` False) all that may be missing is."""
    data = dict(KINDS[trigger].sample) if trigger in KINDS else {}
    if filled and "parcel" in data:
        data["parcel"] = {**data["parcel"], **_EXAMPLE_PARCEL}
    known_store = {**store, "url": store.get("url") or (_EXAMPLE_STORE["url"] if filled else None)}
    contact = _EXAMPLE_CONTACT if filled else {"language": _EXAMPLE_CONTACT["language"]}
    return copy_context(contact, known_store, data)
