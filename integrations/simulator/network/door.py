"""A door of the network: calls come in, are counted, and run into the faults that were ordered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

from smsflow_plugin.integrations.simulator.network.core import Network
from smsflow_plugin.integrations.simulator.network.faults import Fault
from smsflow_plugin.integrations.simulator.network.http import Answer, Call
from smsflow_plugin.integrations.simulator.network.refusals import Refused

BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class Door(ABC):
    """One of Sinch's APIs. What it answers is its own; how calls go wrong is the same for all."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def __call__(self, call: Call) -> Answer:
        """Answer a call, and count it."""
        operation = self.operation(call)
        fault = self.network.faults.take_for_call(operation)
        try:
            answer = self._before(fault) or self._after(call, fault)
        except Refused as refused:
            answer = self.refusal(refused)
        self.network.count_call(operation, "cut" if answer.cut else str(answer.status))
        return answer

    @abstractmethod
    def operation(self, call: Call) -> str:
        """Name a call for faults and statistics: one of ``faults.OPERATIONS``."""

    @abstractmethod
    def route(self, call: Call) -> Answer:
        """Answer the call. :raises Refused: if it is not in order."""

    def refusal(self, refused: Refused) -> Answer:
        """Say no in the words of this API."""
        return Answer(refused.status, refused.body, headers=refused.headers)

    def _before(self, fault: Fault | None) -> Answer | None:
        """Return the answer of a fault that keeps the call from being looked at."""
        match fault.kind if fault else "":
            case "rate_limit":
                text = "The user or path has too many outstanding requests."
                headers = {"Retry-After": f"{fault.seconds:g}"} if fault and fault.seconds else {}
                return self.refusal(Refused(429, "too_many_requests", text, headers=headers))
            case "server_error":
                return self.refusal(Refused(500, "internal_error", "The request was not processed."))
            case "bad_gateway":
                return Answer(502, text=BAD_GATEWAY, content_type="text/html")
            case "timeout_before":
                return Answer(504, hold=fault.seconds if fault else 0, cut="silent")
            case "reset_before":
                return Answer(504, cut="reset")
        return None

    def _after(self, call: Call, fault: Fault | None) -> Answer:
        """Answer the call, and let the fault spoil the answer."""
        answer = self.route(call)
        self.network.courier.wake()
        if fault is None:
            return answer
        match fault.kind:
            case "timeout_after":
                return replace(answer, hold=fault.seconds, cut="silent")
            case "reset_after":
                return replace(answer, cut="reset")
            case "broken_answer":
                return replace(answer, cut="half")
            case "empty_answer":
                return replace(answer, data={})
        return replace(answer, hold=fault.seconds)
