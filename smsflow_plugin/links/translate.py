"""What the short links put into the inbox, as facts. Pure."""

from __future__ import annotations

import json
from datetime import datetime

from smsflow_plugin.events.facts import (
    CannotUnderstand,
    Happening,
    Person,
    PersonFact,
    RawDelivery,
    StoreInfo,
    Translation,
)

#: The source of deliveries.
SOURCE = "links"

#: What the event keeps of a click.
DATA = ("url", "message", "flow", "flow_name", "step", "variant", "link", "first")


def translate(raw: RawDelivery, store: StoreInfo) -> Translation:
    """The translator of the source "links": a person has opened a link for the first time.

    However often it is delivered, a link has one such event: its key is the code.
    """
    try:
        body = json.loads(raw.body)
        phone, code, at = str(body["phone"]), str(body["link"]), datetime.fromisoformat(body["at"])
    except (ValueError, KeyError, TypeError) as error:
        raise CannotUnderstand("This is not what one of our own links says.") from error
    data = {name: body.get(name) for name in DATA}
    return Translation((PersonFact(Person(phone=phone), (), (Happening("link_clicked", code, at, data=data),)),))
