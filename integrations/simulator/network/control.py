"""The operator's side of the door: ``/_control/…``, JSON in and out. Not a part of Sinch's API."""

from __future__ import annotations

from typing import Any

from smsflow_plugin.integrations.simulator.network.clock import seconds_of, stamp
from smsflow_plugin.integrations.simulator.network.conversation.projects import Project
from smsflow_plugin.integrations.simulator.network.core import Network
from smsflow_plugin.integrations.simulator.network.http import Answer, Call
from smsflow_plugin.integrations.simulator.network.plans import Plan
from smsflow_plugin.integrations.simulator.network.refusals import Refused, not_found


class Control:
    def __init__(self, network: Network) -> None:
        self._network = network

    def __call__(self, call: Call) -> Answer:
        try:
            answer = self._route(call)
        except Refused as refused:
            return Answer(refused.status, refused.body)
        except (KeyError, TypeError, ValueError) as error:
            return Answer(400, {"code": "not_understood", "text": str(error)})
        if call.method != "GET":
            self._network.courier.wake()
        return answer

    def _route(self, call: Call) -> Answer:
        match call.method, call.path[1:]:
            case "GET", ["health"]:
                return Answer(200, {"status": "ok", "now": stamp(self._network.clock.now())})
            case "GET", ["statistics"]:
                return Answer(200, self._network.statistics())
            case "GET", ["texts"]:
                after, limit = call.number("after", 0), call.number("limit", 1000, least=1, most=5000)
                return Answer(200, {"texts": self._network.texts(after=after, limit=limit)})
            case "POST", ["reset"]:
                self._network.reset()
                return Answer(200, {})
            case method, ["plans", *rest]:
                return self._plans(method, rest, call)
            case method, ["projects", *rest]:
                return self._projects(method, rest, call)
            case method, ["apps", *rest]:
                return self._apps(method, rest, call)
            case method, ["phones", *rest]:
                return self._phones(method, rest, call)
            case method, ["faults"]:
                return self._faults(method, call)
            case method, ["clock"]:
                return self._clock(method, call)
        raise not_found()

    def _plans(self, method: str, rest: list[str], call: Call) -> Answer:
        match method, rest:
            case "GET", []:
                return Answer(200, {"plans": self._network.plans.list()})
            case "PUT", [name]:
                data = call.object()
                plan = Plan(name, data["token"], data.get("callback_url", ""), data.get("callback_secret", ""))
                self._network.plans.configure(plan)
                return Answer(200, {})
        raise not_found()

    def _projects(self, method: str, rest: list[str], call: Call) -> Answer:
        match method, rest:
            case "GET", []:
                return Answer(200, {"projects": self._network.projects.list()})
            case "PUT", [name]:
                data = call.object()
                self._network.projects.configure(Project(name, data["key_id"], data["key_secret"]))
                return Answer(200, {})
            case "POST", [_name, "expire-tokens"]:
                self._network.projects.expire_tokens()
                return Answer(200, {})
        raise not_found()

    def _apps(self, method: str, rest: list[str], call: Call) -> Answer:
        match method, rest:
            case "GET", []:
                return Answer(200, {"apps": self._network.conversation.apps.everything()})
            case "PUT", [name]:
                data = call.object()
                project = data.pop("project")
                self._network.conversation.apps.configure(name, project, **data)
                return Answer(200, {})
        raise not_found()

    def _phones(self, method: str, rest: list[str], call: Call) -> Answer:
        match method, rest:
            case "GET", []:
                return Answer(200, {"phones": self._network.phones.everybody()})
            case "GET", [number, "texts"]:
                limit = call.number("limit", 200, least=1, most=5000)
                return Answer(200, {"texts": self._network.phones.texts(number, limit=limit)})
            case "POST", [number, "texts"]:
                data = call.object()
                chosen = {name: str(data.get(name, "")) for name in ("to", "plan", "app", "channel", "media")}
                return Answer(201, self._network.phones.text(number, str(data["body"]), **chosen))
            case "PUT", [number, "channels"]:
                data = call.object()
                self._network.phones.equip(number, data["channels"], reads=data.get("reads"))
                return Answer(200, {})
            case "PUT", [number, "behaviour"]:
                data = call.object()
                self._network.phones.behave(
                    number, data["behaviour"], seconds=data.get("seconds"), code=data.get("code")
                )
                return Answer(200, {})
        raise not_found()

    def _faults(self, method: str, call: Call) -> Answer:
        if method == "POST":
            data = call.object()
            self._network.faults.add(
                data["kind"],
                operation=data.get("operation", ""),
                count=int(data.get("count", 1)),
                seconds=float(data.get("seconds", 0)),
                phone=str(data.get("phone", "")),
            )
        elif method == "DELETE":
            self._network.faults.clear()
        elif method != "GET":
            raise not_found()
        return Answer(200, {"faults": self._network.faults.list()})

    def _clock(self, method: str, call: Call) -> Answer:
        data: dict[str, Any] = call.object()
        if method == "POST" and "now" in data:
            self._network.clock.advance(seconds_of(data["now"]) - self._network.clock.now())
        elif method == "POST":
            self._network.clock.advance(float(data["advance"]))
        elif method != "GET":
            raise not_found()
        return Answer(200, {"now": stamp(self._network.clock.now())})
