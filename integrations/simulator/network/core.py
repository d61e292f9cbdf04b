"""The network as a whole: its parts, what it counts, and its beginning and end."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smsflow_plugin.integrations.simulator.network.batches import Batches
from smsflow_plugin.integrations.simulator.network.clock import NetworkClock, stamp
from smsflow_plugin.integrations.simulator.network.conversation import schema as conversation
from smsflow_plugin.integrations.simulator.network.conversation.projects import Projects
from smsflow_plugin.integrations.simulator.network.conversation.service import Conversation
from smsflow_plugin.integrations.simulator.network.courier import Courier
from smsflow_plugin.integrations.simulator.network.delivery_reports import DeliveryReports
from smsflow_plugin.integrations.simulator.network.faults import Faults
from smsflow_plugin.integrations.simulator.network.lifecycle import Lifecycle
from smsflow_plugin.integrations.simulator.network.phones import Phones, show_text
from smsflow_plugin.integrations.simulator.network.plans import Plans
from smsflow_plugin.integrations.simulator.network.reports import SmsReports
from smsflow_plugin.integrations.simulator.network.storage import ADDED, CLEAR, SCHEMA, Database


def new_id() -> str:
    """26 characters, like Sinch's."""
    return secrets.token_hex(13).upper()


class Network:
    """A phone network with Sinch at its door, without HTTP; ``serve`` gives it that.

    :param path: where it remembers, or ``:memory:``.
    :param delay: seconds from dispatch to delivery.
    :param pace: factor on the seconds between Sinch's attempts to call back.
    :param callback_timeout: seconds that a callback may take.
    """

    def __init__(
        self,
        path: str | Path = ":memory:",
        *,
        delay: float = 0.0,
        pace: float = 1.0,
        callback_timeout: float = 10.0,
        ids: Callable[[], str] = new_id,
    ) -> None:
        self.database = Database(
            path, schema=SCHEMA + conversation.SCHEMA, clear=CLEAR + conversation.CLEAR, added=ADDED
        )
        self.clock = NetworkClock(self.database)
        self.projects = Projects(self.database, self.clock)
        self.plans = Plans(self.database, self.projects)
        self.faults = Faults(self.database)
        lifecycle = Lifecycle(self.database, self.clock, self.faults, delay=delay)
        self.batches = Batches(self.database, self.clock, lifecycle, ids)
        self.delivery_reports = DeliveryReports(self.database, self.clock, self.batches)
        self.conversation = Conversation(self.database, self.clock, lifecycle, ids)
        reports = SmsReports(lifecycle)
        lifecycle.reporters |= {"sms": reports, "mms": reports, "conversation": self.conversation.sending}
        groups = self.batches.groups
        self.phones = Phones(self.database, self.clock, self.plans, self.conversation, groups, lifecycle, ids)
        self.courier = Courier(
            self.database, self.clock, self.secret_of, lifecycle, pace=pace, timeout=callback_timeout
        )

    def start(self) -> None:
        self.courier.start()

    def stop(self) -> None:
        self.courier.stop()
        self.database.close()

    def secret_of(self, owner: str) -> str:
        """Return what signs the callbacks of a plan, an app or a webhook, or "" if nothing does."""
        secret = self.conversation.secret_of(owner)
        return self.plans.secret(owner) if secret is None else secret

    def reset(self) -> None:
        """Forget every text, call, fault and behaviour, and the clock's offset. Plans, projects and apps stay."""
        self.database.clear()
        self.clock.reset()

    def count_call(self, operation: str, answer: str) -> None:
        with self.database.transaction() as sql:
            sql.execute(
                "INSERT INTO calls VALUES (?, ?, 1) ON CONFLICT (operation, answer) DO UPDATE SET count = count + 1",
                (operation, answer),
            )

    def texts(self, *, after: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
        """Texts towards all phones, oldest first, from the one after the id ``after``."""
        with self.database.transaction() as sql:
            rows = sql.execute(
                "SELECT texts.*, batches.reference, batches.plan FROM texts JOIN batches ON batches.id = texts.batch"
                " WHERE texts.id > ? ORDER BY texts.id LIMIT ?",
                (after, limit),
            ).fetchall()
        return [show_text(row) for row in rows]

    def statistics(self) -> dict[str, Any]:
        """Counts by name. ``calls`` by operation and answer ("cut" where no answer was given)."""
        with self.database.transaction() as sql:
            calls: dict[str, dict[str, int]] = {}
            for row in sql.execute("SELECT * FROM calls ORDER BY operation, answer"):
                calls.setdefault(row["operation"], {})[row["answer"]] = row["count"]
            return {
                "now": stamp(self.clock.now()),
                "calls": calls,
                "batches": sql.execute("SELECT COUNT(*) FROM batches").fetchone()[0],
                "recipients": sql.execute("SELECT COUNT(*) FROM texts").fetchone()[0],
                "phones": sql.execute("SELECT COUNT(DISTINCT phone) FROM texts").fetchone()[0],
                "texts": dict(sql.execute("SELECT LOWER(status), COUNT(*) FROM texts GROUP BY status").fetchall()),
                "inbounds": sql.execute("SELECT COUNT(*) FROM inbounds").fetchone()[0],
                "callbacks": dict(sql.execute("SELECT state, COUNT(*) FROM callbacks GROUP BY state").fetchall()),
                "due": self._due(sql),
            }

    def _due(self, sql: Any) -> int:
        """Things that will happen without anybody doing anything and without time passing by much."""
        now = self.clock.now()
        texts = sql.execute("SELECT COUNT(*) FROM texts WHERE due_at <= ?", (now,)).fetchone()[0]
        waiting = "SELECT COUNT(*) FROM callbacks WHERE state = 'pending' AND (due_at <= ? OR attempts > 0)"
        return int(texts) + int(sql.execute(waiting, (now,)).fetchone()[0])
