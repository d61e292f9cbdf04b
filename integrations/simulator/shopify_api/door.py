"""Shopify's side of the door: ``/shopify/{shop}/…``, with the faults that were ordered."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import replace
from urllib.parse import parse_qsl

from smsflow_plugin.integrations.simulator.network.http import Answer, Call
from smsflow_plugin.integrations.simulator.shopify_api.executing import Request, answer, throttled
from smsflow_plugin.integrations.simulator.shopify_api.faults import CALL_FAULTS, Fault
from smsflow_plugin.integrations.simulator.shopify_api.oauth import Denied
from smsflow_plugin.integrations.simulator.shopify_api.storage import Doc
from smsflow_plugin.integrations.simulator.shopify_api.world import Shops

OLDEST, NEWEST = "2026-01", "2027-01"
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
WRONG_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"  # noqa: S105
#: What is answered without looking at the call.
REFUSALS = {
    "unauthorized": (401, WRONG_TOKEN),
    "payment_required": (402, "This shop's plan does not have access to this feature"),
    "forbidden": (403, "Forbidden"),
    "locked": (423, "This shop is unavailable"),
    "server_error": (500, "Internal Server Error"),
    "unavailable": (503, "Service Unavailable"),
}


class ShopDoor:
    def __init__(self, shops: Shops) -> None:
        self._shops = shops

    def __call__(self, call: Call) -> Answer:
        """Answer a call to ``/shopify/…``, and count it."""
        shop = self._shops.shop(call.path[1]) if len(call.path) > 1 else None
        if shop is None:
            return _error(404, "Not Found")
        operation, names = self._operation(call)
        fault = self._shops.faults.take(shop["domain"], names, CALL_FAULTS)
        found = _before(fault) or self._after(call, shop, fault)
        self._shops.count_call(shop["domain"], operation, "cut" if found.cut else str(found.status))
        headers = {"X-Request-Id": f"{secrets.token_hex(16)}", "X-Shopify-Shop-Api-Call-Limit": "1/40"}
        return replace(found, headers={**headers, **found.headers})

    def _operation(self, call: Call) -> tuple[str, frozenset[str]]:
        """Name a call, for statistics and for faults."""
        if call.path[2:4] == ("admin", "oauth"):
            return "oauth", frozenset(["oauth"])
        if call.path[2:3] == ("bulk",):
            return "bulk_file", frozenset(["bulk_file"])
        try:
            request = Request.read(call.raw)
        except ValueError:
            return "other", frozenset()
        names = request.names()
        return request.name or ",".join(sorted(names)) or "other", names

    def _after(self, call: Call, shop: Doc, fault: Fault | None) -> Answer:
        found = self._route(call, shop, fault)
        if fault is None:
            return found
        if fault.kind == "timeout_after":
            return replace(found, hold=fault.seconds, cut="silent")
        if fault.kind == "broken_answer":
            return replace(found, cut="half")
        return replace(found, hold=fault.seconds if fault.kind == "slow" else 0)

    def _route(self, call: Call, shop: Doc, fault: Fault | None) -> Answer:
        match call.method, call.path[2:]:
            case "POST", ["admin", "api", version, "graphql.json"]:
                return self._graphql(call, shop, version, fault)
            case "POST", ["admin", "oauth", "access_token"]:
                return self._token(call, shop)
            case "GET", ["admin", "oauth", "authorize"]:
                return self._authorize(call, shop)
            case "GET", ["bulk", name]:
                return self._file(name)
        return _error(404, "Not Found")

    def _graphql(self, call: Call, shop: Doc, version: str, fault: Fault | None) -> Answer:
        served = _version(version)
        if served is None:
            return _error(404, "Not Found")
        headers = {"X-Shopify-API-Version": served}
        token = call.headers.get("x-shopify-access-token", "")
        bearer = self._shops.tokens.bearer(shop["number"], token, self._shops.clock.now())
        if bearer is None:
            return replace(_error(401, WRONG_TOKEN), headers=headers)
        try:
            request = Request.read(call.raw)
        except ValueError as error:
            return replace(_error(400, str(error)), headers=headers)
        ask = self._shops.ask(shop, bearer.client_id, bearer.scopes, served)
        bucket = self._shops.bucket(shop["number"], bearer.client_id)
        if fault is not None and fault.kind == "throttled":
            return Answer(200, throttled(bucket, ask.now), headers=headers)
        if fault is not None and fault.kind == "user_errors":
            ask.forced_error = fault.message or "This was ordered to fail"
        return Answer(200, answer(ask, request, bucket), headers=headers)

    def _token(self, call: Call, shop: Doc) -> Answer:
        try:
            asked = _form(call)
            found = self._shops.tokens.grant(shop["number"], shop["domain"], asked, self._shops.clock.now())
        except Denied as denied:
            return Answer(denied.status, denied.body)
        except ValueError:
            return Answer(400, {"error": "invalid_request", "error_description": "The body is not understood."})
        return Answer(200, found)

    def _authorize(self, call: Call, shop: Doc) -> Answer:
        try:
            query = dict(call.query)
            target = self._shops.tokens.authorize(shop["number"], shop["domain"], query, self._shops.clock.now())
        except Denied as denied:
            return Answer(denied.status, denied.body)
        return Answer(302, text="", content_type="text/html", headers={"Location": target})

    def _file(self, name: str) -> Answer:
        number = name.removesuffix(".jsonl")
        path = self._shops.bulk.path(int(number)) if number.isdigit() else None
        if path is None or not path.exists():
            return Answer(404, text="<Error><Code>NoSuchKey</Code></Error>", content_type="application/xml")
        return Answer(200, file=path, content_type="application/jsonl")


def _version(text: str) -> str | None:
    """Return the version that is served for the one that was asked for: an old one becomes the oldest there is."""
    if text == "unstable":
        return text
    if not re.fullmatch(r"20\d\d-(01|04|07|10)", text) or text > NEWEST:
        return None
    return max(text, OLDEST)


def _form(call: Call) -> dict[str, str]:
    """:raises ValueError: if the body is neither JSON nor a form."""
    if "json" in call.headers.get("content-type", ""):
        data = json.loads(call.raw)
        if not isinstance(data, dict):
            raise ValueError("no object")
        return {name: "true" if value is True else str(value) for name, value in data.items()}
    return dict(parse_qsl(call.raw.decode()))


def _before(fault: Fault | None) -> Answer | None:
    """Return the answer of a fault that keeps the call from being looked at."""
    if fault is None:
        return None
    if fault.kind in REFUSALS:
        return _error(*REFUSALS[fault.kind])
    match fault.kind:
        case "rate_limit":
            headers = {"Retry-After": f"{fault.seconds or 2.0:.1f}"}
            message = (
                "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service."
            )
            return replace(_error(429, message), headers=headers)
        case "bad_gateway":
            return Answer(502, text=BAD_GATEWAY, content_type="text/html")
        case "timeout_before":
            return Answer(504, hold=fault.seconds, cut="silent")
    return None


def _error(status: int, message: str) -> Answer:
    return Answer(status, {"errors": message})
