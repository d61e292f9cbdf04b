"""How screens and tests talk to the network's operator: typed calls to ``/_control/``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import requests


class NetworkUnavailable(Exception):
    """The simulated network does not answer, or refused; the message says why."""


@dataclass(frozen=True, slots=True)
class PhoneText:
    """A text on a phone. ``direction`` is ``to_phone`` or ``from_phone``; ``state`` is Sinch's, in lower case.

    ``peer`` is the other number or name, as Sinch writes it: without a "+".
    """

    direction: str
    phone: str
    peer: str
    body: str
    state: str
    at: datetime
    id: str
    code: int | None = None
    parts: int | None = None
    batch_id: str = ""
    reference: str = ""
    #: SMS, RCS, WHATSAPP …
    channel: str = "SMS"
    #: The address of a picture or film, "" if there is none.
    media: str = ""

    @classmethod
    def read(cls, data: dict[str, Any]) -> PhoneText:
        return cls(**{**data, "id": str(data["id"]), "at": datetime.fromisoformat(data["at"])})


@dataclass(frozen=True, slots=True)
class PhoneSummary:
    """A phone of the network; ``last_at`` is None while it has no texts."""

    number: str
    received: int
    sent: int
    behaviour: str
    last_at: datetime | None
    channels: tuple[str, ...] = ("SMS",)
    #: Seconds until what comes on a channel other than SMS is read, None if nobody says.
    reads: float | None = None

    @classmethod
    def read(cls, data: dict[str, Any]) -> PhoneSummary:
        at = data["last_at"]
        channels = tuple(data.get("channels", ("SMS",)))
        return cls(**{**data, "last_at": datetime.fromisoformat(at) if at else None, "channels": channels})


class NetworkClient:
    """:param url: the network's address, for example ``SMSFLOW["SIMULATOR_URL"]``.

    Every method raises ``NetworkUnavailable``.
    """

    def __init__(self, url: str, *, timeout: float = 5.0) -> None:
        self._url = url.rstrip("/")
        self._timeout = timeout

    def health(self) -> datetime:
        """Return the network's time, as proof of life."""
        return datetime.fromisoformat(self._call("GET", "health")["now"])

    def configure_plan(self, plan: str, *, token: str, callback_url: str = "", callback_secret: str = "") -> None:
        """Make or change a service plan. ``callback_url`` receives its inbound texts."""
        data = {"token": token, "callback_url": callback_url, "callback_secret": callback_secret}
        self._call("PUT", f"plans/{quote(plan, safe='')}", data)

    def configure_project(self, project: str, *, key_id: str, key_secret: str) -> None:
        """Make or change a project, whose access key gets tokens for both APIs."""
        self._call("PUT", f"projects/{quote(project, safe='')}", {"key_id": key_id, "key_secret": key_secret})

    def configure_app(
        self,
        app: str,
        *,
        project: str,
        channels: Sequence[str] = ("SMS",),
        sender: str = "",
        region: str = "",
        mode: str = "CONVERSATION",
        callback_url: str = "",
        callback_secret: str = "",
        triggers: Sequence[str] = ("MESSAGE_DELIVERY", "MESSAGE_INBOUND"),
        keeps_days: int = 0,
    ) -> None:
        """Make or change an app of the Conversation API, with one webhook at ``callback_url``.

        :param channels: in the order in which a message tries them if it names no order.
        :param sender: the number that its texts come from if a message names none; texts to it are the app's.
        :param mode: ``CONVERSATION`` or ``DISPATCH``.
        :param keeps_days: for how long it lists messages of the mode ``DISPATCH``.
        """
        data = {
            "project": project,
            "channels": list(channels),
            "sender": sender,
            "region": region,
            "mode": mode,
            "callback_url": callback_url,
            "callback_secret": callback_secret,
            "triggers": list(triggers),
            "keeps_days": keeps_days,
        }
        self._call("PUT", f"apps/{quote(app, safe='')}", data)

    def expire_tokens(self) -> None:
        """Let no token be good any more."""
        self._call("POST", "projects/all/expire-tokens")

    def set_channels(self, number: str, channels: Sequence[str], *, reads: float | None = None) -> None:
        """Say which channels a phone has beside SMS, for example ``["RCS"]``.

        :param reads: seconds from arriving to being read, None if the phone never tells.
        """
        self._call("PUT", f"phones/{quote(number)}/channels", {"channels": list(channels), "reads": reads})

    def phones(self) -> list[PhoneSummary]:
        return [PhoneSummary.read(phone) for phone in self._call("GET", "phones")["phones"]]

    def texts_on(self, number: str, *, limit: int = 200) -> list[PhoneText]:
        """Return the last texts on a phone, in both directions, newest last."""
        texts = self._call("GET", f"phones/{quote(number)}/texts?limit={limit}")["texts"]
        return [PhoneText.read(text) for text in texts]

    def all_texts(self) -> list[PhoneText]:
        """Return every text that was ever accepted, oldest first: to check that each came once."""
        texts: list[PhoneText] = []
        while page := self._call("GET", f"texts?after={texts[-1].id if texts else 0}")["texts"]:
            texts += [PhoneText.read(text) for text in page]
        return texts

    def text_from(
        self, number: str, body: str, *, to: str = "", plan: str = "", app: str = "", channel: str = "", media: str = ""
    ) -> PhoneText:
        """Let a phone write to ``to``, or to whoever texted it last, on the channel of that text.

        :param plan: the service plan that gets it, or ``app`` the app, if that is not clear.
        :param media: the address of a picture that it sends.
        """
        data = {"body": body, "to": to, "plan": plan, "app": app, "channel": channel, "media": media}
        return PhoneText.read(self._call("POST", f"phones/{quote(number)}/texts", data))

    def set_behaviour(
        self, number: str, behaviour: str, *, seconds: float | None = None, code: int | None = None
    ) -> None:
        """Choose a behaviour; ``seconds`` until the text arrives or fails.

        ``normal``, ``slow``, or one that refuses: ``undeliverable``, ``landline``, ``invalid``, ``blocked``,
        ``temporary``; ``code`` takes the place of the behaviour's own.
        """
        data = {"behaviour": behaviour, "seconds": seconds, "code": code}
        self._call("PUT", f"phones/{quote(number)}/behaviour", data)

    def add_fault(self, kind: str, *, operation: str = "", count: int = 1, seconds: float = 0, phone: str = "") -> None:
        """Let the next ``count`` calls go wrong; see ``faults.CALL_FAULTS``, ``CALLBACK_FAULTS``, ``TEXT_FAULTS``.

        :param phone: of callbacks, only those about this number.
        """
        data = {"kind": kind, "operation": operation, "count": count, "seconds": seconds, "phone": phone}
        self._call("POST", "faults", data)

    def clear_faults(self) -> None:
        self._call("DELETE", "faults")

    def statistics(self) -> dict[str, Any]:
        return self._call("GET", "statistics")

    def advance_clock(self, seconds: float) -> datetime:
        """Move the network's clock on, and return its time."""
        return datetime.fromisoformat(self._call("POST", "clock", {"advance": seconds})["now"])

    def set_clock(self, now: datetime) -> datetime:
        """Make it this (aware) time for the network; its clock runs on from there."""
        return datetime.fromisoformat(self._call("POST", "clock", {"now": now.isoformat()})["now"])

    def reset(self) -> None:
        """Let the network forget everything but its plans."""
        self._call("POST", "reset")

    def wait_until_quiet(self, seconds: float = 20.0) -> dict[str, Any]:
        """Wait until no text and no callback is due any more, and return the statistics.

        :raises NetworkUnavailable: if that takes longer.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            statistics = self.statistics()
            if statistics["due"] == 0:
                return statistics
            time.sleep(0.02)
        raise NetworkUnavailable("The simulated network is still busy.")

    def _call(self, method: str, path: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            with requests.Session() as session:
                session.trust_env = False  # it stands on this machine: no proxy leads there
                response = session.request(method, f"{self._url}/_control/{path}", json=data, timeout=self._timeout)
                answer: dict[str, Any] = response.json()
        except (requests.RequestException, ValueError) as error:
            raise NetworkUnavailable("The simulated network does not answer.") from error
        if not response.ok:
            raise NetworkUnavailable(answer.get("text", "The simulated network refused."))
        return answer
