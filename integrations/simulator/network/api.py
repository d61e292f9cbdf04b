"""Sinch's side of the door: ``/xms/v1/{service_plan_id}/…``, with the faults that were ordered."""

from __future__ import annotations

from dataclasses import replace

from smsflow_plugin.integrations.simulator.network.batch_request import Refused, read_batch
from smsflow_plugin.integrations.simulator.network.core import Network
from smsflow_plugin.integrations.simulator.network.faults import Fault
from smsflow_plugin.integrations.simulator.network.http import Answer, Call
from smsflow_plugin.integrations.simulator.network.plans import Plan
from smsflow_plugin.integrations.simulator.network.texts import msisdn

BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class SmsApi:
    def __init__(self, network: Network) -> None:
        self._network = network

    def __call__(self, call: Call) -> Answer:
        """Answer a call to ``/xms/v1/…``, and count it."""
        operation = _operation(call)
        fault = self._network.faults.take_for_call(operation)
        try:
            answer = _before(fault) or self._after(call, fault)
        except Refused as refused:
            answer = Answer(refused.status, refused.body)
        self._network.count_call(operation, "cut" if answer.cut else str(answer.status))
        return answer

    def _after(self, call: Call, fault: Fault | None) -> Answer:
        answer = self._route(call)
        self._network.courier.wake()
        if fault is None:
            return answer
        if fault.kind == "timeout_after":
            return replace(answer, hold=fault.seconds, cut="silent")
        if fault.kind == "broken_answer":
            return replace(answer, cut="half")
        if fault.kind == "empty_answer":
            return replace(answer, data={})
        return replace(answer, hold=fault.seconds)

    def _route(self, call: Call) -> Answer:
        if len(call.path) < 4:
            raise _not_found()
        plan = self._network.plans.authorized(call.path[2], call.authorization)
        match call.method, call.path[3:]:
            case "POST", ["batches"]:
                return self._send(call, plan)
            case "POST", ["batches", "dry_run"]:
                return self._dry_run(call, plan)
            case "GET", ["batches"]:
                return self._list(call, plan)
            case "GET", ["batches", identifier]:
                return Answer(200, self._network.batches.get(plan.plan, identifier))
            case "DELETE", ["batches", identifier]:
                return Answer(200, self._network.batches.cancel(plan.plan, identifier))
            case "GET", ["batches", identifier, "delivery_report"]:
                full = call.query.get("type", "summary") == "full"
                return Answer(200, self._network.batches.report(plan.plan, identifier, full=full))
            case "GET", ["batches", identifier, "delivery_report", number]:
                return Answer(200, self._network.batches.report_of(plan.plan, identifier, msisdn(number) or number))
            case "GET", ["inbounds"]:
                return self._inbounds(call, plan)
        raise _not_found()

    def _send(self, call: Call, plan: Plan) -> Answer:
        request = read_batch(call.json(), now=self._network.clock.now(), plan_callback_url=plan.callback_url)
        return Answer(201, self._network.batches.accept(plan.plan, request))

    def _dry_run(self, call: Call, plan: Plan) -> Answer:
        request = read_batch(call.json(), now=self._network.clock.now(), plan_callback_url=plan.callback_url)
        per_recipient = call.query.get("per_recipient", "").lower() == "true"
        shown = call.number("number_of_recipients", 100, most=1000)
        return Answer(200, self._network.batches.dry_run(request, per_recipient=per_recipient, shown=shown))

    def _list(self, call: Call, plan: Plan) -> Answer:
        sender = call.query.get("from")
        page = self._network.batches.list(
            plan.plan,
            reference=call.query.get("client_reference"),
            sender=sender.removeprefix("+") if sender else None,
            start=call.moment("start_date"),
            end=call.moment("end_date"),
            page=call.number("page", 0),
            page_size=call.number("page_size", 30, least=1, most=100),
        )
        return Answer(200, page)

    def _inbounds(self, call: Call, plan: Plan) -> Answer:
        to = call.query.get("to")
        page = self._network.phones.inbounds(
            plan.plan,
            to=to.strip().removeprefix("+") if to else None,
            start=call.moment("start_date"),
            end=call.moment("end_date"),
            page=call.number("page", 0),
            page_size=call.number("page_size", 30, least=1, most=100),
        )
        return Answer(200, page)


def _operation(call: Call) -> str:
    """Name a call for faults and statistics: ``send``, ``list`` or ``other``."""
    if call.path[3:] == ("batches",):
        return {"POST": "send", "GET": "list"}.get(call.method, "other")
    return "other"


def _before(fault: Fault | None) -> Answer | None:
    """Return the answer of a fault that keeps the call from being looked at."""
    match fault.kind if fault else "":
        case "rate_limit":
            text = "The user or path has too many outstanding requests."
            headers = {"Retry-After": f"{fault.seconds:g}"} if fault and fault.seconds else {}
            return Answer(429, {"code": "too_many_requests", "text": text}, headers=headers)
        case "server_error":
            return Answer(500, {"code": "internal_error", "text": "The request was not processed."})
        case "bad_gateway":
            return Answer(502, text=BAD_GATEWAY, content_type="text/html")
        case "timeout_before":
            return Answer(504, hold=fault.seconds if fault else 0, cut="silent")
    return None


def _not_found() -> Refused:
    return Refused(404, "not_found", "There is nothing at this address.")
