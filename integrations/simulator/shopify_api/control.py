"""The operator's side of the door: ``/_shops/…``, JSON in and out. Not a part of Shopify's API."""

from __future__ import annotations

from typing import Any

from smsflow_plugin.integrations.simulator.network.clock import stamp
from smsflow_plugin.integrations.simulator.network.http import Answer, Call
from smsflow_plugin.integrations.simulator.network.refusals import Refused
from smsflow_plugin.integrations.simulator.shopify_api.doings import Doings, NotPossible
from smsflow_plugin.integrations.simulator.shopify_api.generating import fill
from smsflow_plugin.integrations.simulator.shopify_api.world import Shops

#: What can be done in a shop from outside: the methods of ``Doings`` of these names.
ACTIONS = (
    *("add_customer", "know_customer", "customers", "change_customer", "set_consent"),
    *("change_cart", "abandon_checkout", "place_order", "cancel_order", "refund_order", "send_parcel", "move_parcel"),
    *("set_stock", "set_price", "variants"),
    *("uninstall", "request_data", "redact_customer", "redact_shop"),
)


class ShopControl:
    def __init__(self, shops: Shops) -> None:
        self._shops = shops

    def __call__(self, call: Call) -> Answer:
        try:
            return self._route(call)
        except Refused as refused:
            return Answer(refused.status, refused.body)
        except (NotPossible, LookupError, TypeError, ValueError) as error:
            return Answer(400, {"code": "not_understood", "text": str(error)})

    def _route(self, call: Call) -> Answer:
        match call.method, call.path[1:]:
            case "GET", ["statistics"]:
                return Answer(200, self.statistics())
            case "POST", ["reset"]:
                self._shops.reset()
                return Answer(200, {})
            case "PUT", ["shops", domain]:
                return Answer(200, self._shops.add_shop(domain, **call.object()))
            case "PUT", ["apps", client_id]:
                said = call.object()
                self._shops.add_app(client_id, said.pop("secret"), **said)
                return Answer(200, {})
            case "PUT", ["shops", domain, "apps", client_id]:
                self._shops.install(domain, client_id, **call.object())
                return Answer(200, {})
            case "POST", ["shops", domain, "past"]:
                fill(self._shops, domain, **call.object())
                return Answer(200, {})
            case "POST", ["shops", domain, action] if action in ACTIONS:
                return Answer(200, {"made": getattr(Doings(self._shops, domain), action)(**call.object())})
            case "POST", ["bucket"]:
                said = call.object()
                self._shops.set_bucket(float(said["size"]), float(said["rate"]))
                return Answer(200, {})
            case method, ["faults"]:
                return self._faults(method, call)
        raise Refused(404, "not_found", "There is nothing at this address.")

    def _faults(self, method: str, call: Call) -> Answer:
        if method == "POST":
            said: dict[str, Any] = call.object()
            self._shops.faults.add(said.pop("kind"), **said)
        elif method == "DELETE":
            self._shops.faults.clear()
        return Answer(200, {"faults": self._shops.faults.list()})

    def statistics(self) -> dict[str, Any]:
        """Counts by name. ``due`` is what will happen without anybody doing anything."""
        shops, now = self._shops, self._shops.clock.now()
        with shops.database.transaction() as sql:
            calls = [dict(row) for row in sql.execute("SELECT * FROM calls ORDER BY shop, operation, answer")]
            states = dict(sql.execute("SELECT state, COUNT(*) FROM deliveries GROUP BY state").fetchall())
            query = "SELECT COUNT(*) FROM deliveries WHERE state = 'pending' AND (due_at <= ? OR attempts > 0)"
            due = sql.execute(query, (now,)).fetchone()[0]
            things = sql.execute(
                "SELECT domain, kind, COUNT(*) AS count FROM things JOIN shops ON shops.number = things.shop"
                " GROUP BY domain, kind ORDER BY domain, kind"
            )
            kinds: dict[str, dict[str, int]] = {}
            for row in things:
                kinds.setdefault(row["domain"], {})[row["kind"]] = row["count"]
        return {"now": stamp(now), "calls": calls, "webhooks": states, "due": due, "shops": kinds}
