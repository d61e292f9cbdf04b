"""From the simulated shop's own webhooks to facts. Pure.

These stand for the apps around a shop: its waitlist, its calendar, its help desk.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from smsflow_plugin.events.facts import (
    CannotUnderstand,
    Happening,
    Person,
    PersonFact,
    RawDelivery,
    StoreInfo,
    Translation,
)
from smsflow_plugin.events.kinds import KINDS


def translate(raw: RawDelivery, store: StoreInfo) -> Translation:
    """Return what a webhook says: an event (its topic is the kind), or news about a person ("person").

    :raises CannotUnderstand: if it is none of these, or lacks what it is about.
    """
    try:
        said = json.loads(raw.body)
        person = _person(said, raw.topic)
        if raw.topic == "person":
            return Translation(facts=(PersonFact(person),))
        if raw.topic not in KINDS:
            raise CannotUnderstand(f"There is no event of the kind “{raw.topic}”.")
        happening = Happening(
            raw.topic,
            str(said["key"]),
            datetime.fromisoformat(said["at"]),
            str(said.get("subject") or ""),
            dict(said.get("data") or {}),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CannotUnderstand("The simulator's webhook is not in its own form.") from error
    return Translation(facts=(PersonFact(person, happenings=(happening,)),))


def _person(said: dict[str, Any], topic: str) -> Person:
    customer = said["customer"]
    changes = said if topic == "person" else {}
    return Person(
        identities=(("customer", str(customer["id"])),),
        phone=customer["phone"],
        tags_added=tuple(changes.get("tags_added") or ()),
        tags_removed=tuple(changes.get("tags_removed") or ()),
        fields=dict(changes.get("fields") or {}),
    )
