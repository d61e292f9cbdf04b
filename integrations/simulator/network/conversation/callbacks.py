"""How apps hear of things: one callback to each webhook that asked for the trigger."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import Any

from smsflow_plugin.integrations.simulator.network.clock import NetworkClock, stamp
from smsflow_plugin.integrations.simulator.network.conversation.apps import Webhooks
from smsflow_plugin.integrations.simulator.network.lifecycle import Lifecycle


class Callbacks:
    def __init__(self, clock: NetworkClock, lifecycle: Lifecycle, webhooks: Webhooks) -> None:
        self._clock = clock
        self._lifecycle = lifecycle
        self._webhooks = webhooks

    def tell(
        self,
        sql: sqlite3.Connection,
        app: sqlite3.Row,
        trigger: str,
        news: dict[str, Any],
        *,
        accepted_at: float | None = None,
        metadata: str = "",
        correlation: str = "",
        instead: str = "",
        phones: Collection[str] = (),
    ) -> None:
        """Call back for ``app``.

        :param news: what is told, under the name that the API gives it.
        :param instead: an address that takes the place of the app's webhooks.
        :param phones: whom it is about.
        """
        now = self._clock.now()
        payload = {
            "app_id": app["id"],
            "project_id": app["project"],
            "accepted_time": stamp(now if accepted_at is None else accepted_at),
            "event_time": stamp(now),
            "message_metadata": metadata,
            "correlation_id": correlation,
            **news,
        }
        if instead:
            self._lifecycle.call_back(sql, f"app:{app['id']}", instead, payload, phones)
            return
        for webhook in self._webhooks.of_app(sql, app["id"]):
            content = json.loads(webhook["content"])
            if trigger in content["triggers"] and content["target_type"] == "HTTP":
                self._lifecycle.call_back(sql, f"webhook:{webhook['id']}", content["target"], payload, phones)

    def tell_project(self, sql: sqlite3.Connection, project: str, trigger: str, news: dict[str, Any]) -> None:
        """Call back for every app of a project: contacts belong to no app."""
        for app in sql.execute("SELECT * FROM apps WHERE project = ? ORDER BY number", (project,)).fetchall():
            self.tell(sql, app, trigger, news)
