"""What every gateway must do, whatever its vendor. Adapters live in ``integrations/``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.utils.module_loading import import_string

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.events.reports import Cause


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a gateway can do beyond sending a text to one number. The core asks for nothing else.

    ``parameters``: people in one call may have values of their own. ``media``: it carries pictures. ``lists_inbounds``:
    it can be asked for what people wrote (``inbounds``). ``read_receipts``: it tells that a text was read.
    """

    parameters: bool = True
    media: bool = False
    lists_inbounds: bool = False
    read_receipts: bool = False


@dataclass(frozen=True, slots=True)
class OutboundText:
    """One gateway call: the same text to up to ``Gateway.max_recipients`` people.

    ``body`` may hold ``${p0}``, ``${p1}`` …; ``parameters`` gives each recipient's
    values in that order, by E.164 number. Without parameters the body is literal.
    ``reference`` is unique for the call: the gateway must be able to find it again.
    ``channel`` is one of ``senders.Sender.Channel``; ``marketing`` says whether it needs an opt-in;
    ``media_url`` is the public address of a picture, for gateways that carry some.
    """

    reference: str
    sender: str
    body: str
    recipients: tuple[str, ...]
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    expires_at: datetime | None = None
    channel: str = "sms"
    marketing: bool = True
    media_url: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The gateway has taken the call."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The gateway refused the call for good: nothing was sent to anybody.

    ``recipients`` are the numbers that it named as the cause; empty when it named none. ``cause`` says what is
    wrong with them, where that is known: a number that does not exist is not tried again.
    ``fatal`` means that no call of this connection can work (wrong credentials, no credit).
    """

    detail: str
    recipients: tuple[str, ...] = ()
    fatal: bool = False
    cause: Cause = Cause.UNKNOWN


@dataclass(frozen=True, slots=True)
class RateLimited:
    """Nothing was sent; try again after so many seconds.

    ``too_fast`` says that the gateway wants fewer texts at a time, not only that it takes none now.
    """

    retry_after: float
    too_fast: bool = True


@dataclass(frozen=True, slots=True)
class Unknown:
    """The call was cut off: it may or may not have been taken. Ask with ``find``."""

    detail: str


Outcome = Accepted | Rejected | RateLimited | Unknown


class GatewayUnavailable(Exception):
    """The gateway could not be asked. Nothing is known; ask again later."""


class CannotSearch(GatewayUnavailable):
    """The gateway will never be able to say whether it has this call: a person has to."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A text from a person that the gateway has listed, as its callback would have told of it.

    ``external_id`` and ``topic`` are those of that callback, so that the inbox knows it again.
    """

    external_id: str
    topic: str
    body: bytes


class Gateway(Protocol):
    """A connection to a vendor that sends texts."""

    #: People in one call at most.
    max_recipients: int
    capabilities: Capabilities

    def __init__(
        self, *, token: str, account: str, secrets: Mapping[str, Any], settings: Mapping[str, Any]
    ) -> None: ...

    def send(self, text: OutboundText) -> Outcome:
        """Make the call once. Never raises for what the network or the vendor does."""

    def find(self, reference: str, *, since: datetime) -> str | None:
        """Return the vendor's id of the call with this reference, or None if there is none.

        :raises GatewayUnavailable: if the vendor could not be asked.
        :raises CannotSearch: if it has no way to say so.
        """

    def inbounds(self, *, since: datetime) -> Iterable[Listed]:
        """Yield what people wrote since then. Asked only of gateways that list it.

        :raises GatewayUnavailable: if the vendor could not be asked.
        """

    def check(self) -> str:
        """Return a sentence that says the connection works.

        :raises GatewayUnavailable: with a sentence that says what is wrong.
        """


def gateway_for(
    kind: str, *, token: str, account: str, secrets: Mapping[str, Any], settings: Mapping[str, Any]
) -> Gateway:
    """Return the gateway that serves connections of this kind."""
    factory = import_string(smsflow_settings.GATEWAYS[kind])
    gateway: Gateway = factory(token=token, account=account, secrets=secrets, settings=settings)
    return gateway


class NullGateway:
    """Takes everything and sends nothing: for benchmarks and dry runs."""

    max_recipients = 1000
    capabilities = Capabilities(media=True)

    def __init__(self, *, token: str, account: str, secrets: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        pass

    def send(self, text: OutboundText) -> Outcome:
        return Accepted(f"null-{text.reference}")

    def find(self, reference: str, *, since: datetime) -> str | None:
        return f"null-{reference}"

    def inbounds(self, *, since: datetime) -> Iterable[Listed]:
        return ()

    def check(self) -> str:
        return "Nothing is sent through this gateway."
