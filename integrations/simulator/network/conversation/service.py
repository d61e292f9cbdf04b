"""The Conversation API without HTTP: its parts, put together."""

from __future__ import annotations

import json
from collections.abc import Callable

from smsflow_plugin.integrations.simulator.network.clock import NetworkClock
from smsflow_plugin.integrations.simulator.network.conversation.apps import Apps, Webhooks
from smsflow_plugin.integrations.simulator.network.conversation.callbacks import Callbacks
from smsflow_plugin.integrations.simulator.network.conversation.contacts import Contacts
from smsflow_plugin.integrations.simulator.network.conversation.conversations import Conversations
from smsflow_plugin.integrations.simulator.network.conversation.messages import Messages
from smsflow_plugin.integrations.simulator.network.conversation.receiving import Receiving
from smsflow_plugin.integrations.simulator.network.conversation.sending import Sending
from smsflow_plugin.integrations.simulator.network.lifecycle import Lifecycle
from smsflow_plugin.integrations.simulator.network.storage import Database


class Conversation:
    def __init__(self, database: Database, clock: NetworkClock, lifecycle: Lifecycle, ids: Callable[[], str]) -> None:
        self._database = database
        self.apps = Apps(database, ids)
        self.webhooks = Webhooks(database, self.apps, ids)
        callbacks = Callbacks(clock, lifecycle, self.webhooks)
        self.contacts = Contacts(database, callbacks, ids)
        self.conversations = Conversations(database, self.apps, callbacks, ids)
        self.messages = Messages(database)
        self.sending = Sending(
            database,
            clock,
            lifecycle,
            self.apps,
            self.contacts,
            self.conversations,
            self.messages,
            callbacks,
            ids,
        )
        self.receiving = Receiving(clock, self.apps, self.contacts, self.conversations, self.messages, callbacks)

    def secret_of(self, owner: str) -> str | None:
        """Return what signs the callbacks of ``webhook:…`` or ``app:…``; None for any other owner."""
        kind, _, identifier = owner.partition(":")
        if kind == "webhook":
            return self.webhooks.secret(identifier)
        if kind != "app":
            return None
        with self._database.transaction() as sql:
            app = self.apps.find(sql, identifier)
        settings = json.loads(app["content"]).get("callback_settings") if app else None
        return str((settings or {}).get("secret_for_overridden_callback_urls") or "")
