"""What people write to an app."""

from __future__ import annotations

import json
import sqlite3

from smsflow_plugin.integrations.simulator.network.clock import NetworkClock
from smsflow_plugin.integrations.simulator.network.conversation.apps import Apps
from smsflow_plugin.integrations.simulator.network.conversation.callbacks import Callbacks
from smsflow_plugin.integrations.simulator.network.conversation.contacts import Contacts
from smsflow_plugin.integrations.simulator.network.conversation.conversations import Conversations
from smsflow_plugin.integrations.simulator.network.conversation.messages import Message, Messages, show


class Receiving:
    def __init__(
        self,
        clock: NetworkClock,
        apps: Apps,
        contacts: Contacts,
        conversations: Conversations,
        messages: Messages,
        callbacks: Callbacks,
    ) -> None:
        self._clock = clock
        self._apps = apps
        self._contacts = contacts
        self._conversations = conversations
        self._messages = messages
        self._callbacks = callbacks

    def received(self, sql: sqlite3.Connection, inbound: sqlite3.Row) -> None:
        """Keep what a phone sent to an app, and tell the app."""
        app = self._apps.find(sql, inbound["plan"].removeprefix("app:"))
        if app is None:
            raise ValueError("There is no such app.")
        mode = json.loads(app["content"])["processing_mode"]
        contact = conversation = ""
        if mode == "CONVERSATION":
            contact = self._contacts.meet(sql, app["project"], {inbound["channel"]: inbound["phone"]})
            conversation = self._conversations.open(sql, app, contact)
            self._conversations.heard(sql, conversation, inbound["channel"], inbound["at"])
        said = (
            {"media_message": {"url": inbound["media"]}}
            if inbound["media"]
            else {"text_message": {"text": inbound["body"]}}
        )
        message = Message(
            id=inbound["id"],
            app=app["id"],
            project=app["project"],
            direction="TO_APP",
            channel=inbound["channel"],
            identity=inbound["phone"],
            content=said,
            at=inbound["at"],
            mode=mode,
            conversation=conversation,
            contact=contact,
            sender=inbound["recipient"],
        )
        self._messages.add(sql, message)
        shown = show(self._messages.find(sql, message.id))
        self._callbacks.tell(sql, app, "MESSAGE_INBOUND", {"message": shown}, phones=[inbound["phone"]])
