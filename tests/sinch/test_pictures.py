"""A picture goes through the SMS API as MMS."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from smsflow_plugin import clock
from smsflow_plugin.integrations.sinch.gateway import SinchGateway
from smsflow_plugin.messaging.gateway import RateLimited
from smsflow_plugin.messaging.pictures import carries_pictures
from tests.sinch.conftest import ADA, BOB, SENDER, GatewayMaker, text

PICTURE = "https://shop.example/media/images/boot.jpg"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would go over the line; nothing does."""
    bodies: list[Any] = []

    def request(self: Any, **values: Any) -> Any:
        bodies.append(requests.compat.json.loads(values["data"]))
        raise requests.exceptions.ConnectTimeout

    monkeypatch.setattr(requests.Session, "request", request)
    return bodies


@pytest.fixture
def gateway(gateway_at: GatewayMaker) -> SinchGateway:
    return gateway_at("http://sinch.invalid")


def test_words_and_picture_are_one_call_for_many(gateway: SinchGateway, sent: list[Any]) -> None:
    both = text(
        body="Hi ${p0}",
        recipients=(ADA, BOB),
        parameters={ADA: ("Ada",), BOB: ("Bob",)},
        channel="mms",
        media_url=PICTURE,
        expires_at=clock.now() + timedelta(hours=1),
    )
    assert gateway.send(both) == RateLimited(15.0, too_fast=False)
    (body,) = sent
    assert body["type"] == "mt_media"
    assert body["body"] == {"url": PICTURE, "message": "Hi ${p0}"}
    assert (body["to"], body["from"]) == ([ADA, BOB], SENDER)
    assert body["parameters"] == {"p0": {ADA: "Ada", BOB: "Bob"}}
    assert (body["client_reference"], body["delivery_report"]) == ("ref-1", "per_recipient_final")
    assert "expire_at" in body
    assert body["callback_url"].endswith("/smsflow/sinch/path-token/callbacks/")


@pytest.mark.parametrize("values", [{"channel": "sms", "media_url": PICTURE}, {"channel": "mms"}])
def test_without_a_picture_or_a_sender_for_it_the_words_go_as_a_text(
    gateway: SinchGateway, sent: list[Any], values: dict[str, str]
) -> None:
    gateway.send(text(**values))
    (body,) = sent
    assert (body["type"], body["body"]) == ("mt_text", "Hello")


@pytest.mark.parametrize(
    ("channel", "country", "carries"),
    [
        ("mms", "US", True),
        ("mms", "CA", True),
        ("mms", "AU", True),
        ("mms", "DK", False),
        ("mms", "", False),
        ("sms", "US", False),
        ("rcs", "DK", True),
        ("whatsapp", "BR", True),
    ],
)
def test_pictures_go_where_networks_carry_them(channel: str, country: str, carries: bool) -> None:
    assert carries_pictures(channel, country) is carries
