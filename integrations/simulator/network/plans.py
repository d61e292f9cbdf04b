"""Service plans: who may send, and where Sinch calls back."""

from __future__ import annotations

import hmac
from dataclasses import asdict, dataclass
from typing import Any

from smsflow_plugin.integrations.simulator.network.conversation.projects import Projects
from smsflow_plugin.integrations.simulator.network.refusals import Refused
from smsflow_plugin.integrations.simulator.network.storage import Database


@dataclass(frozen=True, slots=True)
class Plan:
    """``callback_url`` receives inbound texts, and the reports of batches that name no other address.

    Callbacks are signed if there is a ``callback_secret``.
    """

    plan: str
    token: str
    callback_url: str = ""
    callback_secret: str = ""


class Plans:
    def __init__(self, database: Database, projects: Projects) -> None:
        self._database = database
        self._projects = projects

    def configure(self, plan: Plan) -> None:
        with self._database.transaction() as sql:
            row = (plan.plan, plan.token, plan.callback_url, plan.callback_secret)
            sql.execute("INSERT OR REPLACE INTO plans VALUES (?, ?, ?, ?)", row)

    def get(self, plan: str) -> Plan:
        """Return the plan. :raises Refused: with 404 if there is none."""
        with self._database.transaction() as sql:
            row = sql.execute("SELECT * FROM plans WHERE plan = ?", (plan,)).fetchone()
        if row is None:
            raise Refused(404, "not_found", "There is no such service plan.")
        return Plan(**dict(row))

    def authorized(self, plan: str, authorization: str) -> Plan:
        """Return the plan of a caller with the right bearer token. :raises Refused: with 401 for everybody else.

        A project may stand in the place of a plan; its callers have tokens from OAuth.
        """
        try:
            found = self.get(plan)
        except Refused:
            found = Plan(plan, "")
        if self._projects.exists(plan):
            self._projects.authorized(plan, authorization)
            return found
        expected = f"Bearer {found.token}".encode()
        if not found.token or not hmac.compare_digest(authorization.encode(), expected):
            raise Refused(401, "unauthorized", "The API token is not valid for this service plan.")
        return found

    def secret(self, plan: str) -> str:
        """Return what signs a plan's callbacks, or ""."""
        with self._database.transaction() as sql:
            row = sql.execute("SELECT callback_secret FROM plans WHERE plan = ?", (plan,)).fetchone()
        return str(row["callback_secret"]) if row else ""

    def only(self) -> str:
        """Return the name of the plan if there is just one."""
        plans = self.list()
        return str(plans[0]["plan"]) if len(plans) == 1 else ""

    def list(self) -> list[dict[str, Any]]:
        """All plans, without their secrets."""
        with self._database.transaction() as sql:
            rows = [Plan(**dict(row)) for row in sql.execute("SELECT * FROM plans ORDER BY plan")]
        return [
            {name: value for name, value in asdict(plan).items() if name in ("plan", "callback_url")}
            | {"signed": bool(plan.callback_secret)}
            for plan in rows
        ]
