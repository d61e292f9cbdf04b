from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from smsflow_plugin.models import Connection, Contact, Message, Store
from tests.conftest import TestClock
from tests.dispatch.scripted import ScriptedGateway
from tests.factories import make_contact

Queue = Callable[..., Message]


@pytest.fixture
def gateway(settings: Any, still: TestClock) -> Iterator[type[ScriptedGateway]]:
    """What ``sinch`` connections send through in this test."""
    ScriptedGateway.reset()
    settings.SMSFLOW = {**settings.SMSFLOW, "GATEWAYS": {"sinch": "tests.dispatch.scripted.ScriptedGateway"}}
    yield ScriptedGateway
    ScriptedGateway.reset()


@pytest.fixture
def queue(store: Store) -> Queue:
    """Put a text into the outbox, to Ada unless told otherwise."""

    def put(body: str = "Hi Ada", contact: Contact | None = None, **values: Any) -> Message:
        contact = contact or make_contact(values.get("store", store))
        own = contact.store
        defaults = {
            "store": own,
            "contact": contact,
            "message_class": "marketing",
            "sender": own.sender,
            "to": str(contact.phone),
            "body": body,
        }
        return Message.objects.create(**{**defaults, **values})

    return put


@pytest.fixture
def connection(store: Store) -> Connection:
    return store.connections.get(kind="sinch")
