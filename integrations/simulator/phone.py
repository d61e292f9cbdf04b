"""A person's phone in the simulated network: the texts on it, and the replies that the person types."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.integrations.simulator.network.client import NetworkClient
from smsflow_plugin.messaging.addresses import parts_of
from smsflow_plugin.messaging.choosing import folded
from smsflow_plugin.messaging.senders import senders_of
from smsflow_plugin.models import Connection, Contact, Sender

#: Texts shown, newest last.
SHOWN = 50
PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif")


@dataclass(frozen=True, slots=True)
class TextOnPhone:
    """One text on the screen. ``mine`` was typed on this phone; ``state`` and ``channel`` are the network's words."""

    id: str
    body: str
    at: datetime
    mine: bool
    state: str
    channel: str = "SMS"
    #: Where on this site its picture lies, "" if it has none or one from elsewhere.
    picture: str = ""
    #: The address of a picture or film that is not shown and not in the body either.
    link: str = ""

    @property
    def pieces(self) -> list[tuple[str, bool]]:
        """The words in pieces, each with whether it is an address to tap."""
        return parts_of(self.body)


def network() -> NetworkClient:
    """Return a line to the operator of the simulated network."""
    return NetworkClient(smsflow_settings.SIMULATOR_URL)


def texts_on(contact: Contact) -> list[TextOnPhone]:
    """Return the last texts on the person's phone, in both directions, oldest first.

    Only those between the phone and the contact's store: another store may know the same number.

    :raises NetworkUnavailable: if the network does not answer.
    """
    ours = {folded(sender.address) for sender in senders_of([contact.store])[contact.store_id].all}
    return [
        TextOnPhone(
            id=f"{text.direction}-{text.id}",
            body=text.body,
            at=text.at,
            mine=text.direction == "from_phone",
            state=text.state,
            channel=text.channel,
            picture=picture_on_site(text.media),
            link="" if picture_on_site(text.media) or text.media in text.body else text.media,
        )
        for text in network().texts_on(str(contact.phone), limit=SHOWN)
        if folded(text.peer) in ours
    ]


def picture_on_site(url: str) -> str:
    """Return the path of a picture that this site serves itself, or "".

    A page of the admin must not load what a text names: who sends a text could see who looks at it.
    """
    parts, site = urlsplit(url), urlsplit(smsflow_settings.PUBLIC_URL)
    if parts.netloc and (parts.scheme, parts.netloc) != (site.scheme, site.netloc):
        return ""
    path = parts.path
    # a browser reads "/\\" as "//", and goes to another host
    ours = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if ours and path.lower().endswith(PICTURES) else ""


def reply(contact: Contact, body: str) -> None:
    """Send ``body`` from the person's phone to the number of the store that texts them.

    :raises NetworkUnavailable: if the network does not answer.
    """
    to = contact.sender or contact.store.sender
    named = Sender.objects.filter(store_id=contact.store_id, address=to).values_list("connection_id", flat=True).first()
    connections = Connection.objects.filter(store_id=contact.store_id, kind__in=("sinch", "sinch_conversation"))
    own = {one.pk: one for one in connections.order_by("-kind")}
    # of several, the SMS API's sends what no sender names a connection for
    connection = own.get(named or 0) or next(reversed(own.values()), None)
    owner = {"plan": "", "app": ""}
    if connection is not None and connection.kind == "sinch":
        owner["plan"] = connection.account
    elif connection is not None:
        owner["app"] = str(connection.settings.get("app_id") or "")
    network().text_from(str(contact.phone), body, to=to, **owner)
