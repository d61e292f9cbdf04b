"""A gateway that does what a test tells it, and remembers what it was told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from smsflow_plugin.messaging.gateway import Accepted, Capabilities, GatewayUnavailable, Listed, OutboundText, Outcome


class ScriptedGateway:
    """Accepts everything unless ``answer`` says otherwise. ``has`` is what the vendor knows."""

    max_recipients = 1000
    capabilities = Capabilities()
    calls: list[OutboundText] = []
    asked: list[str] = []
    has: dict[str, str] = {}
    answer: Callable[[OutboundText], Outcome] | None = None
    unavailable = False

    def __init__(self, *, token: str, account: str, secrets: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        assert "pause" not in settings, "the core's own notes are nothing for a gateway"

    @classmethod
    def reset(cls) -> None:
        cls.calls, cls.asked, cls.has = [], [], {}
        cls.answer, cls.unavailable, cls.max_recipients = None, False, 1000
        cls.capabilities = Capabilities()

    def send(self, text: OutboundText) -> Outcome:
        cls = type(self)
        cls.calls.append(text)
        outcome = cls.answer(text) if cls.answer else Accepted(f"id-{text.reference}")
        if isinstance(outcome, Accepted):
            cls.has[text.reference] = outcome.provider_id
        return outcome

    def find(self, reference: str, *, since: datetime) -> str | None:
        cls = type(self)
        cls.asked.append(reference)
        if cls.unavailable:
            raise GatewayUnavailable("The network is down.")
        return cls.has.get(reference)

    def inbounds(self, *, since: datetime) -> Iterable[Listed]:
        return ()

    def check(self) -> str:
        return "Works."


def texts_of(call: OutboundText) -> dict[str, str]:
    """Return the text that each recipient of a call reads."""
    read = {}
    for number in call.recipients:
        body = call.body
        for i, value in enumerate(call.parameters.get(number, ())):
            body = body.replace(f"${{p{i}}}", value)
        read[number] = body
    return read
