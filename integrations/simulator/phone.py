"""A person's phone in the simulated network: the texts on it, and the replies that the person types."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.integrations.simulator.network.client import NetworkClient
from smsflow_plugin.models import Connection, Contact

#: Texts shown, newest last.
SHOWN = 50


@dataclass(frozen=True, slots=True)
class TextOnPhone:
    """One text on the screen. ``mine`` was typed on this phone; ``state`` is the network's word."""

    id: str
    body: str
    at: datetime
    mine: bool
    state: str


def network() -> NetworkClient:
    """Return a line to the operator of the simulated network."""
    return NetworkClient(smsflow_settings.SIMULATOR_URL)


def texts_on(contact: Contact) -> list[TextOnPhone]:
    """Return the last texts on the person's phone, in both directions, oldest first.

    Only those between the phone and the contact's store: another store may know the same number.

    :raises NetworkUnavailable: if the network does not answer.
    """
    ours = contact.store.sender.lstrip("+")
    return [
        TextOnPhone(
            id=f"{text.direction}-{text.id}",
            body=text.body,
            at=text.at,
            mine=text.direction == "from_phone",
            state=text.state,
        )
        for text in network().texts_on(str(contact.phone), limit=SHOWN)
        if text.peer.lstrip("+") == ours
    ]


def reply(contact: Contact, body: str) -> None:
    """Send ``body`` from the person's phone to the store's number.

    :raises NetworkUnavailable: if the network does not answer.
    """
    plan = Connection.objects.filter(store_id=contact.store_id, kind="sinch").values_list("account", flat=True).first()
    network().text_from(str(contact.phone), body, to=contact.store.sender, plan=plan or "")
