"""Sinch's token endpoint: ``POST /oauth2/token``."""

from __future__ import annotations

from urllib.parse import parse_qs

from smsflow_plugin.integrations.simulator.network.door import Door
from smsflow_plugin.integrations.simulator.network.http import Answer, Call
from smsflow_plugin.integrations.simulator.network.refusals import Refused, not_found


class TokenApi(Door):
    def operation(self, call: Call) -> str:
        return "token"

    def route(self, call: Call) -> Answer:
        if (call.method, call.path) != ("POST", ("oauth2", "token")):
            raise not_found()
        grant = parse_qs(call.raw.decode(errors="replace")).get("grant_type", [""])[-1]
        if grant != "client_credentials":
            raise Refused(400, "unsupported_grant_type", "The grant type is not supported.")
        return Answer(200, self.network.projects.issue(call.authorization))

    def refusal(self, refused: Refused) -> Answer:
        data = {"error": refused.code, "error_description": refused.text}
        return Answer(refused.status, data, headers=refused.headers)
