"""The SMS API's door: ``/xms/v1/{service_plan_id}/…``. A project's id may stand in the place of a plan's."""

from __future__ import annotations

from typing import Any

from smsflow_plugin.integrations.simulator.network.door import Door
from smsflow_plugin.integrations.simulator.network.http import Answer, Call
from smsflow_plugin.integrations.simulator.network.plans import Plan
from smsflow_plugin.integrations.simulator.network.refusals import malformed, not_found
from smsflow_plugin.integrations.simulator.network.texts import msisdn


class SmsApi(Door):
    def operation(self, call: Call) -> str:
        if call.path[3:] == ("batches",):
            return {"POST": "send", "GET": "list"}.get(call.method, "other")
        return "other"

    def route(self, call: Call) -> Answer:
        if len(call.path) < 4:
            raise not_found()
        plan = self.network.plans.authorized(call.path[2], call.authorization)
        match call.path[3]:
            case "batches":
                return self._batches(call, plan, call.path[4:])
            case "delivery_reports" if call.method == "GET" and len(call.path) == 4:
                return self._list_reports(call, plan)
            case "inbounds" if call.method == "GET":
                return self._inbounds(call, plan, call.path[4:])
            case "groups":
                return self._groups(call, plan, call.path[4:])
        raise not_found()

    def _batches(self, call: Call, plan: Plan, path: tuple[str, ...]) -> Answer:
        batches = self.network.batches
        match call.method, path:
            case "POST", []:
                return Answer(201, batches.accept(plan, call.json()))
            case "GET", []:
                return self._list(call, plan)
            case "POST", ["dry_run"]:
                per_recipient = call.query.get("per_recipient", "").lower() == "true"
                shown = call.number("number_of_recipients", 100, most=1000)
                return Answer(200, batches.dry_run(plan, call.json(), per_recipient=per_recipient, shown=shown))
            case "GET", [identifier]:
                return Answer(200, batches.get(plan.plan, identifier))
            case "POST", [identifier]:
                return Answer(200, batches.update(plan, identifier, call.json()))
            case "PUT", [identifier]:
                return Answer(200, batches.replace(plan, identifier, call.json()))
            case "DELETE", [identifier]:
                return Answer(200, batches.cancel(plan.plan, identifier))
            case "POST", [identifier, "delivery_feedback"]:
                return self._feedback(call, plan, identifier)
            case "GET", [identifier, "delivery_report"]:
                return self._report(call, plan, identifier)
            case "GET", [identifier, "delivery_report", number]:
                report = self.network.delivery_reports.of_phone(plan.plan, identifier, msisdn(number) or number)
                return Answer(200, report)
        raise not_found()

    def _list(self, call: Call, plan: Plan) -> Answer:
        page = self.network.batches.list(
            plan.plan,
            reference=call.query.get("client_reference"),
            senders=[sender.removeprefix("+") for sender in call.many("from")],
            start=call.moment("start_date"),
            end=call.moment("end_date"),
            **_page(call),
        )
        return Answer(200, page)

    def _feedback(self, call: Call, plan: Plan, identifier: str) -> Answer:
        """Hear who got a text: that is for Sinch's routing, and leads to nothing here."""
        self.network.batches.get(plan.plan, identifier)
        recipients = call.object().get("recipients")
        for index, one in enumerate(recipients if isinstance(recipients, list) else [None]):
            if not isinstance(one, str) or msisdn(one) is None:
                raise malformed(f"recipients[{index}]", one, "a valid MSISDN")
        return Answer(202)

    def _report(self, call: Call, plan: Plan, identifier: str) -> Answer:
        kind = call.query.get("type", "summary")
        if kind not in ("summary", "full"):
            raise malformed("type", kind, "a report type")
        report = self.network.delivery_reports.of_batch(
            plan.plan, identifier, full=kind == "full", statuses=_statuses(call), codes=_codes(call)
        )
        return Answer(200, report)

    def _list_reports(self, call: Call, plan: Plan) -> Answer:
        page = self.network.delivery_reports.list(
            plan.plan,
            statuses=_statuses(call),
            codes=_codes(call),
            reference=call.query.get("client_reference"),
            start=call.moment("start_date"),
            end=call.moment("end_date"),
            **_page(call),
        )
        return Answer(200, page)

    def _inbounds(self, call: Call, plan: Plan, path: tuple[str, ...]) -> Answer:
        if len(path) == 1:
            return Answer(200, self.network.phones.inbound(plan.plan, path[0]))
        if path:
            raise not_found()
        page = self.network.phones.inbounds(
            plan.plan,
            to=[number.removeprefix("+") for number in call.many("to")],
            reference=call.query.get("client_reference"),
            start=call.moment("start_date"),
            end=call.moment("end_date"),
            **_page(call),
        )
        return Answer(200, page)

    def _groups(self, call: Call, plan: Plan, path: tuple[str, ...]) -> Answer:
        groups = self.network.batches.groups
        match call.method, path:
            case "POST", []:
                return Answer(201, groups.create(plan.plan, call.object()))
            case "GET", []:
                return Answer(200, groups.listed(plan.plan, **_page(call)))
            case "GET", [group]:
                return Answer(200, groups.get(plan.plan, group))
            case "POST", [group]:
                return Answer(200, groups.update(plan.plan, group, call.object()))
            case "PUT", [group]:
                return Answer(200, groups.replace(plan.plan, group, call.object()))
            case "DELETE", [group]:
                groups.delete(plan.plan, group)
                return Answer(200)
            case "GET", [group, "members"]:
                return Answer(200, groups.members(plan.plan, group))
        raise not_found()


def _page(call: Call) -> dict[str, Any]:
    return {"page": call.number("page", 0), "page_size": call.number("page_size", 30, least=1, most=100)}


def _statuses(call: Call) -> list[str]:
    return [status.lower() for status in call.many("status")]


def _codes(call: Call) -> list[int]:
    codes = call.many("code")
    for code in codes:
        if not code.isdigit():
            raise malformed("code", code, "a number")
    return [int(code) for code in codes]
