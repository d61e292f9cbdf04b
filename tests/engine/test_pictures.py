"""A text's picture on its way from the program to the gateway."""

from __future__ import annotations

import pytest

from smsflow_plugin.flows.program import Send
from smsflow_plugin.messaging.senders import Sender
from smsflow_plugin.models import Message, Store
from tests.engine.helpers import happened, make_flow, pump
from tests.factories import make_contact

ADA, PICTURE_NUMBER = "+12025550101", "+12025550199"
PICTURE = "https://shop.example/media/images/boot.jpg"


@pytest.mark.parametrize(("media", "sender"), [(PICTURE, PICTURE_NUMBER), ("", "+12025550100")])
def test_it_stands_at_the_text_and_chooses_a_sender_that_carries_it(store: Store, media: str, sender: str) -> None:
    Sender.objects.create(store=store, address=store.sender)
    Sender.objects.create(store=store, address=PICTURE_NUMBER, channel="mms", position=1)
    make_contact(store, phone=ADA)
    make_flow(store, Send("s1", {"": "Look"}, media=media))
    happened(store, "opted_in")
    pump()
    message = Message.objects.get()
    assert (message.media_url, message.sender) == (media, sender)
