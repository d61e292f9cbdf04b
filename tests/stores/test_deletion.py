"""What can be deleted, and what must stay while somebody may still ask for it."""

from __future__ import annotations

import pytest
from django.db.models import RestrictedError

from smsflow_plugin.engine.deleting import DeleteStore
from smsflow_plugin.flows.program import Send
from smsflow_plugin.models import (
    Autoresponder,
    Batch,
    CannedReply,
    Contact,
    Enrollment,
    Event,
    FlowVersion,
    Keyword,
    Message,
    Sender,
    Store,
    Thread,
    ThreadNote,
)
from tests.admin.rows import fill
from tests.engine.helpers import make_flow
from tests.factories import make_contact


@pytest.fixture
def sent(store: Store) -> Message:
    """A text that is on its way, with everything that led to it."""
    contact, flow = make_contact(store), make_flow(store, Send("s1", {"": "Hello"}))
    Enrollment.objects.create(store=store, flow=flow, version=flow.current_version, contact=contact)
    Event.objects.create(store=store, contact=contact, kind="opted_in", key="1", occurred_at=contact.created_at)
    batch = Batch.objects.create(store=store, connection=store.connections.get(kind="sinch"), size=1)
    return Message.objects.create(
        store=store, contact=contact, flow=flow, batch=batch, state="sending", message_class="marketing",
        sender=store.sender, to=str(contact.phone), body="Hello",
    )  # fmt: skip


def test_a_store_goes_with_everything_that_belongs_to_it(store: Store, danish_store: Store, sent: Message) -> None:
    make_contact(danish_store)
    DeleteStore(store).execute(skip_permission_checks=True)
    assert not Message.objects.exists()
    assert not FlowVersion.objects.exists()
    assert Contact.objects.get().store == danish_store


def test_conversations_and_what_answers_texts_go_with_their_store(store: Store, danish_store: Store) -> None:
    fill(store)
    fill(danish_store, mark="Bolton")
    DeleteStore(store).execute(skip_permission_checks=True)
    for model in (Thread, ThreadNote, Keyword, Autoresponder, CannedReply, Sender):
        assert model._default_manager.get().store_id == danish_store.pk


def test_a_connection_stays_while_nobody_else_could_ask_what_became_of_its_texts(sent: Message) -> None:
    assert sent.batch is not None
    with pytest.raises(RestrictedError):
        sent.batch.connection.delete()
    sent.refresh_from_db()
    assert sent.batch is not None
