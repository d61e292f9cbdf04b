"""A thread with Anna of Sierra Gear, and two who answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from smsflow_plugin import clock
from smsflow_plugin.models import Contact, Event, Message, Store, Thread
from smsflow_plugin.stores.roles import SUPPORT
from tests.admin.people import client_of, make_user
from tests.factories import make_contact, make_store


def wrote(contact: Contact, body: str, *, minutes: float = 0, key: str = "", **data: Any) -> Event:
    """A text of the person, so many minutes ago."""
    at = clock.now() - timedelta(minutes=minutes)
    return Event.objects.create(
        store=contact.store, contact=contact, kind="message_received", key=key or f"in:{body}:{minutes}",
        occurred_at=at, recorded_at=at, data={"body": body, "keyword": None, **data},
    )  # fmt: skip


def texted(contact: Contact, body: str, *, minutes: float = 0, **values: Any) -> Message:
    """A text to the person, so many minutes ago."""
    at = clock.now() - timedelta(minutes=minutes)
    defaults = {"message_class": "service", "state": "delivered", "finished_at": at, "purpose": "staff"}
    return Message.objects.create(
        store=contact.store, contact=contact, sender=contact.store.sender, to=str(contact.phone), body=body,
        queued_at=at, not_before=at, key=f"t:{body}:{minutes}", **{**defaults, **values},
    )  # fmt: skip


def make_thread(contact: Contact, **values: Any) -> Thread:
    defaults = {"unread": 1, "last_words": "Where is my parcel?", "heard_at": clock.now()}
    return Thread.objects.create(store=contact.store, contact=contact, **{**defaults, **values})


@pytest.fixture
def store(db: None) -> Store:
    return make_store()


@pytest.fixture
def anna(store: Store) -> Contact:
    return make_contact(store, first_name="Anna", last_name="Holm")


@pytest.fixture
def thread(anna: Contact) -> Thread:
    wrote(anna, "Where is my parcel?")
    return make_thread(anna)


@pytest.fixture
def ben(store: Store) -> Any:
    return make_user("ben", SUPPORT, store)


@pytest.fixture
def cara(store: Store) -> Any:
    return make_user("cara", SUPPORT, store)


@pytest.fixture
def as_ben(ben: Any) -> Client:
    return client_of(ben)


@pytest.fixture
def as_cara(cara: Any) -> Client:
    return client_of(cara)
